#pragma once

/// Nadam, which is Adam with Nesterov's momentum.
///
/// With g = scale * gradient_sum, and weight decay as in weight_decay.hpp, in step t = 1, 2, ...:
///
///     u(t) = beta1 * (1 - 0.96^(t * schedule_decay) / 2)          p(t) = u(1) * ... * u(t)
///     m = beta1 * m + (1 - beta1) * g          v = beta2 * v + (1 - beta2) * g^2
///     n = u(t + 1) * m / (1 - p(t + 1)) + (1 - u(t)) * g / (1 - p(t))
///     w' = w - rate * n / (sqrt(v / (1 - beta2^t)) + epsilon)
///
/// From Dozat, "Incorporating Nesterov momentum into Adam" (ICLR workshop 2016). Keras has a
/// schedule decay of 1 from 2.11 on, and had 0.004 before, as PyTorch has (its momentum_decay).

#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include <fmt/format.h>

#include <daig/core/error.hpp>
#include <daig/optim/detail/option_checks.hpp>
#include <daig/optim/optimizer.hpp>
#include <daig/optim/weight_decay.hpp>

namespace daig::optim {

struct NadamOptions {
  double beta1 = 0.9;    ///< in [0, 1)
  double beta2 = 0.999;  ///< in [0, 1)
  double epsilon = 1e-7;
  double schedule_decay = 1;  ///< in [0, 1]
  double weight_decay = 0;
  WeightDecay decay = WeightDecay::l2;
};

/// 0.96^exponent for an exponent in [0, 1], by additions, multiplications and divisions alone: the
/// C libraries' pow differ in the last bit, and all machines must agree, a replay's included.
inline double nadam_base(double exponent);

/// State: the arrays "nadam_m" and "nadam_v", 8 bytes a weight, and the scalars
/// "nadam_beta2_power", "nadam_base_power", which is 0.96^(t * schedule_decay), and
/// "nadam_momentum_product", which is p(t): running products instead of a step count, as in Adam.
class Nadam {
 public:
  /// @throws UsageError for options outside their range.
  Nadam(const NadamOptions& options, std::size_t size);

  void update(std::span<const float> weights, std::span<const float> gradient_sum, float scale,
              float learning_rate, std::span<float> new_weights);
  State state();

 private:
  NadamOptions options_;
  double base_;
  std::vector<float> mean_;
  std::vector<float> square_;
  double beta2_power_ = 1;
  double base_power_ = 1;
  double momentum_product_ = 1;
};

// ---------------------------------------------------------------------------------------------

inline double nadam_base(double exponent) {
  if (exponent == 1) return 0.96;
  // The series of exp; with |x| < 0.041, what it leaves out is far below the last bit.
  const double x = exponent * -0.040821994520255166;  // log(0.96)
  double sum = 1;
  for (int n = 12; n > 0; --n) sum = 1 + x * sum / n;
  return sum;
}

inline Nadam::Nadam(const NadamOptions& options, std::size_t size)
    : options_(options), mean_(size), square_(size) {
  detail::check_kept_part("beta1", options.beta1);
  detail::check_kept_part("beta2", options.beta2);
  detail::check_epsilon(options.epsilon);
  detail::check_weight_decay(options.weight_decay);
  if (!(options.schedule_decay >= 0 && options.schedule_decay <= 1)) {
    throw UsageError(fmt::format(
        "schedule decay {} makes no sense: it says how fast nadam's momentum rises, in [0, 1]",
        options.schedule_decay));
  }
  base_ = nadam_base(options.schedule_decay);
}

inline void Nadam::update(std::span<const float> weights, std::span<const float> gradient_sum,
                          float scale, float learning_rate, std::span<float> new_weights) {
  detail::expect_update_arguments(mean_.size(), weights, gradient_sum, new_weights);
  beta2_power_ *= options_.beta2;
  base_power_ *= base_;
  // Everything that is the same for all weights is computed once, in double.
  const double now = options_.beta1 * (1 - 0.5 * base_power_);
  const double next = options_.beta1 * (1 - 0.5 * (base_power_ * base_));
  momentum_product_ *= now;
  const double rate = learning_rate;
  const auto [l2, shrink] = detail::decay_factors(options_.weight_decay, options_.decay, rate);
  const auto beta1 = static_cast<float>(options_.beta1);
  const auto beta2 = static_cast<float>(options_.beta2);
  const auto rest1 = static_cast<float>(1 - options_.beta1);
  const auto rest2 = static_cast<float>(1 - options_.beta2);
  const auto of_mean = static_cast<float>(rate * next / (1 - momentum_product_ * next));
  const auto of_gradient = static_cast<float>(rate * (1 - now) / (1 - momentum_product_));
  const auto root_correction = static_cast<float>(1 / std::sqrt(1 - beta2_power_));
  const auto epsilon = static_cast<float>(options_.epsilon);
  float* const means = mean_.data();
  float* const squares = square_.data();
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const float gradient = scale * gradient_sum[i] + l2 * weights[i];
    const float mean = beta1 * means[i] + rest1 * gradient;
    const float square = beta2 * squares[i] + rest2 * (gradient * gradient);
    means[i] = mean;
    squares[i] = square;
    new_weights[i] = shrink * weights[i] - (of_mean * mean + of_gradient * gradient) /
                                               (std::sqrt(square) * root_correction + epsilon);
  }
}

inline State Nadam::state() {
  State state;
  state.arrays = {{"nadam_m", mean_}, {"nadam_v", square_}};
  state.scalars = {{"nadam_beta2_power", &beta2_power_},
                   {"nadam_base_power", &base_power_},
                   {"nadam_momentum_product", &momentum_product_}};
  return state;
}

}  // namespace daig::optim
