#pragma once

/// How long a member may be silent before it is taken for lost.

#include <algorithm>
#include <chrono>
#include <cstdlib>

#include <daig/core/deadline.hpp>

namespace daig::control {

/// What was heard of one member, and when. The patience with it adapts to what was measured, as
/// TCP's retransmission timer does (Jacobson, "Congestion avoidance and control", SIGCOMM 1988):
/// the mean time between two signs of life, and four times its mean deviation, on top of two
/// heartbeats, since a member that has nothing to say is silent for one.
class Liveness {
 public:
  explicit Liveness(Duration now = Duration::zero()) : last_(now) {}

  void heard(Duration now);
  Duration last() const { return last_; }

  /// Between half the limit and the limit.
  Duration patience(Duration heartbeat, Duration limit) const;

 private:
  Duration last_;
  std::chrono::duration<double> mean_{};
  std::chrono::duration<double> deviation_{};
};

// ---------------------------------------------------------------------------------------------

inline void Liveness::heard(Duration now) {
  const std::chrono::duration<double> gap = now - last_;
  const auto error = gap - mean_;
  mean_ += error / 8;
  deviation_ += (std::chrono::abs(error) - deviation_) / 4;
  last_ = now;
}

inline Duration Liveness::patience(Duration heartbeat, Duration limit) const {
  using Seconds = std::chrono::duration<double>;
  const Seconds most = limit;
  const Seconds wanted = 2 * Seconds(heartbeat) + mean_ + 4 * deviation_;
  return std::chrono::duration_cast<Duration>(std::clamp(wanted, most / 2, most));
}

}  // namespace daig::control
