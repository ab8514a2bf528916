#pragma once

/// The coordinator's choices, each a small function with a name.

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace daig::control {

/// What may be granted within a step.
enum class Supply {
  any_k,   ///< K-batch-sync: tickets without end, the first K batches close the step
  named_k  ///< the original DAIG's rule: K tickets, all of which must come in
};

/// Most batches of a step that one of `volunteers` may bank. balance 0: no cap, pure K-batch-sync;
/// balance 1: equal shares, which for K <= volunteers is K-sync; linear between.
inline std::uint64_t share_cap(std::uint64_t k, double balance, std::uint64_t volunteers) {
  const auto total = static_cast<double>(k);
  const double equal = total / static_cast<double>(std::max<std::uint64_t>(volunteers, 1));
  return static_cast<std::uint64_t>(std::ceil(total - balance * (total - equal) - 1e-9));
}

/// Seconds until a ticket is overdue: four mean service times for every batch that the volunteer is
/// to compute up to and including it; at least a tenth of a second, so that a hiccup is not taken
/// for a straggler, and at most a day. The mean is the run's, not the volunteer's: a straggler is
/// slow by the others' measure. Before anything was measured, `first_s`.
inline double ticket_deadline_s(double mean_service_s, std::uint64_t batches_in_hand,
                                double first_s = 30.0) {
  if (mean_service_s <= 0) return first_s;
  return std::clamp(4 * mean_service_s * static_cast<double>(batches_in_hand), 0.1, 86'400.0);
}

/// A running mean that forgets: the newest value weighs 1/16. What no clock can have measured
/// (negative, infinite, not a number) is left out.
class ServiceTime {
 public:
  void add(double service_s);
  /// What was not waited for took this long, or longer.
  void at_least(double service_s) { mean_s_ = std::max(mean_s_, service_s); }
  /// 0 until something was measured.
  double mean_s() const { return mean_s_; }

 private:
  double mean_s_ = 0;
};

// ---------------------------------------------------------------------------------------------

inline void ServiceTime::add(double service_s) {
  if (!std::isfinite(service_s) || service_s < 0) return;
  mean_s_ = mean_s_ == 0 ? service_s : mean_s_ + (service_s - mean_s_) / 16;
}

}  // namespace daig::control
