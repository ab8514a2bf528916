#pragma once

/// Adam, AdamW and AMSGrad.
///
/// With g = scale * gradient_sum, in step t = 1, 2, ...:
///
///     m = beta1 * m + (1 - beta1) * g          v = beta2 * v + (1 - beta2) * g^2
///     w' = w - rate * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)
///
/// From Kingma, Ba, "Adam: a method for stochastic optimization" (ICLR 2015), algorithm 1; epsilon
/// stands outside the corrected square root as there and in PyTorch, or else before the correction,
/// sqrt(v) + epsilon, as in Keras (the paper's "epsilon hat"). Weight decay, see weight_decay.hpp,
/// is L2 in torch.optim.Adam; decoupled it makes AdamW. AMSGrad divides by the largest v so far
/// instead of v (Reddi, Kale, Kumar, "On the convergence of Adam and beyond", ICLR 2018; that v is
/// taken before the correction, as in PyTorch and Keras).

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include <daig/optim/detail/option_checks.hpp>
#include <daig/optim/optimizer.hpp>
#include <daig/optim/weight_decay.hpp>

namespace daig::optim {

struct AdamOptions {
  enum class Epsilon { after_correction, before_correction };

  double beta1 = 0.9;    ///< in [0, 1)
  double beta2 = 0.999;  ///< in [0, 1)
  double epsilon = 1e-8;
  Epsilon epsilon_place = Epsilon::after_correction;
  double weight_decay = 0;
  WeightDecay decay = WeightDecay::l2;  ///< decoupled makes it AdamW
  bool amsgrad = false;
};

/// State: the arrays "adam_m" and "adam_v", 8 bytes a weight, and for AMSGrad "adam_v_max", 4 bytes
/// more; the scalars "adam_beta1_power" and "adam_beta2_power". beta^t is kept as a running product
/// instead of a step count, for pow(beta, t) may differ between C libraries.
class Adam {
 public:
  /// @throws UsageError for options outside their range.
  Adam(const AdamOptions& options, std::size_t size);

  void update(std::span<const float> weights, std::span<const float> gradient_sum, float scale,
              float learning_rate, std::span<float> new_weights);
  State state();

 private:
  AdamOptions options_;
  std::vector<float> mean_;
  std::vector<float> square_;
  std::vector<float> largest_;  // empty but for AMSGrad
  double beta1_power_ = 1;
  double beta2_power_ = 1;
};

// ---------------------------------------------------------------------------------------------

inline Adam::Adam(const AdamOptions& options, std::size_t size)
    : options_(options), mean_(size), square_(size) {
  detail::check_kept_part("beta1", options.beta1);
  detail::check_kept_part("beta2", options.beta2);
  detail::check_epsilon(options.epsilon);
  detail::check_weight_decay(options.weight_decay);
  if (options.amsgrad) largest_.resize(size);
}

inline void Adam::update(std::span<const float> weights, std::span<const float> gradient_sum,
                         float scale, float learning_rate, std::span<float> new_weights) {
  detail::expect_update_arguments(mean_.size(), weights, gradient_sum, new_weights);
  beta1_power_ *= options_.beta1;
  beta2_power_ *= options_.beta2;
  // Everything that is the same for all weights is computed once, in double.
  const double rate = learning_rate;
  const auto beta1 = static_cast<float>(options_.beta1);
  const auto beta2 = static_cast<float>(options_.beta2);
  const auto rest1 = static_cast<float>(1 - options_.beta1);
  const auto rest2 = static_cast<float>(1 - options_.beta2);
  const auto step = static_cast<float>(rate / (1 - beta1_power_));
  const double correction = 1 / std::sqrt(1 - beta2_power_);
  const auto root_correction = static_cast<float>(correction);
  const bool corrected = options_.epsilon_place == AdamOptions::Epsilon::before_correction;
  const auto epsilon = static_cast<float>(options_.epsilon * (corrected ? correction : 1));
  const auto factors = detail::decay_factors(options_.weight_decay, options_.decay, rate);
  float* const means = mean_.data();
  float* const squares = square_.data();
  const auto pass = [&](auto&& divisor_square) {
    for (std::size_t i = 0; i < weights.size(); ++i) {
      const float gradient = scale * gradient_sum[i] + factors.l2 * weights[i];
      const float mean = beta1 * means[i] + rest1 * gradient;
      const float square = beta2 * squares[i] + rest2 * (gradient * gradient);
      means[i] = mean;
      squares[i] = square;
      new_weights[i] =
          factors.shrink * weights[i] -
          step * mean / (std::sqrt(divisor_square(i, square)) * root_correction + epsilon);
    }
  };
  if (largest_.empty()) return pass([](std::size_t, float square) { return square; });
  pass([largest = largest_.data()](std::size_t i, float square) {
    return largest[i] = std::max(largest[i], square);
  });
}

inline State Adam::state() {
  State state;
  state.arrays = {{"adam_m", mean_}, {"adam_v", square_}};
  if (options_.amsgrad) state.arrays.push_back({"adam_v_max", largest_});
  state.scalars = {{"adam_beta1_power", &beta1_power_}, {"adam_beta2_power", &beta2_power_}};
  return state;
}

}  // namespace daig::optim
