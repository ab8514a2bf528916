#pragma once

/// The factors by which values are dropped.

#include <cstdint>
#include <span>
#include <string>

#include <daig/core/error.hpp>
#include <daig/core/random.hpp>

namespace daig::nn {

/// @throws UsageError for a rate that is not in [0, 1).
inline void check_dropout_rate(double rate) {
  if (rate >= 0 && rate < 1) return;
  throw UsageError("a dropout rate of " + std::to_string(rate) +
                   " makes no sense: it is the share of values to drop, from 0 to below 1");
}

/// Each factor becomes 0 at this rate, else 1 / (1 - rate). Cost: a random word a factor.
template <class T>
void draw_dropout(Random& random, double rate, std::span<T> factors) {
  const T kept = static_cast<T>(1 / (1 - rate));
  const auto threshold = static_cast<std::uint32_t>(rate * 0x1p32);
  for (T& factor : factors) factor = random() < threshold ? T{0} : kept;
}

}  // namespace daig::nn
