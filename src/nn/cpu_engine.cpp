/// The engine over BLAS: products by gemm, the rest by plain loops that a compiler vectorises.

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include <cblas.h>

#include <daig/core/error.hpp>
#include <daig/nn/engine.hpp>

#include "cpu_losses.hpp"
#include "cpu_rows.hpp"

namespace daig::nn {
namespace {

/// An extent as BLAS counts it.
int extent(std::size_t value) {
  expects(value <= static_cast<std::size_t>(std::numeric_limits<int>::max()),
          "matrices whose extents BLAS can count");
  return static_cast<int>(value);
}

CBLAS_TRANSPOSE cblas(Transpose transpose) {
  return transpose == Transpose::yes ? CblasTrans : CblasNoTrans;
}

void gemm(CBLAS_TRANSPOSE trans_a, CBLAS_TRANSPOSE trans_b, int m, int n, int k, const float* a,
          int lda, const float* b, int ldb, float beta, float* c, int ldc) {
  cblas_sgemm(CblasRowMajor, trans_a, trans_b, m, n, k, 1, a, lda, b, ldb, beta, c, ldc);
}

void gemm(CBLAS_TRANSPOSE trans_a, CBLAS_TRANSPOSE trans_b, int m, int n, int k, const double* a,
          int lda, const double* b, int ldb, double beta, double* c, int ldc) {
  cblas_dgemm(CblasRowMajor, trans_a, trans_b, m, n, k, 1, a, lda, b, ldb, beta, c, ldc);
}

/// 0 for what is below it; not "v > 0 ? v : 0", which would hide a NaN from the loss.
template <class T>
T relu(T value) {
  return value < 0 ? T{0} : value;
}

template <class T>
T sigmoid(T value) {
  return 1 / (1 + std::exp(-value));
}

template <class T>
void softmax_row(std::span<const T> values, std::span<T> results) {
  const T sum = exp_row(values, *std::ranges::max_element(values), results);
  for (T& result : results) result /= sum;
}

/// results[i] = function(values[i])
template <class T, class Function>
void map(std::span<const T> values, std::span<T> results, Function function) {
  for (std::size_t i = 0; i < results.size(); ++i) results[i] = function(values[i]);
}

/// Each row = function(row + bias)
template <class T, class Function>
void map_with_bias(std::span<const T> bias, Matrix<T> values, Function function) {
  const T* const from = bias.data();
  for (std::size_t r = 0; r < values.rows(); ++r) {
    T* const row = values.row(r).data();
    for (std::size_t i = 0; i < bias.size(); ++i) row[i] = function(row[i] + from[i]);
  }
}

/// input_delta[i] = delta[i] * derivative(outputs[i])
template <class T, class Derivative>
void map_delta(std::span<const T> outputs, std::span<const T> delta, std::span<T> input_delta,
               Derivative derivative) {
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    input_delta[i] = derivative(outputs[i], delta[i]);
  }
}

template <class T>
class CpuEngine final : public CpuLosses<T> {
 public:
  CpuEngine() {
#ifdef DAIG_HAS_OPENBLAS
    openblas_set_num_threads(1);
#endif
  }

  void multiply(const Factor<T>& a, const Factor<T>& b, T beta, Matrix<T> product) const override {
    const auto rows = [](const Factor<T>& factor) {
      return factor.transpose == Transpose::no ? factor.matrix.rows() : factor.matrix.columns();
    };
    const auto columns = [](const Factor<T>& factor) {
      return factor.transpose == Transpose::no ? factor.matrix.columns() : factor.matrix.rows();
    };
    expects(rows(a) == product.rows() && columns(a) == rows(b) && columns(b) == product.columns(),
            "factors that fit one another and the product");
    expects(!product.empty() && columns(a) > 0, "matrices that are not empty");
    gemm(cblas(a.transpose), cblas(b.transpose), extent(rows(a)), extent(columns(b)),
         extent(columns(a)), a.matrix.values().data(), extent(a.matrix.columns()),
         b.matrix.values().data(), extent(b.matrix.columns()), beta, product.values().data(),
         extent(product.columns()));
  }

