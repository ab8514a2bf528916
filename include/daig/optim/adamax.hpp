#pragma once

/// Adamax, which is Adam with the infinity norm.
///
/// With g = scale * gradient_sum, and weight decay as in weight_decay.hpp, in step t = 1, 2, ...:
///
///     m = beta1 * m + (1 - beta1) * g          u = max(beta2 * u, |g|)
///     w' = w - rate / (1 - beta1^t) * m / (u + epsilon)
///
/// From Kingma, Ba, "Adam: a method for stochastic optimization" (ICLR 2015), algorithm 2, with
/// Keras's epsilon, without which a weight whose gradients are all 0 would be lost.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include <daig/optim/detail/option_checks.hpp>
#include <daig/optim/optimizer.hpp>
#include <daig/optim/weight_decay.hpp>

namespace daig::optim {

struct AdamaxOptions {
  double beta1 = 0.9;    ///< in [0, 1)
  double beta2 = 0.999;  ///< in [0, 1)
  double epsilon = 1e-7;
  double weight_decay = 0;
  WeightDecay decay = WeightDecay::l2;
};

/// State: the arrays "adamax_m" and "adamax_u", 8 bytes a weight, and the scalar
/// "adamax_beta1_power", a running product as in Adam.
class Adamax {
 public:
  /// @throws UsageError for options outside their range.
  Adamax(const AdamaxOptions& options, std::size_t size);

  void update(std::span<const float> weights, std::span<const float> gradient_sum, float scale,
              float learning_rate, std::span<float> new_weights);
  State state();

 private:
  AdamaxOptions options_;
  std::vector<float> mean_;
  std::vector<float> norm_;
  double beta1_power_ = 1;
};

// ---------------------------------------------------------------------------------------------

inline Adamax::Adamax(const AdamaxOptions& options, std::size_t size)
    : options_(options), mean_(size), norm_(size) {
  detail::check_kept_part("beta1", options.beta1);
  detail::check_kept_part("beta2", options.beta2);
  detail::check_epsilon(options.epsilon);
  detail::check_weight_decay(options.weight_decay);
}

inline void Adamax::update(std::span<const float> weights, std::span<const float> gradient_sum,
                           float scale, float learning_rate, std::span<float> new_weights) {
  detail::expect_update_arguments(mean_.size(), weights, gradient_sum, new_weights);
  beta1_power_ *= options_.beta1;
  const double rate = learning_rate;
  const auto [l2, shrink] = detail::decay_factors(options_.weight_decay, options_.decay, rate);
  const auto beta1 = static_cast<float>(options_.beta1);
  const auto beta2 = static_cast<float>(options_.beta2);
  const auto rest1 = static_cast<float>(1 - options_.beta1);
  const auto step = static_cast<float>(rate / (1 - beta1_power_));
  const auto epsilon = static_cast<float>(options_.epsilon);
  float* const means = mean_.data();
  float* const norms = norm_.data();
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const float gradient = scale * gradient_sum[i] + l2 * weights[i];
    const float mean = beta1 * means[i] + rest1 * gradient;
    const float norm = std::max(beta2 * norms[i], std::abs(gradient));
    means[i] = mean;
    norms[i] = norm;
    new_weights[i] = shrink * weights[i] - step * mean / (norm + epsilon);
  }
}

inline State Adamax::state() {
  State state;
  state.arrays = {{"adamax_m", mean_}, {"adamax_u", norm_}};
  state.scalars = {{"adamax_beta1_power", &beta1_power_}};
  return state;
}

}  // namespace daig::optim
