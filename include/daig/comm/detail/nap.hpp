#pragma once

/// Waiting for a backend that tells nobody of arrivals: give way, then nap, longer and longer.

#include <algorithm>
#include <chrono>
#include <cstdint>

#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <daig/comm/communicator.hpp>
#include <daig/comm/detail/bell.hpp>
#include <daig/core/deadline.hpp>

namespace daig::comm::detail {

/// How long to sleep after having been idle for so long; zero means: only give way.
///
/// Soon: a part of the idle time, so that an arrival is seen little later than it could be, up to
/// 1 ms (a thousand polls a second, 1 or 2 % of a core). Calmly: long at once, since every poll
/// takes the processor, and its cache, from whoever computes on it. Nudged: calmly, where naps are
/// long because all others are within earshot; soon, where some are not.
///
/// Promptly: giving way comes first, as a partner on the same core must run before it can answer;
/// for half a millisecond, or else a ring of ranks that share cores falls into a rhythm of naps in
/// which each waits for the others to wake (measured: 4 ranks on 2 cores then need 400 us for a
/// small all-reduce, instead of 30).
constexpr Duration nap_after(Duration idle, Urgency urgency, Duration calm) {
  using std::chrono::microseconds;
  constexpr Duration longest = microseconds(1000);
  switch (urgency) {
    case Urgency::prompt:
      return idle < microseconds(500) ? Duration::zero() : std::min(idle / 8, longest);
    case Urgency::soon:
      return std::clamp<Duration>(idle / 4, microseconds(50), longest);
    case Urgency::nudged:
      return calm > longest ? calm : nap_after(idle, Urgency::soon, calm);
    case Urgency::calm:
      break;
  }
  return calm;
}

/// The waiting of one rank. Threads: `wake` is for any thread, the rest for the rank's own.
class Napper {
 public:
  /// How long a calm nap may be: as long as nobody minds what arrives meanwhile.
  void set_calm(Duration calm) { calm_ = calm; }

  /// Something was sent, came in or ended: more is likely to follow soon.
  void active() { last_active_ = Clock::now(); }

  /// Gives the processor away for a moment, or until a `wake` since the last park.
  void park(Deadline until, Urgency urgency);
  void wake() noexcept { bell_.ring(); }

  Bell& bell() { return bell_; }

 private:
  Duration calm_ = std::chrono::milliseconds(1);
  TimePoint last_active_ = Clock::now();
  Bell bell_;
};

/// Tells Linux that this thread never runs for long at a time, so that it goes before those that
/// do. Since version 6.6, Linux lets a thread that wakes up wait for another's turn of milliseconds
/// otherwise; since 6.12 it can be told (older ones take no notice).
inline void take_short_turns() {
  struct {  // sched_attr of sched_setattr(2), which the C library does not declare
    std::uint32_t size, policy;
    std::uint64_t flags;
    std::int32_t nice;
    std::uint32_t priority;
    std::uint64_t runtime, deadline, period;
  } attributes{};
  attributes.size = sizeof attributes;
  if (::syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0) != 0) return;
  if (attributes.policy != SCHED_OTHER) return;
  attributes.runtime = 100'000;  // ns, the least
  ::syscall(SYS_sched_setattr, 0, &attributes, 0);
}

/// Asks the kernel, once for each thread, to let it run as soon as it wakes up. What is refused
/// only makes waiting longer.
inline void wake_up_quickly() {
  thread_local const bool asked = [] {
    ::prctl(PR_SET_TIMERSLACK, 1UL);  // or else Linux rounds sleeps up by 50 us
    take_short_turns();
    return true;
  }();
  static_cast<void>(asked);
}

// ---------------------------------------------------------------------------------------------

inline void Napper::park(Deadline until, Urgency urgency) {
  const Duration idle = Clock::now() - last_active_;
  const Duration nap = std::min(nap_after(idle, urgency, calm_), until.remaining());
  if (nap > Duration::zero()) {
    wake_up_quickly();
    bell_.sleep(nap);
  } else if (!bell_.has_rung()) {
    ::sched_yield();
  }
}

}  // namespace daig::comm::detail
