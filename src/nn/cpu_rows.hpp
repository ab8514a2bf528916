#pragma once

/// What the engine over BLAS does with rows, here and there.

#include <cmath>
#include <cstddef>
#include <span>

#include <daig/core/error.hpp>
#include <daig/nn/matrix.hpp>

namespace daig::nn {

template <class T>
void expect_same_shape(Matrix<T> one, Matrix<T> other) {
  expects(one.rows() == other.rows() && one.columns() == other.columns(),
          "matrices of the same shape");
}

/// Each value of a row, less the largest one: exp of it is in (0, 1]. The results may overwrite it.
/// Returns the sum of the results.
template <class T>
T exp_row(std::span<const T> values, T largest, std::span<T> results) {
  T sum = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    results[i] = std::exp(values[i] - largest);
    sum += results[i];
  }
  return sum;
}

}  // namespace daig::nn
