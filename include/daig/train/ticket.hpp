#pragma once

/// A ticket in a program's hand: compute a gradient with it, and bank that.

#include <cmath>
#include <span>
#include <stop_token>
#include <utility>

#include <daig/core/deadline.hpp>
#include <daig/data/batch.hpp>
#include <daig/train/gradient_norm.hpp>
#include <daig/train/ticket_desk.hpp>
#include <daig/train/workbench.hpp>

namespace daig::train {

/// Permission to compute one batch at one weights version. Belongs to the compute thread.
///
/// Dropping a ticket without banking gives it back: another volunteer will get the batch. A ticket
/// whose stop token is requested is void; banking it does nothing.
class Ticket {
 public:
  Ticket(Workbench& bench, Assignment assignment);
  Ticket(const Ticket&) = delete;
  Ticket& operator=(const Ticket&) = delete;
  Ticket(Ticket&& other) noexcept;
  Ticket& operator=(Ticket&&) = delete;
  ~Ticket();

  /// Which batch of which epoch: for programs that find their own data.
  const control::Work& work() const { return assignment_.work; }
  Version version() const { return assignment_.version; }
  /// Requested once the ticket is void: check it now and then, and drop the ticket.
  std::stop_token stop_token() const { return assignment_.stop.get_token(); }

  /// The weights to compute with.
  std::span<const float> weights() const { return *assignment_.weights; }
  /// Where the gradient goes: as long as the weights, with unspecified values.
  std::span<float> gradient() { return *gradient_; }
  /// The batch's samples; valid until the next ticket's. Expects a run with a dataset.
  const data::Batch& batch() { return bench_->batch(assignment_); }

  /// Banks what stands in `gradient()`: the gradient of the *sum* of the losses over the samples
  /// (the library divides by the number of samples in the whole step). One that is not finite, or
  /// far larger than the others' of this run, is refused, and the batch goes to somebody else.
  void bank(Contribution contribution);
  /// Banks a gradient that stands elsewhere. Cost: a copy.
  void bank(std::span<const float> gradient, Contribution contribution);

 private:
  Workbench* bench_;
  Assignment assignment_;
  Buffer gradient_;
  TimePoint started_ = Clock::now();
};

// ---------------------------------------------------------------------------------------------

inline Ticket::Ticket(Workbench& bench, Assignment assignment)
    : bench_(&bench), assignment_(std::move(assignment)), gradient_(bench.gradient_buffer()) {}

inline Ticket::Ticket(Ticket&& other) noexcept
    : bench_(std::exchange(other.bench_, nullptr)),
      assignment_(std::move(other.assignment_)),
      gradient_(std::move(other.gradient_)),
      started_(other.started_) {}

inline Ticket::~Ticket() {
  if (bench_ == nullptr) return;
  const TicketId id = assignment_.ticket;
  bench_->desk().finish(id, control::GiveBack{id});
}

inline void Ticket::bank(Contribution contribution) {
  expects(bench_ != nullptr, "a ticket that was not banked before");
  expects(contribution.samples > 0, "a contribution of at least one sample");
  Workbench& bench = *std::exchange(bench_, nullptr);
  bench.slow_down(Clock::now() - started_, assignment_.stop.get_token());
  const TicketId id = assignment_.ticket;
  const double mean_norm =
      norm(*gradient_, bench.layout()) / static_cast<double>(contribution.samples);
  if (!std::isfinite(mean_norm) || mean_norm > assignment_.most_norm) {
    return bench.desk().finish(id, control::Spoiled{id, mean_norm});
  }
  const double service_s = seconds(Clock::now() - started_);
  bench.desk().finish(id, ComputedGradient{id, std::move(gradient_), contribution, service_s,
                                           mean_norm, assignment_.awaited});
}

inline void Ticket::bank(std::span<const float> gradient, Contribution contribution) {
  expects(gradient.size() == gradient_->size(), "a gradient as long as the weights");
  gradient_->assign(gradient.begin(), gradient.end());
  bank(contribution);
}

}  // namespace daig::train
