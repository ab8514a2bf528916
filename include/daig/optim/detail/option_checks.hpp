#pragma once

/// Checks of what several optimisers take alike.

#include <cmath>

#include <fmt/format.h>

#include <daig/core/error.hpp>

namespace daig::optim::detail {

/// The part of a running mean that is kept from step to step. @throws UsageError unless in [0, 1).
inline void check_kept_part(const char* name, double part) {
  // Written so that NaN fails; and 1 - 1e-9 is 1 as a float, with which nothing is ever forgotten.
  if (part >= 0 && static_cast<float>(part) < 1) return;
  throw UsageError(
      fmt::format("{} {} makes no sense: it is the part of a running mean that is kept, in [0, 1)",
                  name, part));
}

/// The part of the last step that is kept. @throws UsageError unless in [0, 1).
inline void check_momentum(double momentum) {
  if (momentum >= 0 && static_cast<float>(momentum) < 1) return;
  throw UsageError(fmt::format(
      "momentum {} makes no sense: it is the part of the last step that is kept, in [0, 1)",
      momentum));
}

/// @throws UsageError unless it is above 0, as a float, too.
inline void check_epsilon(double epsilon) {
  if (static_cast<float>(epsilon) > 0 && std::isfinite(epsilon)) return;
  throw UsageError(fmt::format(
      "epsilon {} makes no sense: it keeps a division from being by zero, 1e-8 is usual", epsilon));
}

}  // namespace daig::optim::detail
