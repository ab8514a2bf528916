#pragma once

/// Where a volunteer's two threads meet: tickets go one way over the desk, gradients the other.

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <iterator>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>
#include <variant>
#include <vector>

#include <daig/control/message.hpp>
#include <daig/core/deadline.hpp>
#include <daig/core/id.hpp>
#include <daig/data/shard.hpp>
#include <daig/train/buffer_pool.hpp>
#include <daig/train/replica.hpp>

namespace daig::train {

/// A ticket with all that is needed to compute it.
struct Assignment {
  TicketId ticket;
  control::Work work;
  Version version;
  Weights weights;
  bool awaited = false;        ///< the coordinator should hear of it at once
  double most_norm = 0;        ///< a gradient beyond it is refused here already
  std::stop_source stop = {};  ///< requested once the ticket is void

  // In a run with a dataset, the batch's samples: a slot of a shard, shuffled by the seeds.
  std::shared_ptr<const data::Shard> shard = {};
  std::optional<data::ShardPlan> plan = {};
  data::Seeds seeds = {};
};

/// What computing a batch gave, besides the gradient.
struct Contribution {
  double loss_sum = 0;        ///< over the samples
  std::uint64_t samples = 0;  ///< how many the gradient is the sum over
  std::uint64_t correct = 0;  ///< of the samples; for the accounts, 0 where nobody counts
};

/// A computed gradient on its way to the communication thread.
struct ComputedGradient {
  TicketId ticket;
  Buffer gradient;
  Contribution contribution;
  double service_s = 0;
  double norm = 0;  ///< of the mean over the samples
  bool awaited = false;
};

/// What the compute thread lays down: a gradient, the ticket itself, or that its gradient is no
/// good.
using Outcome = std::variant<ComputedGradient, control::GiveBack, control::Spoiled>;

/// Thread-safe. The communication thread calls put, cancel, cancel_all, take_outcomes, left,
/// close; the compute thread calls next, finish, fail. A cancelled ticket leaves no trace: its
/// outcome, even one that is laid down at the same moment, is never taken.
class TicketDesk {
 public:
  /// @param notify  tells the communication thread that something lies on the desk; any thread.
  explicit TicketDesk(std::function<void()> notify) : notify_(std::move(notify)) {}

  void put(std::vector<Assignment> assignments);
  void cancel(TicketId ticket);
  void cancel_all();
  std::vector<Outcome> take_outcomes();
  /// Tickets that wait or are being computed.
  std::size_t left();
  /// The exception with which the compute thread gave up, once.
  std::exception_ptr take_failure();
  /// No more tickets: `next` returns nothing from now on. Also cancels everything.
  void close();

  /// The next ticket, or nothing when there will be none. Blocks without a deadline of its own: the
  /// communication thread has one for every silence, and closes the desk when it ends.
  std::optional<Assignment> next();
  void finish(TicketId ticket, Outcome outcome);
  void fail(std::exception_ptr failure);

 private:
  /// So long an outcome may lie that neither ends a step nor leaves the compute thread short of
  /// tickets: waking the other thread costs as much as a tenth of a small batch.
  static constexpr Duration longest_silence = std::chrono::milliseconds(2);

  std::function<void()> notify_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool closed_ = false;
  std::deque<Assignment> waiting_;
  std::vector<std::pair<TicketId, std::stop_source>> computing_;
  std::vector<Outcome> outcomes_;
  TimePoint notified_{};
  std::exception_ptr failure_;
};

// ---------------------------------------------------------------------------------------------

inline void TicketDesk::put(std::vector<Assignment> assignments) {
  {
    const std::scoped_lock lock(mutex_);
    std::ranges::move(assignments, std::back_inserter(waiting_));
  }
  changed_.notify_one();
}

inline void TicketDesk::cancel(TicketId ticket) {
  const std::scoped_lock lock(mutex_);
  std::erase_if(waiting_, [&](const Assignment& waiting) { return waiting.ticket == ticket; });
  for (auto& [computed, stop] : computing_) {
    if (computed == ticket) stop.request_stop();
  }
  std::erase_if(computing_, [&](const auto& computing) { return computing.first == ticket; });
  std::erase_if(outcomes_, [&](const Outcome& outcome) {
    return std::visit([&](const auto& body) { return body.ticket == ticket; }, outcome);
  });
}

inline void TicketDesk::cancel_all() {
  const std::scoped_lock lock(mutex_);
  for (auto& [ticket, stop] : computing_) stop.request_stop();
  computing_.clear();
  waiting_.clear();
  outcomes_.clear();
}

inline std::vector<Outcome> TicketDesk::take_outcomes() {
  const std::scoped_lock lock(mutex_);
  return std::exchange(outcomes_, {});
}

inline std::size_t TicketDesk::left() {
  const std::scoped_lock lock(mutex_);
  return waiting_.size() + computing_.size();
}

inline std::exception_ptr TicketDesk::take_failure() {
  const std::scoped_lock lock(mutex_);
  return std::exchange(failure_, nullptr);
}

inline void TicketDesk::close() {
  cancel_all();
  {
    const std::scoped_lock lock(mutex_);
    closed_ = true;
  }
  changed_.notify_all();
}

inline std::optional<Assignment> TicketDesk::next() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return closed_ || !waiting_.empty(); });
  if (closed_) return std::nullopt;
  Assignment assignment = std::move(waiting_.front());
  waiting_.pop_front();
  computing_.emplace_back(assignment.ticket, assignment.stop);
  return assignment;
}

inline void TicketDesk::finish(TicketId ticket, Outcome outcome) {
  {
    const std::scoped_lock lock(mutex_);
    const auto erased =
        std::erase_if(computing_, [&](const auto& computing) { return computing.first == ticket; });
    if (erased == 0) return;  // cancelled meanwhile
    const auto* computed = std::get_if<ComputedGradient>(&outcome);
    const bool presses = computed == nullptr || computed->awaited || waiting_.size() < 2;
    outcomes_.push_back(std::move(outcome));
    if (!presses && Clock::now() - notified_ < longest_silence) return;
    notified_ = Clock::now();
  }
  notify_();
}

inline void TicketDesk::fail(std::exception_ptr failure) {
  {
    const std::scoped_lock lock(mutex_);
    failure_ = std::move(failure);
  }
  notify_();
}

}  // namespace daig::train
