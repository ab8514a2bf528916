#pragma once

/// The sum of a volunteer's accepted gradients of the present step.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <daig/core/error.hpp>

namespace daig::model {

/// Sum and count. Adds in the order of the calls, so the same batches accepted in the same order
/// give the same bits. Memory: one float per weight, from the first `add` on.
class Accumulator {
 public:
  explicit Accumulator(std::size_t size) : size_(size) {}

  /// Adds one batch's gradient. Expects as many values as weights. Cost: one pass over memory.
  void add(std::span<const float> gradient);
  /// Forgets everything.
  void clear() { batches_ = 0; }

  /// Empty when nothing was added.
  std::span<const float> sum() const;
  std::uint64_t batches() const { return batches_; }

 private:
  std::size_t size_;
  std::vector<float> sum_;
  std::uint64_t batches_ = 0;
};

// ---------------------------------------------------------------------------------------------

inline void Accumulator::add(std::span<const float> gradient) {
  expects(gradient.size() == size_, "a gradient as long as the weights");
  if (batches_ == 0) {
    sum_.assign(gradient.begin(), gradient.end());
  } else {
    for (std::size_t i = 0; i < size_; ++i) sum_[i] += gradient[i];
  }
  ++batches_;
}

inline std::span<const float> Accumulator::sum() const {
  return batches_ == 0 ? std::span<const float>() : std::span<const float>(sum_);
}

}  // namespace daig::model
