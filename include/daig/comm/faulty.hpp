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

}  // namespace daig::comm

#ifndef DAIG_COMPILED
#include <daig/comm/detail/faulty.ipp>
#endif
