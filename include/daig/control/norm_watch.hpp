#pragma once

/// Which gradients are not to be believed, going by their norms.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>

namespace daig::control {

/// The bound that follows from the norms of the gradients accepted so far: some times the median of
/// the last ones, and of the greatest such median of the run, since where training has nearly
/// converged most gradients vanish, and a rare one that does not is no fault. (What is wrong and
/// has a plausible norm is not found this way.)
class NormWatch {
 public:
  /// @param factor  how many times the median a norm may be
  explicit NormWatch(double factor) : factor_(factor) {}

  /// The norm of an accepted gradient.
  void add(double norm);
  /// Beyond it, and when it is no number, a gradient is refused. Without a bound (infinite) until a
  /// few were accepted.
  double bound() const { return bound_; }
  bool believes(double norm) const { return std::isfinite(norm) && norm >= 0 && norm <= bound_; }

 private:
  static constexpr std::size_t enough = 8;

  double factor_;
  std::array<double, 31> recent_{};
  std::size_t added_ = 0;
  double greatest_median_ = 0;
  double bound_ = std::numeric_limits<double>::infinity();
};

// ---------------------------------------------------------------------------------------------

/// The bound is made anew with every eighth norm only: it need not be of the last moment.
inline void NormWatch::add(double norm) {
  recent_[added_ % recent_.size()] = norm;
  ++added_;
  if (added_ % enough != 0) return;
  auto sorted = recent_;
  const std::size_t known = std::min(added_, recent_.size());
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(known / 2);
  std::nth_element(sorted.begin(), middle, sorted.begin() + static_cast<std::ptrdiff_t>(known));
  greatest_median_ = std::max(greatest_median_, *middle);
  if (greatest_median_ > 0) bound_ = factor_ * greatest_median_;
}

}  // namespace daig::control
