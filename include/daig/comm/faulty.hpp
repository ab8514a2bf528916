#pragma once

/// A communicator whose rank suffers by plan: it is slow, stands still, is cut off, or dies.

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <utility>

#include <daig/comm/communicator.hpp>
#include <daig/comm/detail/delay_line.hpp>
#include <daig/comm/fault_plan.hpp>

namespace daig::comm {

/// Thrown once by a rank that has been killed, to end its thread. Neither an Error nor a
/// std::exception: a death is nothing that the dead report.
struct Killed {};

/// Passes everything on to another communicator, as far as the plan and `kill`, `freeze` and `cut`
/// let it.
///
/// Made for ranks that are threads (InProcessWorld), whose sends are done at once; real processes
/// are better killed for real. The other communicator must outlive it, and be used by nobody else.
///
/// Delayed messages keep their order for each (receiver, tag); others may overtake them. They are
/// copied. A send of up to `eager_bytes` is done at once, a larger one when its message is handed
/// over, as with a rendezvous. They are handed over by later calls of the rank's thread, polls of
/// transfers included, and by the destructor: nothing moves while the rank computes.
///
/// Threads: as any communicator; `kill`, `freeze`, `cut` and `heal` may be called from any thread.
class FaultyCommunicator final : public Communicator {
 public:
  static constexpr std::size_t eager_bytes = 4096;

  FaultyCommunicator(Communicator& other, FaultPlan plan) : other_(other), plan_(std::move(plan)) {}
  /// Hands over what is still held, due or not.
  ~FaultyCommunicator() override;

  /// Kills the rank, as SIGKILL would. The next call of its thread, or the one that it waits in,
  /// throws Killed; all later ones do nothing and tell nobody: sends vanish, receives never
  /// complete, nothing is taken, parks return at once. What was sent before still arrives, at once,
  /// but for large messages that had not been handed over.
  void kill();

  /// Has the rank stand still in its next call, as SIGSTOP would, and go on as if nothing had been.
  /// Messages to it wait, and so do those of its own that are held.
  void freeze(Deadline until);

  /// Pulls the rank's cable: what it sends to others, and held messages that become due, are lost;
  /// what it would take from others is dropped, and a receive found complete never completes. What
  /// arrives unasked and is asked for only after the cut is not lost.
  void cut(Deadline until);

  /// Ends freeze and cut.
  void heal();

  /// How many operations there have been. For the rank's thread.
  std::uint64_t operations() const { return operations_; }

  Rank rank() const override { return other_.rank(); }
  int size() const override { return other_.size(); }
  Transfer send(Rank to, Tag tag, std::span<const std::byte> bytes) override;
  Transfer receive(Rank from, Tag tag, std::span<std::byte> bytes) override;
  std::optional<Message> take(Tag tag, std::size_t max_bytes) override;
  void park(Deadline until, Urgency urgency = Urgency::prompt) override;
  void wake() noexcept override { other_.wake(); }
  void nudge(Rank rank) noexcept override;

 private:
  class HeldSend;
  class Receive;

  bool begin_operation();
  bool alive();
  void stand_still();
  bool is_killed();
  bool is_cut_off_from(Rank peer);
  Transfer hold(Rank to, Tag tag, std::span<const std::byte> bytes);
  void hand_over(TimePoint due_by);

  Communicator& other_;
  const FaultPlan plan_;
  detail::DelayLine held_;
  std::uint64_t operations_ = 0;
  std::uint32_t sends_ = 0;
  bool dead_ = false;  ///< killed, and its thread knows

  std::mutex mutex_;  ///< guards what follows
  std::condition_variable changed_;
  bool killed_ = false;
  Deadline frozen_until_ = Deadline::at(TimePoint::min());
  Deadline cut_until_ = Deadline::at(TimePoint::min());
};

// ---------------------------------------------------------------------------------------------

/// Done once its message is handed over; a dead rank's is over.
class FaultyCommunicator::HeldSend final : public PendingTransfer {
 public:
  HeldSend(FaultyCommunicator& faulty, std::shared_ptr<const bool> handed_over)
      : faulty_(faulty), handed_over_(std::move(handed_over)) {}

  bool poll() override { return !faulty_.alive() || *handed_over_; }

 private:
  FaultyCommunicator& faulty_;
  std::shared_ptr<const bool> handed_over_;
};

class FaultyCommunicator::Receive final : public PendingTransfer {
 public:
  Receive(FaultyCommunicator& faulty, Rank from, Transfer other)
      : faulty_(faulty), from_(from), other_(std::move(other)) {}

  bool poll() override {
    if (!faulty_.alive() || lost_ || !other_.done()) return false;
    lost_ = faulty_.is_cut_off_from(from_);
    return !lost_;
  }
  bool withdraw() noexcept override { return other_.withdraw(); }

