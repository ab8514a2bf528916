#pragma once

/// Deadlines: every wait in DAIG has one, and there is no way to write "for ever".

#include <algorithm>
#include <chrono>

namespace daig {

using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;
using Duration = Clock::duration;

/// A point in time until which something is waited for.
class Deadline {
 public:
  static Deadline at(TimePoint when) { return Deadline(when); }
  static Deadline in(Duration from_now) { return Deadline(Clock::now() + from_now); }

  TimePoint when() const { return when_; }
  bool expired() const { return Clock::now() >= when_; }
  /// Time left, never negative.
  Duration remaining() const { return std::max(Duration::zero(), when_ - Clock::now()); }

  friend auto operator<=>(const Deadline&, const Deadline&) = default;

 private:
  explicit Deadline(TimePoint when) : when_(when) {}

  TimePoint when_;
};

/// Seconds as a double, for reports and rates.
inline double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace daig
