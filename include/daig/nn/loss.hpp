#pragma once

/// What a batch costs, and what is wanted of it.

#include <cstdint>
#include <span>

namespace daig::nn {

/// Sums over samples, never means: the library divides by the number of samples of a whole step,
/// which no single batch knows.
struct Loss {
  double loss_sum = 0;
  std::uint64_t samples = 0;
  std::uint64_t correct = 0;  ///< samples whose largest output is their class; 0 without classes

  Loss& operator+=(const Loss& other) {
    loss_sum += other.loss_sum;
    samples += other.samples;
    correct += other.correct;
    return *this;
  }
};

/// Labels of n samples; a loss reads the one kind it is for.
template <class T>
struct Labels {
  std::span<const std::int32_t> classes;  ///< n, each from 0 to outputs - 1
  std::span<const T> targets;             ///< n x outputs
};

enum class LabelKind { classes, targets };

}  // namespace daig::nn
