#pragma once

/// What queueing theory says about the mean time of a step, as far as it is known in closed form.
///
/// P volunteers, each batch takes an independent time X; H_n is the n-th harmonic number. From
/// Dutta, Joshi, Ghosh, Dube, Nagpurkar, "Slow and Stale Gradients Can Win the Race" (AISTATS
/// 2018), but for the named shards, which are the make-span of K jobs on C machines.

#include <cmath>
#include <cstdint>
#include <optional>

#include <daig/control/service_law.hpp>

namespace k_batch {

using daig::control::ServiceLaw;

/// Between which times the mean lies; the same twice where it is known.
struct Expected {
  double least_s;
  double most_s;
};

inline double harmonic(std::uint64_t n) {
  double sum = 0;
  for (; n > 0; --n) sum += 1 / static_cast<double>(n);
  return sum;
}

/// Mean of the k-th least of n values.
inline double order_statistic_s(const ServiceLaw& law, std::uint64_t k, std::uint64_t n) {
  if (law.shape == ServiceLaw::Shape::exponential) {
    return law.shift_s + (harmonic(n) - harmonic(n - k)) / law.rate;
  }
  // Pareto: shift * B(n-k+1-1/tail, k) / B(n-k+1, k).
  const auto above = static_cast<double>(n - k + 1);
  const auto all = static_cast<double>(n + 1);
  return law.shift_s * std::exp(std::lgamma(above - 1 / law.tail) - std::lgamma(above) +
                                std::lgamma(all) - std::lgamma(all - 1 / law.tail));
}

/// The first K of P volunteers, one batch each. Not defined for K > P.
inline std::optional<Expected> k_sync(const ServiceLaw& law, std::uint64_t volunteers,
                                      std::uint64_t k) {
  if (k > volunteers) return std::nullopt;
  const double mean_s = order_statistic_s(law, k, volunteers);
  return Expected{mean_s, mean_s};
}

/// The first K batches from anyone; all start afresh. Exact for exponential times; with a shift,
/// K E[X] / P <= E[T] <= K E[X] / P + shift (1 - 1/P); the first of all for K = 1.
inline std::optional<Expected> k_batch_sync(const ServiceLaw& law, std::uint64_t volunteers,
                                            std::uint64_t k) {
  if (k == 1) return k_sync(law, volunteers, 1);
  if (law.shape != ServiceLaw::Shape::exponential) return std::nullopt;
  const auto p = static_cast<double>(volunteers);
  const double least_s = static_cast<double>(k) * law.mean_s() / p;
  return Expected{least_s, least_s + law.shift_s * (1 - 1 / p)};
}

/// K batches that must all come in, computed by C volunteers. Exponential without a shift: while
/// more than C are open, C work, (K - C) / (C mu); then one less each time, H_C / mu. With as many
/// volunteers as batches: the slowest of them.
inline std::optional<Expected> named_shards(const ServiceLaw& law, std::uint64_t contributors,
                                            std::uint64_t k) {
  double mean_s = 0;
  if (k <= contributors) {
    mean_s = order_statistic_s(law, k, k);
  } else if (law.shape == ServiceLaw::Shape::exponential && law.shift_s == 0) {
    const auto c = static_cast<double>(contributors);
    mean_s = ((static_cast<double>(k) - c) / c + harmonic(contributors)) / law.rate;
  } else {
    return std::nullopt;
  }
  return Expected{mean_s, mean_s};
}

}  // namespace k_batch
