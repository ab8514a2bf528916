#pragma once

/// How long a simulated volunteer computes one batch.

#include <cmath>
#include <string>

#include <daig/core/error.hpp>
#include <daig/core/random.hpp>

namespace daig::control {

/// A distribution of service times, in seconds.
struct ServiceLaw {
  enum class Shape {
    exponential,  ///< shift + Exp(rate): what every batch takes, and a memoryless rest
    pareto        ///< shift / U^(1 / tail): rare, very long times, as on machines others use too
  };

  Shape shape = Shape::exponential;
  double shift_s = 0;  ///< the least service time
  double rate = 1;     ///< exponential: 1 / (mean of the rest)
  double tail = 2;     ///< pareto: P(X > x) = (shift / x)^tail

  double draw(Random& random) const;
  double mean_s() const;
  /// @throws UsageError when the numbers make no distribution with a mean.
  void check() const;
};

// ---------------------------------------------------------------------------------------------

inline double ServiceLaw::draw(Random& random) const {
  if (shape == Shape::exponential) return shift_s + random.exponential(rate);
  return shift_s * std::exp(random.exponential(tail));  // log of a Pareto value is exponential
}

inline double ServiceLaw::mean_s() const {
  if (shape == Shape::exponential) return shift_s + 1 / rate;
  return shift_s * tail / (tail - 1);
}

inline void ServiceLaw::check() const {
  if (!std::isfinite(shift_s) || shift_s < 0) {
    throw UsageError("the shift is the least service time: give a number of seconds, not below 0");
  }
  if (shape == Shape::exponential && !(std::isfinite(rate) && rate > 0)) {
    throw UsageError("the rate is batches a second of an exponential time: give a number above 0");
  }
  if (shape == Shape::pareto && shift_s <= 0) {
    throw UsageError("a Pareto time is a multiple of the shift: give a shift above 0");
  }
  if (shape == Shape::pareto && !(std::isfinite(tail) && tail > 1)) {
    throw UsageError("a Pareto time with a tail of 1 or less has no mean: give a tail above 1");
  }
}

}  // namespace daig::control
