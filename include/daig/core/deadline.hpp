#pragma once

/// Deadlines: every wait in DAIG has one, and there is no way to write "for ever".

#include <chrono>
#include <compare>

namespace daig {

using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;
using Duration = Clock::duration;

/// A point in time until which something is waited for.
class Deadline {
 public:
  static Deadline at(TimePoint when) { return Deadline(when); }
  /// A wait that the clock cannot tell ends at the clock's last moment.
  static Deadline in(Duration from_now);

  TimePoint when() const { return when_; }
  bool expired() const { return Clock::now() >= when_; }
  /// Time left, never negative.
  Duration remaining() const;

  friend auto operator<=>(const Deadline&, const Deadline&) = default;

 private:
  explicit Deadline(TimePoint when) : when_(when) {}

  TimePoint when_;
};

/// Seconds as a double, for reports and rates.
inline double seconds(Duration duration);

// ---------------------------------------------------------------------------------------------

inline Deadline Deadline::in(Duration from_now) {
  const TimePoint now = Clock::now();
  return Deadline(from_now < TimePoint::max() - now ? now + from_now : TimePoint::max());
}

inline Duration Deadline::remaining() const {
  const TimePoint now = Clock::now();
  return now < when_ ? when_ - now : Duration::zero();
}

inline double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace daig
