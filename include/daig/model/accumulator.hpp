#pragma once

/// The sum of a volunteer's accepted gradients of the present step.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <daig/core/error.hpp>

namespace daig::model {

/// Sum and count. Adds one gradient after the other, so the same batches accepted in the same order
/// give the same bits, in however many calls. Memory: one float per weight, from the first `add`
/// on.
class Accumulator {
 public:
  explicit Accumulator(std::size_t size) : size_(size) {}

  /// Adds the gradients of some batches. Expects as many values as weights in each. Cost: one pass
  /// over each of them, and one over the sum for every four.
  void add(std::span<const std::span<const float>> gradients);
  void add(std::span<const float> gradient) { add(std::span(&gradient, 1)); }
  /// Forgets everything.
  void clear() { batches_ = 0; }

  /// Empty when nothing was added.
  std::span<const float> sum() const;
  std::uint64_t batches() const { return batches_; }

 private:
  using Gradients = std::span<const std::span<const float>>;
  template <std::size_t n>
  Gradients add_first(Gradients gradients);

  std::size_t size_;
  std::vector<float> sum_;
  std::uint64_t batches_ = 0;
};

// ---------------------------------------------------------------------------------------------

inline void Accumulator::add(Gradients gradients) {
  for (const auto gradient : gradients) {
    expects(gradient.size() == size_, "a gradient as long as the weights");
  }
  if (gradients.empty()) return;
  const bool is_first = batches_ == 0;
  batches_ += gradients.size();
  if (is_first) {
    sum_.assign(gradients.front().begin(), gradients.front().end());
    gradients = gradients.subspan(1);
  }
  while (gradients.size() >= 4) gradients = add_first<4>(gradients);
  if (gradients.size() >= 2) gradients = add_first<2>(gradients);
  if (!gradients.empty()) add_first<1>(gradients);
}

/// Adds n gradients in one pass over the sum; returns the rest.
template <std::size_t n>
Accumulator::Gradients Accumulator::add_first(Gradients gradients) {
  std::array<const float*, n> values;
  for (std::size_t g = 0; g < n; ++g) values[g] = gradients[g].data();
  float* const sum = sum_.data();
  for (std::size_t i = 0; i < size_; ++i) {
    float total = sum[i];
    for (std::size_t g = 0; g < n; ++g) total += values[g][i];
    sum[i] = total;
  }
  return gradients.subspan(n);
}

inline std::span<const float> Accumulator::sum() const {
  return batches_ == 0 ? std::span<const float>() : std::span<const float>(sum_);
}

}  // namespace daig::model
