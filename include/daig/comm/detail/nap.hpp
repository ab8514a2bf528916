#pragma once

/// Waiting for a backend that tells nobody of arrivals: give way, then nap, longer and longer.

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>

#include <sched.h>
#include <sys/prctl.h>

#include <daig/comm/communicator.hpp>
#include <daig/core/deadline.hpp>

namespace daig::comm::detail {

/// How long to sleep after having been idle for so long; zero means: only give way.
///
/// A part of the idle time, so that an arrival is seen little later than it could be, up to 1 ms (a
/// thousand polls a second, 1 or 2 % of a core).
///
/// Promptly: giving way comes first, as a partner on the same core must run before it can answer;
/// for half a millisecond, or else a ring of ranks that share cores falls into a rhythm of naps in
/// which each waits for the others to wake (measured: 4 ranks on 2 cores then need 400 us for a
/// small all-reduce, instead of 30). Calmly: naps at once, since giving way takes the processor
/// from whoever computes on it.
constexpr Duration nap_after(Duration idle, Urgency urgency) {
  using std::chrono::microseconds;
  if (urgency == Urgency::calm) {
    return std::clamp<Duration>(idle / 4, microseconds(250), microseconds(1000));
  }
  if (idle < microseconds(500)) return Duration::zero();
  return std::min<Duration>(idle / 8, microseconds(1000));
}

/// The waiting of one rank. Threads: `wake` is for any thread, the rest for the rank's own.
class Napper {
 public:
  /// Something was sent, came in or ended: more is likely to follow soon.
  void active() { last_active_ = Clock::now(); }

  /// Gives the processor away for a moment, or until a `wake` since the last park.
  void park(Deadline until, Urgency urgency);
  void wake() noexcept;

 private:
  TimePoint last_active_ = Clock::now();
  std::mutex mutex_;
  std::condition_variable woken_up_;
  bool woken_ = false;
};

/// Linux rounds sleeps up by 50 us unless asked not to; asked once for each thread.
inline void make_sleeps_exact() {
  thread_local const int asked = ::prctl(PR_SET_TIMERSLACK, 1UL);
  static_cast<void>(asked);  // where it is refused, naps are 50 us longer, and all else is the same
}

// ---------------------------------------------------------------------------------------------

inline void Napper::park(Deadline until, Urgency urgency) {
  const Duration nap = std::min(nap_after(Clock::now() - last_active_, urgency), until.remaining());
  std::unique_lock lock(mutex_);
  if (nap <= Duration::zero()) {
    if (!woken_) {
      lock.unlock();
      ::sched_yield();
      lock.lock();
    }
  } else {
    make_sleeps_exact();
    woken_up_.wait_for(lock, nap, [this] { return woken_; });
  }
  woken_ = false;
}

inline void Napper::wake() noexcept {
  {
    const std::lock_guard lock(mutex_);
    woken_ = true;
  }
  woken_up_.notify_one();
}

}  // namespace daig::comm::detail