  void bias_activate(std::span<const T> bias, Activation activation,
                     Matrix<T> values) const override {
    expects(bias.size() == values.columns(), "as many biases as columns");
    switch (activation) {
      case Activation::linear:
        return map_with_bias(bias, values, [](T value) { return value; });
      case Activation::relu:
        return map_with_bias(bias, values, relu<T>);
      case Activation::tanh:
        return map_with_bias(bias, values, [](T value) { return std::tanh(value); });
      case Activation::sigmoid:
        return map_with_bias(bias, values, sigmoid<T>);
      case Activation::softmax:
        map_with_bias(bias, values, [](T value) { return value; });
        return activate(Activation::softmax, values, values);
    }
  }

  void bias_gradient(Matrix<const T> delta, T beta, std::span<T> gradient) const override {
    expects(gradient.size() == delta.columns(), "as many biases as columns");
    if (beta == 0) std::ranges::fill(gradient, T{0});
    if (beta != 0 && beta != 1) {
      for (T& sum : gradient) sum *= beta;
    }
    for (std::size_t r = 0; r < delta.rows(); ++r) {
      const T* const row = delta.row(r).data();
      for (std::size_t i = 0; i < gradient.size(); ++i) gradient[i] += row[i];
    }
  }

  void activate(Activation activation, Matrix<const T> inputs, Matrix<T> outputs) const override {
    expect_same_shape(inputs, Matrix<const T>(outputs));
    const std::span<const T> from = inputs.values();
    const std::span<T> to = outputs.values();
    switch (activation) {
      case Activation::linear:
        return map(from, to, [](T value) { return value; });
      case Activation::relu:
        return map(from, to, relu<T>);
      case Activation::tanh:
        return map(from, to, [](T value) { return std::tanh(value); });
      case Activation::sigmoid:
        return map(from, to, sigmoid<T>);
      case Activation::softmax:
        for (std::size_t r = 0; r < inputs.rows(); ++r) softmax_row(inputs.row(r), outputs.row(r));
        return;
    }
  }

  void activate_backward(Activation activation, Matrix<const T> outputs, Matrix<const T> delta,
                         Matrix<T> input_delta) const override {
    expect_same_shape(outputs, delta);
    expect_same_shape(outputs, Matrix<const T>(input_delta));
    const std::span<const T> y = outputs.values();
    const std::span<const T> d = delta.values();
    const std::span<T> to = input_delta.values();
    switch (activation) {
      case Activation::linear:
        if (to.data() != d.data()) std::ranges::copy(d, to.begin());
        return;
      case Activation::relu:
        return map_delta(y, d, to, [](T out, T by_out) { return out <= 0 ? T{0} : by_out; });
      case Activation::tanh:
        return map_delta(y, d, to, [](T out, T by_out) { return by_out * (1 - out * out); });
      case Activation::sigmoid:
        return map_delta(y, d, to, [](T out, T by_out) { return by_out * out * (1 - out); });
      case Activation::softmax:
        for (std::size_t r = 0; r < outputs.rows(); ++r) {
          softmax_row_backward(outputs.row(r), delta.row(r), input_delta.row(r));
        }
        return;
    }
  }

  void multiply_elements(Matrix<const T> a, Matrix<const T> b, Matrix<T> product) const override {
    expect_same_shape(a, b);
    expect_same_shape(a, Matrix<const T>(product));
    std::ranges::transform(a.values(), b.values(), product.values().begin(), std::multiplies<>());
  }

  void clear(std::span<T> values) const override {
    std::ranges::fill(values, T{0});
  }

 private:
  static void softmax_row_backward(std::span<const T> outputs, std::span<const T> delta,
                                   std::span<T> input_delta) {
    T mean = 0;
    for (std::size_t i = 0; i < outputs.size(); ++i) mean += outputs[i] * delta[i];
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      input_delta[i] = outputs[i] * (delta[i] - mean);
    }
  }
};

}  // namespace

template <class T>
std::shared_ptr<const Engine<T>> cpu_engine() {
  static const std::shared_ptr<const Engine<T>> engine = std::make_shared<CpuEngine<T>>();
  return engine;
}

template std::shared_ptr<const Engine<float>> cpu_engine<float>();
template std::shared_ptr<const Engine<double>> cpu_engine<double>();

}  // namespace daig::nn