 private:
  FaultyCommunicator& faulty_;
  Rank from_;
  Transfer other_;
  bool lost_ = false;
};

inline FaultyCommunicator::~FaultyCommunicator() {
  if (is_killed()) held_.drop_unfinished();
  hand_over(TimePoint::max());
}

inline void FaultyCommunicator::kill() {
  {
    const std::lock_guard lock(mutex_);
    killed_ = true;
  }
  changed_.notify_one();
  other_.wake();
}

inline void FaultyCommunicator::freeze(Deadline until) {
  const std::lock_guard lock(mutex_);
  frozen_until_ = until;
}

inline void FaultyCommunicator::cut(Deadline until) {
  const std::lock_guard lock(mutex_);
  cut_until_ = until;
}

inline void FaultyCommunicator::heal() {
  {
    const std::lock_guard lock(mutex_);
    frozen_until_ = cut_until_ = Deadline::at(TimePoint::min());
  }
  changed_.notify_one();
}

inline Transfer FaultyCommunicator::send(Rank to, Tag tag, std::span<const std::byte> bytes) {
  expects(to.value() >= 0 && to.value() < size(), "a rank of this communicator");
  if (!begin_operation()) return Transfer();
  if (plan_.on_send) {
    plan_.on_send(*this, to, tag, bytes);
    if (!alive()) return Transfer();
  }
  if (is_cut_off_from(to)) return Transfer();
  if (plan_.mean_delay == Duration::zero()) return other_.send(to, tag, bytes);
  return hold(to, tag, bytes);
}

inline Transfer FaultyCommunicator::receive(Rank from, Tag tag, std::span<std::byte> bytes) {
  expects(from.value() >= 0 && from.value() < size(), "a rank of this communicator");
  Transfer other = begin_operation() ? other_.receive(from, tag, bytes) : Transfer();
  return Transfer(std::make_unique<Receive>(*this, from, std::move(other)));
}

inline std::optional<Message> FaultyCommunicator::take(Tag tag, std::size_t max_bytes) {
  if (!begin_operation()) return std::nullopt;
  while (auto message = other_.take(tag, max_bytes)) {
    if (!is_cut_off_from(message->from)) return message;
  }
  return std::nullopt;
}

inline void FaultyCommunicator::park(Deadline until, Urgency urgency) {
  if (!begin_operation()) return;
  other_.park(std::min(until, Deadline::at(held_.next_due())), urgency);
  alive();
}

inline void FaultyCommunicator::nudge(Rank rank) noexcept {
  if (!is_killed() && !is_cut_off_from(rank)) other_.nudge(rank);
}

inline bool FaultyCommunicator::begin_operation() {
  if (dead_) return false;
  const std::uint64_t operation = operations_++;
  const auto begins = [&](const std::optional<Outage>& outage) {
    return outage && outage->at_operation == operation;
  };
  if (plan_.kill_at_operation == operation) kill();
  if (begins(plan_.freeze)) freeze(Deadline::in(plan_.freeze->lasts));
  if (begins(plan_.cut)) cut(Deadline::in(plan_.cut->lasts));
  return alive();
}

/// Begins every call of the rank's thread. False for the dead. @throws Killed, once
inline bool FaultyCommunicator::alive() {
  if (dead_) return false;
  stand_still();
  if (is_killed()) {
    dead_ = true;
    held_.drop_unfinished();
    hand_over(TimePoint::max());
    throw Killed{};
  }
  hand_over(Clock::now());
  return true;
}

inline void FaultyCommunicator::stand_still() {
  std::unique_lock lock(mutex_);
  while (!killed_ && !frozen_until_.expired()) changed_.wait_until(lock, frozen_until_.when());
}

inline bool FaultyCommunicator::is_killed() {
  const std::lock_guard lock(mutex_);
  return killed_;
}

/// No cable leads from a rank to itself.
inline bool FaultyCommunicator::is_cut_off_from(Rank peer) {
  const std::lock_guard lock(mutex_);
  return peer != rank() && !cut_until_.expired();
}

inline Transfer FaultyCommunicator::hold(Rank to, Tag tag, std::span<const std::byte> bytes) {
  const TimePoint due = Deadline::in(send_delay(plan_, rank(), sends_++)).when();
  detail::HeldMessage message{to, tag, {bytes.begin(), bytes.end()}, nullptr};
  if (bytes.size() > eager_bytes) message.handed_over = std::make_shared<bool>(false);
  const std::shared_ptr<const bool> handed_over = message.handed_over;
  held_.hold(std::move(message), due);
  if (!handed_over) return Transfer();
  return Transfer(std::make_unique<HeldSend>(*this, handed_over));
}

inline void FaultyCommunicator::hand_over(TimePoint due_by) {
  while (auto message = held_.take_due(due_by)) {
    if (!is_cut_off_from(message->to)) {
      other_.post(message->to, message->tag, std::move(message->bytes));
    }
    if (message->handed_over) *message->handed_over = true;
  }
}

}  // namespace daig::comm
