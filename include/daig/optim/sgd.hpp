#pragma once

/// Stochastic gradient descent, with momentum.
///
/// With g = scale * gradient_sum, and weight decay as in weight_decay.hpp:
///
///     no momentum   w' = w - rate * g
///     momentum      v' = momentum * v + g     w' = w - rate * v'
///     nesterov      v' = momentum * v + g     w' = w - rate * (g + momentum * v')
///
/// This is PyTorch's form (torch.optim.SGD, dampening 0): v is in units of the gradient, and v
/// starts at 0; a new rate takes hold at once. Keras keeps steps instead, s' = momentum * s + rate
/// * g, of which w' = w - s', or nesterov w' = w - (rate * g + momentum * s'): the same walk while
/// the rate is constant. After Sutskever, Martens, Dahl, Hinton, "On the importance of
/// initialization and momentum in deep learning" (ICML 2013).

#include <cstddef>
#include <span>
#include <vector>

#include <daig/core/error.hpp>
#include <daig/optim/detail/option_checks.hpp>
#include <daig/optim/optimizer.hpp>
#include <daig/optim/weight_decay.hpp>

namespace daig::optim {

struct SgdOptions {
  enum class Velocity { of_gradients, of_steps };

  double momentum = 0;  ///< in [0, 1)
  bool nesterov = false;
  double weight_decay = 0;
  WeightDecay decay = WeightDecay::l2;
  Velocity velocity = Velocity::of_gradients;  ///< of_steps: Keras's form
};

/// State: if there is momentum, the array "momentum", or "momentum_steps" for the velocity of
/// steps; 4 bytes a weight.
class Sgd {
 public:
  /// @throws UsageError for options outside their range.
  Sgd(const SgdOptions& options, std::size_t size);

  void update(std::span<const float> weights, std::span<const float> gradient_sum, float scale,
              float learning_rate, std::span<float> new_weights);
  State state();

 private:
  SgdOptions options_;
  std::size_t size_;
  std::vector<float> velocity_;  // empty without momentum
};

// ---------------------------------------------------------------------------------------------

inline Sgd::Sgd(const SgdOptions& options, std::size_t size) : options_(options), size_(size) {
  detail::check_momentum(options.momentum);
  detail::check_weight_decay(options.weight_decay);
  const bool has_momentum = static_cast<float>(options.momentum) != 0;
  if (options.nesterov && !has_momentum) {
    throw UsageError("nesterov needs momentum, which is 0: set it, 0.9 for instance");
  }
  if (has_momentum) velocity_.resize(size);
}

inline void Sgd::update(std::span<const float> weights, std::span<const float> gradient_sum,
                        float scale, float learning_rate, std::span<float> new_weights) {
  detail::expect_update_arguments(size_, weights, gradient_sum, new_weights);
  const auto [l2, shrink] =
      detail::decay_factors(options_.weight_decay, options_.decay, learning_rate);
  if (velocity_.empty()) {
    for (std::size_t i = 0; i < size_; ++i) {
      const float gradient = scale * gradient_sum[i] + l2 * weights[i];
      new_weights[i] = shrink * weights[i] - learning_rate * gradient;
    }
    return;
  }
  const auto momentum = static_cast<float>(options_.momentum);
  const bool of_steps = options_.velocity == SgdOptions::Velocity::of_steps;
  const float rate_inside = of_steps ? learning_rate : 1;
  const float rate_outside = of_steps ? 1 : learning_rate;
  for (std::size_t i = 0; i < size_; ++i) {
    const float gradient = rate_inside * (scale * gradient_sum[i] + l2 * weights[i]);
    const float velocity = momentum * velocity_[i] + gradient;
    velocity_[i] = velocity;
    const float direction = options_.nesterov ? gradient + momentum * velocity : velocity;
    new_weights[i] = shrink * weights[i] - rate_outside * direction;
  }
}

inline State Sgd::state() {
  const bool of_steps = options_.velocity == SgdOptions::Velocity::of_steps;
  State state;
  if (!velocity_.empty()) {
    state.arrays.push_back({of_steps ? "momentum_steps" : "momentum", velocity_});
  }
  return state;
}

}  // namespace daig::optim
