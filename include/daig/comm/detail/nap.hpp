#pragma once

/// Waiting for a backend that tells nobody of arrivals: give way, then nap, longer and longer.

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>

#include <sched.h>
#include <sys/prctl.h>

#include <daig/core/deadline.hpp>

namespace daig::comm::detail {

/// How long to sleep after having been idle for so long; zero means: only give way.
///
/// An eighth of the idle time, so that an arrival is seen at most that much late, between 20 us
/// (about what going to sleep costs) and 1 ms (a thousand polls a second, about 1 % of a core).
/// Giving way comes first, as a partner on the same core must run before it can answer.
constexpr Duration nap_after(Duration idle) {
  using std::chrono::microseconds;
  if (idle < microseconds(100)) return Duration::zero();
  return std::clamp<Duration>(idle / 8, microseconds(20), microseconds(1000));
}

/// The waiting of one rank. Threads: `wake` is for any thread, the rest for the rank's own.
class Napper {
 public:
  /// Something was sent, came in or ended: more is likely to follow soon.
  void active() { last_active_ = Clock::now(); }

  /// Gives the processor away for a moment, or until a `wake` since the last park.
  void park(Deadline until);
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

inline void Napper::park(Deadline until) {
  const Duration nap = std::min(nap_after(Clock::now() - last_active_), until.remaining());
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
