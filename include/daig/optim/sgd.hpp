#pragma once

/// Stochastic gradient descent, with momentum.
///
/// With g = scale * gradient_sum + weight_decay * w:
///
///     no momentum   w' = w - rate * g
///     momentum      v' = momentum * v + g     w' = w - rate * v'
///     nesterov      v' = momentum * v + g     w' = w - rate * (g + momentum * v')
///
/// This is PyTorch's form (torch.optim.SGD, dampening 0): v is in units of the gradient, and v
/// starts at 0. Keras keeps rate * v instead, which is the same walk while the rate is constant; in
/// this form a new rate takes hold at once. After Sutskever, Martens, Dahl, Hinton, "On the
/// importance of initialization and momentum in deep learning" (ICML 2013).

#include <cstddef>
#include <span>
#include <vector>

#include <fmt/format.h>

#include <daig/core/error.hpp>
#include <daig/optim/optimizer.hpp>

namespace daig::optim {

struct SgdOptions {
  double momentum = 0;  ///< in [0, 1)
  bool nesterov = false;
  double weight_decay = 0;  ///< added to the gradient as weight_decay * w (L2)
};

/// State: the array "momentum", if there is momentum; 4 bytes a weight.
class Sgd {
 public:
  /// @throws UsageError for options outside their range.
  Sgd(const SgdOptions& options, std::size_t size);

  void update(std::span<const float> weights, std::span<const float> gradient_sum, float scale,
              float learning_rate, std::span<float> new_weights);
  State state();

 private:
  std::size_t size_;
  float momentum_;
  float weight_decay_;
  bool nesterov_;
  std::vector<float> velocity_;  // empty without momentum
};

// ---------------------------------------------------------------------------------------------

inline Sgd::Sgd(const SgdOptions& options, std::size_t size)
    : size_(size),
      momentum_(static_cast<float>(options.momentum)),
      weight_decay_(static_cast<float>(options.weight_decay)),
      nesterov_(options.nesterov) {
  // Written so that NaN fails; and 1 - 1e-9 is 1 as a float, with which nothing is ever forgotten.
  if (!(options.momentum >= 0 && momentum_ < 1)) {
    throw UsageError(fmt::format(
        "momentum {} makes no sense: it is the part of the last step that is kept, in [0, 1)",
        options.momentum));
  }
  detail::check_weight_decay(options.weight_decay);
  if (nesterov_ && momentum_ == 0) {
    throw UsageError("nesterov needs momentum, which is 0: set it, 0.9 for instance");
  }
  if (momentum_ != 0) velocity_.resize(size);
}

inline void Sgd::update(std::span<const float> weights, std::span<const float> gradient_sum,
                        float scale, float learning_rate, std::span<float> new_weights) {
  detail::expect_update_arguments(size_, weights, gradient_sum, new_weights);
  if (velocity_.empty()) {
    for (std::size_t i = 0; i < size_; ++i) {
      const float gradient = scale * gradient_sum[i] + weight_decay_ * weights[i];
      new_weights[i] = weights[i] - learning_rate * gradient;
    }
    return;
  }
  for (std::size_t i = 0; i < size_; ++i) {
    const float gradient = scale * gradient_sum[i] + weight_decay_ * weights[i];
    const float velocity = momentum_ * velocity_[i] + gradient;
    velocity_[i] = velocity;
    const float direction = nesterov_ ? gradient + momentum_ * velocity : velocity;
    new_weights[i] = weights[i] - learning_rate * direction;
  }
}

inline State Sgd::state() {
  State state;
  if (!velocity_.empty()) state.arrays.push_back({"momentum", velocity_});
  return state;
}

}  // namespace daig::optim
