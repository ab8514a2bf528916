// The bodies of comm/faulty.hpp.

#pragma once

#include <daig/comm/faulty.hpp>
#include <daig/core/inline.hpp>

namespace daig::comm {

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

DAIG_INLINE FaultyCommunicator::~FaultyCommunicator() {
  if (is_killed()) held_.drop_unfinished();
  hand_over(TimePoint::max());
}

DAIG_INLINE void FaultyCommunicator::kill() {
  {
    const std::lock_guard lock(mutex_);
    killed_ = true;
  }
  changed_.notify_one();
  other_.wake();
}

DAIG_INLINE void FaultyCommunicator::freeze(Deadline until) {
  const std::lock_guard lock(mutex_);
  frozen_until_ = until;
}

DAIG_INLINE void FaultyCommunicator::cut(Deadline until) {
  const std::lock_guard lock(mutex_);
  cut_until_ = until;
}

DAIG_INLINE void FaultyCommunicator::heal() {
  {
    const std::lock_guard lock(mutex_);
    frozen_until_ = cut_until_ = Deadline::at(TimePoint::min());
  }
  changed_.notify_one();
}

DAIG_INLINE Transfer FaultyCommunicator::send(Rank to, Tag tag, std::span<const std::byte> bytes) {
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

DAIG_INLINE Transfer FaultyCommunicator::receive(Rank from, Tag tag, std::span<std::byte> bytes) {
  expects(from.value() >= 0 && from.value() < size(), "a rank of this communicator");
  Transfer other = begin_operation() ? other_.receive(from, tag, bytes) : Transfer();
  return Transfer(std::make_unique<Receive>(*this, from, std::move(other)));
}

DAIG_INLINE std::optional<Message> FaultyCommunicator::take(Tag tag, std::size_t max_bytes) {
  if (!begin_operation()) return std::nullopt;
  while (auto message = other_.take(tag, max_bytes)) {
    if (!is_cut_off_from(message->from)) return message;
  }
  return std::nullopt;
}

DAIG_INLINE void FaultyCommunicator::park(Deadline until, Urgency urgency) {
  if (!begin_operation()) return;
  other_.park(std::min(until, Deadline::at(held_.next_due())), urgency);
  alive();
}

DAIG_INLINE void FaultyCommunicator::nudge(Rank rank) noexcept {
  if (!is_killed() && !is_cut_off_from(rank)) other_.nudge(rank);
}

DAIG_INLINE bool FaultyCommunicator::begin_operation() {
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
DAIG_INLINE bool FaultyCommunicator::alive() {
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

DAIG_INLINE void FaultyCommunicator::stand_still() {
  std::unique_lock lock(mutex_);
  while (!killed_ && !frozen_until_.expired()) changed_.wait_until(lock, frozen_until_.when());
}

DAIG_INLINE bool FaultyCommunicator::is_killed() {
  const std::lock_guard lock(mutex_);
  return killed_;
}

/// No cable leads from a rank to itself.
DAIG_INLINE bool FaultyCommunicator::is_cut_off_from(Rank peer) {
  const std::lock_guard lock(mutex_);
  return peer != rank() && !cut_until_.expired();
}

DAIG_INLINE Transfer FaultyCommunicator::hold(Rank to, Tag tag, std::span<const std::byte> bytes) {
  const TimePoint due = Deadline::in(send_delay(plan_, rank(), sends_++)).when();
  detail::HeldMessage message{to, tag, {bytes.begin(), bytes.end()}, nullptr};
  if (bytes.size() > eager_bytes) message.handed_over = std::make_shared<bool>(false);
  const std::shared_ptr<const bool> handed_over = message.handed_over;
  held_.hold(std::move(message), due);
  if (!handed_over) return Transfer();
  return Transfer(std::make_unique<HeldSend>(*this, handed_over));
}

DAIG_INLINE void FaultyCommunicator::hand_over(TimePoint due_by) {
  while (auto message = held_.take_due(due_by)) {
    if (!is_cut_off_from(message->to)) {
      other_.post(message->to, message->tag, std::move(message->bytes));
    }
    if (message->handed_over) *message->handed_over = true;
  }
}

}  // namespace daig::comm
