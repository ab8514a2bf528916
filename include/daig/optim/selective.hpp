#pragma once

/// An update of weights of which the optimiser is to move only some.

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include <daig/core/error.hpp>
#include <daig/model/layout.hpp>
#include <daig/optim/optimizer.hpp>

namespace daig::optim {

/// Lets another optimiser move the trained parameters of a layout, leaves the frozen ones their
/// bits, and moves the statistics by their own rule,
///
///     w' = w - (1 - momentum) * scale * gradient_sum
///
/// whatever the learning rate: with samples (w - batch's) in the gradient's place, that is momentum
/// * w + (1 - momentum) * the mean of what the batches have there. To the other optimiser the
/// derivatives by all but the trained parameters are 0.
///
/// State: the other optimiser's. Memory: a copy of the gradient and one of what is not trained.
/// Cost: a pass over memory more.
class Selective {
 public:
  /// Expects an optimiser for as many weights as the layout has.
  Selective(AnyOptimizer inner, const model::Layout& layout);

  void update(std::span<const float> weights, std::span<const float> gradient_sum, float scale,
              float learning_rate, std::span<float> new_weights);
  State state() { return inner_.state(); }

 private:
  /// Weights that the optimiser does not move; `rate` is 1 - momentum, 0 for the frozen.
  struct Part {
    std::size_t offset;
    std::size_t size;
    float rate;
  };

  AnyOptimizer inner_;
  std::vector<Part> parts_;
  std::vector<float> gradient_;  // the step's, with zeros for the parts
  std::vector<float> moved_;     // the parts' new weights, one after the other
};

// ---------------------------------------------------------------------------------------------

inline Selective::Selective(AnyOptimizer inner, const model::Layout& layout)
    : inner_(std::move(inner)), gradient_(layout.size()) {
  std::size_t size = 0;
  for (const model::Parameter& parameter : layout.parameters()) {
    if (parameter.role == model::Role::trained) continue;
    const bool follows = parameter.role == model::Role::statistic;
    const auto rate = static_cast<float>(follows ? 1 - parameter.momentum : 0);
    parts_.push_back({parameter.offset, parameter.size(), rate});
    size += parameter.size();
  }
  moved_.resize(size);
}

inline void Selective::update(std::span<const float> weights, std::span<const float> gradient_sum,
                              float scale, float learning_rate, std::span<float> new_weights) {
  detail::expect_update_arguments(gradient_.size(), weights, gradient_sum, new_weights);
  std::ranges::copy(gradient_sum, gradient_.begin());
  // The old weights are needed, and may be what the optimiser is about to overwrite.
  auto moved = moved_.begin();
  for (const Part& part : parts_) {
    const auto gradient = std::span(gradient_).subspan(part.offset, part.size);
    const auto old = weights.subspan(part.offset, part.size);
    if (part.rate == 0) {
      moved = std::ranges::copy(old, moved).out;
    } else {
      for (std::size_t i = 0; i < part.size; ++i) {
        *moved++ = old[i] - part.rate * (scale * gradient[i]);
      }
    }
    std::ranges::fill(gradient, 0.0F);
  }
  inner_.update(weights, gradient_, scale, learning_rate, new_weights);
  auto from = moved_.begin();
  for (const Part& part : parts_) {
    const auto end = from + static_cast<std::ptrdiff_t>(part.size);
    std::copy(from, end, new_weights.begin() + static_cast<std::ptrdiff_t>(part.offset));
    from = end;
  }
}

}  // namespace daig::optim
