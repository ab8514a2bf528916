#pragma once

/// The sum of a volunteer's accepted gradients of the present step.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <daig/core/error.hpp>

namespace daig::model {

/// Sum and count. Adds in the order of the calls, so the same batches accepted in the same order
/// give the same bits. Memory: one float per weight.
class Accumulator {
 public:
  explicit Accumulator(std::size_t size) : sum_(size) {}

  /// Adds one batch's gradient. Expects as many values as weights. Cost: one pass over memory.
  void add(std::span<const float> gradient);
  /// Forgets everything.
  void clear();

  /// Zeros when nothing was added.
  std::span<const float> sum() const { return sum_; }
  std::uint64_t batches() const { return batches_; }

 private:
  std::vector<float> sum_;
  std::uint64_t batches_ = 0;
};

// ---------------------------------------------------------------------------------------------

inline void Accumulator::add(std::span<const float> gradient) {
  expects(gradient.size() == sum_.size(), "a gradient as long as the weights");
  for (std::size_t i = 0; i < sum_.size(); ++i) sum_[i] += gradient[i];
  ++batches_;
}

inline void Accumulator::clear() {
  if (batches_ > 0) sum_.assign(sum_.size(), 0.0F);
  batches_ = 0;
}

}  // namespace daig::model
