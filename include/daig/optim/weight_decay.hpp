#pragma once

/// Weight decay: how an optimiser pulls weights towards 0.

#include <cmath>

#include <fmt/format.h>

#include <daig/core/error.hpp>

namespace daig::optim {

/// What `weight_decay` means.
enum class WeightDecay {
  l2,        ///< weight_decay * w is added to the gradient, as in PyTorch (but for its AdamW)
  decoupled  ///< w -= rate * weight_decay * w besides the update, as in AdamW, and in all of
             ///< Keras's optimisers from 2.11 on; Loshchilov, Hutter, "Decoupled weight decay
             ///< regularization" (ICLR 2019)
};

namespace detail {

/// Both kinds in one form: the gradient is g + l2 * w, and the update starts from shrink * w.
struct DecayFactors {
  float l2 = 0;
  float shrink = 1;
};

inline DecayFactors decay_factors(double weight_decay, WeightDecay kind, double rate) {
  if (kind == WeightDecay::l2) return {.l2 = static_cast<float>(weight_decay)};
  return {.shrink = static_cast<float>(1 - rate * weight_decay)};
}

/// @throws UsageError unless it is a number from 0 on.
inline void check_weight_decay(double weight_decay) {
  if (weight_decay >= 0 && std::isfinite(weight_decay)) return;
  throw UsageError(fmt::format(
      "weight decay {} makes no sense: it pulls weights towards 0, as a number from 0 on",
      weight_decay));
}

}  // namespace detail
}  // namespace daig::optim
