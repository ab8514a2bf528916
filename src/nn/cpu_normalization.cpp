#include "cpu_normalization.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include <daig/core/error.hpp>

namespace daig::nn {
namespace {

/// Columns are summed so many at a time, and in double: a batch of images has 10^5 positions and
/// more, and what single precision would lose of their sum is as large as some derivatives.
constexpr std::size_t block_columns = 64;

template <class T>
using Block = std::array<T, block_columns>;
using Sums = Block<double>;

/// Calls visit(first, count) until all columns had their turn.
template <class Visit>
void for_each_block(std::size_t columns, Visit visit) {
  for (std::size_t first = 0; first < columns; first += block_columns) {
    visit(first, std::min(block_columns, columns - first));
  }
}

template <class T>
void expect_same_shape(Matrix<const T> one, Matrix<const T> other) {
  expects(one.rows() == other.rows() && one.columns() == other.columns(),
          "matrices of the same shape");
}

template <class T>
void expect_fits(const Normalization<T>& normalization, Matrix<const T> inputs) {
  const std::size_t columns = inputs.columns();
  const std::size_t groups = normalization.groups == Groups::columns ? columns : inputs.rows();
  expects(normalization.mean.size() == groups && normalization.variance.size() == groups,
          "a mean and a variance for each group");
  expects((normalization.gamma.empty() || normalization.gamma.size() == columns) &&
              (normalization.beta.empty() || normalization.beta.size() == columns),
          "a gamma and a beta for each column");
}

template <class T>
T value_or(std::span<const T> values, std::size_t index, T otherwise) {
  return values.empty() ? otherwise : values[index];
}

template <class T>
T inverse_deviation(const Normalization<T>& normalization, std::size_t group) {
  return 1 / std::sqrt(normalization.variance[group] + normalization.epsilon);
}

template <class T>
void column_moments(Matrix<const T> values, std::span<T> mean, std::span<T> variance) {
  const auto rows = static_cast<double>(values.rows());
  for_each_block(values.columns(), [&](std::size_t first, std::size_t count) {
    Sums means{};
    for (std::size_t r = 0; r < values.rows(); ++r) {
      const T* const row = values.row(r).data() + first;
      for (std::size_t i = 0; i < count; ++i) means[i] += static_cast<double>(row[i]);
    }
    for (double& of_column : means) of_column /= rows;
    Sums squares{};
    for (std::size_t r = 0; r < values.rows(); ++r) {
      const T* const row = values.row(r).data() + first;
      for (std::size_t i = 0; i < count; ++i) {
        const double deviation = static_cast<double>(row[i]) - means[i];
        squares[i] += deviation * deviation;
      }
    }
    for (std::size_t i = 0; i < count; ++i) {
      mean[first + i] = static_cast<T>(means[i]);
      variance[first + i] = static_cast<T>(squares[i] / rows);
    }
  });
}

template <class T>
void row_moments(Matrix<const T> values, std::span<T> mean, std::span<T> variance) {
  const auto columns = static_cast<double>(values.columns());
  for (std::size_t r = 0; r < values.rows(); ++r) {
    double sum = 0;
    for (const T value : values.row(r)) sum += static_cast<double>(value);
    double squares = 0;
    for (const T value : values.row(r)) {
      const double deviation = static_cast<double>(value) - sum / columns;
      squares += deviation * deviation;
    }
    mean[r] = static_cast<T>(sum / columns);
    variance[r] = static_cast<T>(squares / columns);
  }
}

/// What a block's columns have each for itself.
template <class T>
struct ColumnBlock {
  Block<T> mean;
  Block<T> inverse;  ///< of the deviation
  Block<T> gamma;
  Block<T> beta;

