#pragma once

/// Values that are shifted and scaled by their mean and variance.

#include <span>

namespace daig::nn {

/// Which values of a matrix share a mean and a variance.
enum class Groups { columns, rows };

/// outputs = gamma (inputs - mean) / sqrt(variance + epsilon) + beta; the mean and the variance are
/// the group's, gamma and beta the column's.
template <class T>
struct Normalization {
  /// Whether mean and variance are those of the inputs, so that they change with them; if not, they
  /// are constants.
  enum class Moments { of_inputs, constant };

  Groups groups = Groups::columns;
  Moments moments = Moments::of_inputs;
  std::span<const T> mean;
  std::span<const T> variance;
  std::span<const T> gamma;  ///< empty: all 1
  std::span<const T> beta;   ///< empty: all 0
  T epsilon = 0;
};

/// Where the derivatives by gamma and beta go; empty when nobody wants them.
template <class T>
struct NormalizationGradient {
  std::span<T> gamma;
  std::span<T> beta;
};

}  // namespace daig::nn
