#pragma once

/// RMSprop.
///
/// With g = scale * gradient_sum, and weight decay as in weight_decay.hpp:
///
///     v = rho * v + (1 - rho) * g^2            centered: a = rho * a + (1 - rho) * g
///     d = g / sqrt(v + epsilon)                centered: d = g / sqrt(v - a^2 + epsilon)
///     w' = w - rate * d                        momentum: s = momentum * s + rate * d    w' = w - s
///
/// From Tieleman, Hinton, "Lecture 6.5: RMSProp" (Coursera, 2012), and centered from Graves,
/// "Generating sequences with recurrent neural networks" (2013), in the form of Keras from 2.11 on.
/// Before, Keras took sqrt(v) + epsilon, as PyTorch does: epsilon outside of the root. v - a^2 is
/// no less than 0, but for rounding: what comes out below counts as 0.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include <daig/optim/detail/option_checks.hpp>
#include <daig/optim/optimizer.hpp>
#include <daig/optim/weight_decay.hpp>

namespace daig::optim {

struct RmspropOptions {
  enum class Epsilon { inside_root, outside_root };

  double rho = 0.9;     ///< in [0, 1)
  double momentum = 0;  ///< in [0, 1)
  double epsilon = 1e-7;
  Epsilon epsilon_place = Epsilon::inside_root;
  bool centered = false;
  double weight_decay = 0;
  WeightDecay decay = WeightDecay::l2;
};

/// State: the array "rmsprop_v"; with momentum "rmsprop_momentum"; centered "rmsprop_mean"; 4 bytes
/// a weight each.
class Rmsprop {
 public:
  /// @throws UsageError for options outside their range.
  Rmsprop(const RmspropOptions& options, std::size_t size);

  void update(std::span<const float> weights, std::span<const float> gradient_sum, float scale,
              float learning_rate, std::span<float> new_weights);
  State state();

 private:
  RmspropOptions options_;
  std::vector<float> square_;
  std::vector<float> momentum_;  // empty without
  std::vector<float> mean_;      // empty unless centered
};

// ---------------------------------------------------------------------------------------------

inline Rmsprop::Rmsprop(const RmspropOptions& options, std::size_t size)
    : options_(options), square_(size) {
  detail::check_kept_part("rho", options.rho);
  detail::check_momentum(options.momentum);
  detail::check_epsilon(options.epsilon);
  detail::check_weight_decay(options.weight_decay);
  if (static_cast<float>(options.momentum) != 0) momentum_.resize(size);
  if (options.centered) mean_.resize(size);
}

inline void Rmsprop::update(std::span<const float> weights, std::span<const float> gradient_sum,
                            float scale, float learning_rate, std::span<float> new_weights) {
  detail::expect_update_arguments(square_.size(), weights, gradient_sum, new_weights);
  const auto [l2, shrink] =
      detail::decay_factors(options_.weight_decay, options_.decay, learning_rate);
  const auto rho = static_cast<float>(options_.rho);
  const auto rest = static_cast<float>(1 - options_.rho);
  const auto momentum = static_cast<float>(options_.momentum);
  const auto epsilon = static_cast<float>(options_.epsilon);
  const bool inside = options_.epsilon_place == RmspropOptions::Epsilon::inside_root;
  const float inner = inside ? epsilon : 0;
  const float outer = inside ? 0 : epsilon;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const float gradient = scale * gradient_sum[i] + l2 * weights[i];
    const float square = rho * square_[i] + rest * (gradient * gradient);
    square_[i] = square;
    float spread = square;
    if (!mean_.empty()) {
      const float mean = rho * mean_[i] + rest * gradient;
      mean_[i] = mean;
      spread = std::max(square - mean * mean, 0.0F);
    }
    float step = learning_rate * gradient / (std::sqrt(spread + inner) + outer);
    if (!momentum_.empty()) {
      step += momentum * momentum_[i];
      momentum_[i] = step;
    }
    new_weights[i] = shrink * weights[i] - step;
  }
}

inline State Rmsprop::state() {
  State state;
  state.arrays = {{"rmsprop_v", square_}};
  if (!momentum_.empty()) state.arrays.push_back({"rmsprop_momentum", momentum_});
  if (!mean_.empty()) state.arrays.push_back({"rmsprop_mean", mean_});
  return state;
}

}  // namespace daig::optim