  ColumnBlock(const Normalization<T>& of, std::size_t first, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      mean[i] = of.mean[first + i];
      inverse[i] = inverse_deviation(of, first + i);
      gamma[i] = value_or(of.gamma, first + i, T{1});
      beta[i] = value_or(of.beta, first + i, T{0});
    }
  }
};

template <class T>
void normalize_columns(const Normalization<T>& normalization, Matrix<const T> inputs,
                       Matrix<T> outputs) {
  for_each_block(inputs.columns(), [&](std::size_t first, std::size_t count) {
    const ColumnBlock<T> block(normalization, first, count);
    for (std::size_t r = 0; r < inputs.rows(); ++r) {
      const T* const x = inputs.row(r).data() + first;
      T* const y = outputs.row(r).data() + first;
      for (std::size_t i = 0; i < count; ++i) {
        y[i] = block.gamma[i] * ((x[i] - block.mean[i]) * block.inverse[i]) + block.beta[i];
      }
    }
  });
}

template <class T>
void normalize_rows(const Normalization<T>& normalization, Matrix<const T> inputs,
                    Matrix<T> outputs) {
  for (std::size_t r = 0; r < inputs.rows(); ++r) {
    const std::span<const T> x = inputs.row(r);
    const std::span<T> y = outputs.row(r);
    const T mean = normalization.mean[r];
    const T inverse = inverse_deviation(normalization, r);
    for (std::size_t i = 0; i < x.size(); ++i) {
      y[i] = value_or(normalization.gamma, i, T{1}) * ((x[i] - mean) * inverse) +
             value_or(normalization.beta, i, T{0});
    }
  }
}

/// gradient = sums + beta gradient, of the columns of a block.
template <class T>
void add_sums(const Sums& sums, std::size_t first, std::size_t count, T beta,
              std::span<T> gradient) {
  if (gradient.empty()) return;
  for (std::size_t i = 0; i < count; ++i) {
    T& to = gradient[first + i];
    to = static_cast<T>(sums[i]) + (beta == 0 ? T{0} : beta * to);
  }
}

// With y = (inputs - mean) / deviation and d = gamma delta, the derivative by the inputs is
// (d - mean(d) - y mean(d y)) / deviation, the means over the group, or d / deviation where the
// moments are constant (Ioffe, Szegedy, "Batch normalization", ICML 2015, section 3).

template <class T>
void columns_backward(const Normalization<T>& normalization, Matrix<const T> inputs,
                      Matrix<const T> delta, T beta, const NormalizationGradient<T>& gradient,
                      Matrix<T> input_delta) {
  const bool constant = normalization.moments == Normalization<T>::Moments::constant;
  const auto rows = static_cast<double>(inputs.rows());
  for_each_block(inputs.columns(), [&](std::size_t first, std::size_t count) {
    const ColumnBlock<T> block(normalization, first, count);
    Sums plain{};       // of delta
    Sums normalised{};  // of delta y
    for (std::size_t r = 0; r < inputs.rows(); ++r) {
      const T* const x = inputs.row(r).data() + first;
      const T* const d = delta.row(r).data() + first;
      for (std::size_t i = 0; i < count; ++i) {
        plain[i] += static_cast<double>(d[i]);
        normalised[i] += static_cast<double>(d[i] * ((x[i] - block.mean[i]) * block.inverse[i]));
      }
    }
    add_sums(normalised, first, count, beta, gradient.gamma);
    add_sums(plain, first, count, beta, gradient.beta);
    if (input_delta.empty()) return;
    Block<T> plain_mean{};
    Block<T> normalised_mean{};
    for (std::size_t i = 0; i < count && !constant; ++i) {
      plain_mean[i] = static_cast<T>(plain[i] / rows);
      normalised_mean[i] = static_cast<T>(normalised[i] / rows);
    }
    for (std::size_t r = 0; r < inputs.rows(); ++r) {
      const T* const x = inputs.row(r).data() + first;
      const T* const d = delta.row(r).data() + first;
      T* const to = input_delta.row(r).data() + first;
      for (std::size_t i = 0; i < count; ++i) {
        const T y = (x[i] - block.mean[i]) * block.inverse[i];
        to[i] = block.gamma[i] * block.inverse[i] * (d[i] - plain_mean[i] - y * normalised_mean[i]);
      }
    }
  });
}

template <class T>
void rows_gradient(const Normalization<T>& normalization, Matrix<const T> inputs,
                   Matrix<const T> delta, T beta, const NormalizationGradient<T>& gradient) {
  for_each_block(inputs.columns(), [&](std::size_t first, std::size_t count) {
    Sums plain{};
    Sums normalised{};
    for (std::size_t r = 0; r < inputs.rows(); ++r) {
      const T* const x = inputs.row(r).data() + first;
      const T* const d = delta.row(r).data() + first;
      const T mean = normalization.mean[r];
      const T inverse = inverse_deviation(normalization, r);
      for (std::size_t i = 0; i < count; ++i) {
        plain[i] += static_cast<double>(d[i]);
        normalised[i] += static_cast<double>(d[i] * ((x[i] - mean) * inverse));
      }
    }
    add_sums(normalised, first, count, beta, gradient.gamma);
    add_sums(plain, first, count, beta, gradient.beta);
  });
}

template <class T>
void rows_input_delta(const Normalization<T>& normalization, Matrix<const T> inputs,
                      Matrix<const T> delta, Matrix<T> input_delta) {
  const bool constant = normalization.moments == Normalization<T>::Moments::constant;
  const auto columns = static_cast<double>(inputs.columns());
  for (std::size_t r = 0; r < inputs.rows(); ++r) {
    const std::span<const T> x = inputs.row(r);
    const std::span<const T> by_output = delta.row(r);
    const std::span<T> to = input_delta.row(r);
    const T mean = normalization.mean[r];
    const T inverse = inverse_deviation(normalization, r);
    double plain = 0;
    double normalised = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      to[i] = value_or(normalization.gamma, i, T{1}) * by_output[i];
      plain += static_cast<double>(to[i]);
      normalised += static_cast<double>(to[i] * ((x[i] - mean) * inverse));
    }
    const T plain_mean = constant ? T{0} : static_cast<T>(plain / columns);
    const T normalised_mean = constant ? T{0} : static_cast<T>(normalised / columns);
    for (std::size_t i = 0; i < x.size(); ++i) {
      to[i] = inverse * (to[i] - plain_mean - (x[i] - mean) * inverse * normalised_mean);
    }
  }
}

}  // namespace

