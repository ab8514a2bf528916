#pragma once

/// Adagrad.
///
/// With g = scale * gradient_sum, and weight decay as in weight_decay.hpp:
///
///     a = a + g^2          w' = w - rate * g / sqrt(a + epsilon)
///
/// where a starts at the initial accumulator. From Duchi, Hazan, Singer, "Adaptive subgradient
/// methods for online learning and stochastic optimization" (JMLR 2011), in the form of Keras from
/// 2.11 on. Before, Keras took sqrt(a) + epsilon, as PyTorch does: epsilon outside of the root.

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

struct AdagradOptions {
  enum class Epsilon { inside_root, outside_root };

  double initial_accumulator = 0.1;  ///< from 0 on
  double epsilon = 1e-7;
  Epsilon epsilon_place = Epsilon::inside_root;
  double weight_decay = 0;
  WeightDecay decay = WeightDecay::l2;
};

/// State: the array "adagrad_accumulator", 4 bytes a weight.
class Adagrad {
 public:
  /// @throws UsageError for options outside their range.
  Adagrad(const AdagradOptions& options, std::size_t size);

  void update(std::span<const float> weights, std::span<const float> gradient_sum, float scale,
              float learning_rate, std::span<float> new_weights);
  State state() { return {.arrays = {{"adagrad_accumulator", accumulator_}}, .scalars = {}}; }

 private:
  AdagradOptions options_;
  std::vector<float> accumulator_;
};

// ---------------------------------------------------------------------------------------------

inline Adagrad::Adagrad(const AdagradOptions& options, std::size_t size) : options_(options) {
  if (!(options.initial_accumulator >= 0 && std::isfinite(options.initial_accumulator))) {
    throw UsageError(fmt::format(
        "initial accumulator {} makes no sense: squares are added to it, it is a number from 0 on",
        options.initial_accumulator));
  }
  detail::check_epsilon(options.epsilon);
  detail::check_weight_decay(options.weight_decay);
  accumulator_.assign(size, static_cast<float>(options.initial_accumulator));
}

inline void Adagrad::update(std::span<const float> weights, std::span<const float> gradient_sum,
                            float scale, float learning_rate, std::span<float> new_weights) {
  detail::expect_update_arguments(accumulator_.size(), weights, gradient_sum, new_weights);
  const auto [l2, shrink] =
      detail::decay_factors(options_.weight_decay, options_.decay, learning_rate);
  const auto epsilon = static_cast<float>(options_.epsilon);
  const bool inside = options_.epsilon_place == AdagradOptions::Epsilon::inside_root;
  const float inner = inside ? epsilon : 0;
  const float outer = inside ? 0 : epsilon;
  float* const accumulators = accumulator_.data();
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const float gradient = scale * gradient_sum[i] + l2 * weights[i];
    const float accumulator = accumulators[i] + gradient * gradient;
    accumulators[i] = accumulator;
    new_weights[i] =
        shrink * weights[i] - learning_rate * gradient / (std::sqrt(accumulator + inner) + outer);
  }
}

}  // namespace daig::optim
