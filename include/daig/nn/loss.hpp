#pragma once

/// What a batch costs, and what is wanted of it.

#include <cstdint>
#include <span>

namespace daig::nn {

/// Sums over samples, never means: the library divides by the number of samples of a whole step,
/// which no single batch knows. All but the first two are for evaluation, and 0 in training.
struct Loss {
  double loss_sum = 0;
  std::uint64_t samples = 0;
  std::uint64_t judged = 0;       ///< samples or outputs that are right or wrong; see Accuracy
  std::uint64_t correct = 0;      ///< of these
  double squared_error_sum = 0;   ///< of each sample's mean over its outputs
  double absolute_error_sum = 0;  ///< likewise

  Loss& operator+=(const Loss& other) {
    loss_sum += other.loss_sum;
    samples += other.samples;
    judged += other.judged;
    correct += other.correct;
    squared_error_sum += other.squared_error_sum;
    absolute_error_sum += other.absolute_error_sum;
    return *this;
  }
};

/// Labels of n samples, of one kind: the other is empty.
template <class T>
struct Labels {
  std::span<const std::int32_t> classes;  ///< n, each from 0 to outputs - 1
  std::span<const T> targets;             ///< n x outputs
};

enum class LabelKind { classes, targets };

}  // namespace daig::nn