template <class T>
void CpuNormalization<T>::moments(Groups groups, Matrix<const T> values, std::span<T> mean,
                                  std::span<T> variance) const {
  const std::size_t count = groups == Groups::columns ? values.columns() : values.rows();
  expects(mean.size() == count && variance.size() == count, "a mean and a variance for each group");
  expects(!values.empty(), "groups that are not empty");
  if (groups == Groups::columns) return column_moments(values, mean, variance);
  row_moments(values, mean, variance);
}

template <class T>
void CpuNormalization<T>::normalize(const Normalization<T>& normalization, Matrix<const T> inputs,
                                    Matrix<T> outputs) const {
  expect_fits(normalization, inputs);
  expect_same_shape<T>(inputs, outputs);
  if (normalization.groups == Groups::columns) {
    return normalize_columns(normalization, inputs, outputs);
  }
  normalize_rows(normalization, inputs, outputs);
}

template <class T>
void CpuNormalization<T>::normalize_backward(const Normalization<T>& normalization,
                                             Matrix<const T> inputs, Matrix<const T> delta, T beta,
                                             const NormalizationGradient<T>& gradient,
                                             Matrix<T> input_delta) const {
  expect_fits(normalization, inputs);
  expect_same_shape(inputs, delta);
  if (!input_delta.empty()) expect_same_shape<T>(inputs, input_delta);
  for (const std::span<T> part : {gradient.gamma, gradient.beta}) {
    expects(part.empty() || part.size() == inputs.columns(), "a derivative for each column");
  }
  if (normalization.groups == Groups::columns) {
    return columns_backward(normalization, inputs, delta, beta, gradient, input_delta);
  }
  if (!gradient.gamma.empty() || !gradient.beta.empty()) {
    rows_gradient(normalization, inputs, delta, beta, gradient);
  }
  if (!input_delta.empty()) rows_input_delta(normalization, inputs, delta, input_delta);
}

template <class T>
void CpuNormalization<T>::add_difference(T factor, std::span<const T> a, std::span<const T> b,
                                         T beta, std::span<T> result) const {
  expects(a.size() == result.size() && b.size() == result.size(), "spans of the same size");
  for (std::size_t i = 0; i < result.size(); ++i) {
    result[i] = factor * (a[i] - b[i]) + (beta == 0 ? T{0} : beta * result[i]);
  }
}

template <class T>
double CpuNormalization<T>::penalize(const model::Regularizer& regularizer,
                                     std::span<const T> weights, T factor,
                                     std::span<T> gradient) const {
  expects(gradient.empty() || gradient.size() == weights.size(), "a derivative for each weight");
  double absolutes = 0;
  double squares = 0;
  for (const T weight : weights) {
    absolutes += std::abs(static_cast<double>(weight));
    squares += static_cast<double>(weight) * static_cast<double>(weight);
  }
  const T l1 = factor * static_cast<T>(regularizer.l1);
  const T l2 = factor * static_cast<T>(2 * regularizer.l2);
  for (std::size_t i = 0; i < gradient.size(); ++i) {
    const T weight = weights[i];
    const T sign = static_cast<T>(weight > 0) - static_cast<T>(weight < 0);
    gradient[i] += l1 * sign + l2 * weight;
  }
  return regularizer.l1 * absolutes + regularizer.l2 * squares;
}

template class CpuNormalization<float>;
template class CpuNormalization<double>;

}  // namespace daig::nn
