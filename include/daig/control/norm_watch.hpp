#pragma once

/// Which gradients are not to be believed, going by their norms.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>

namespace daig::control {

/// The norms of the last accepted gradients, and the bound that follows from them. A gradient with
/// one bad value can undo a whole run; a norm far from all others' tells of it. (What is wrong and
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
  bound_ = *middle > 0 ? factor_ * *middle : std::numeric_limits<double>::infinity();
}

}  // namespace daig::control
