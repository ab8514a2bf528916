/// The engine over BLAS: products by gemm, the rest by plain loops that a compiler vectorises.

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include <cblas.h>

#include <daig/core/error.hpp>
#include <daig/nn/engine.hpp>

#include "cpu_activations.hpp"
#include "cpu_depthwise.hpp"
#include "cpu_losses.hpp"
#include "cpu_normalization.hpp"
#include "cpu_recurrent.hpp"
#include "cpu_rows.hpp"
#include "cpu_windows.hpp"

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

/// input_delta[i] = derivative(at[i], delta[i])
template <class T, class Derivative>
void map_delta(std::span<const T> at, std::span<const T> delta, std::span<T> input_delta,
               Derivative derivative) {
  for (std::size_t i = 0; i < at.size(); ++i) input_delta[i] = derivative(at[i], delta[i]);
}

template <class T>
class CpuEngine final : public CpuWindows<T>,
                        public CpuDepthwise<T>,
                        public CpuNormalization<T>,
                        public CpuLosses<T> {
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
    with_function<T>(activation, [&](auto function) { map_with_bias(bias, values, function); });
    if (activation == Activation::softmax) activate(activation, values, values);
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
    expect_same_shape(inputs, outputs);
    if (activation == Activation::softmax) {
      for (std::size_t r = 0; r < inputs.rows(); ++r) softmax_row(inputs.row(r), outputs.row(r));
      return;
    }
    with_function<T>(activation,
                     [&](auto function) { map(inputs.values(), outputs.values(), function); });
  }

  void activate_backward(Activation activation, Matrix<const T> outputs, Matrix<const T> delta,
                         Matrix<T> input_delta) const override {
    expect_same_shape(outputs, delta);
    expect_same_shape(outputs, input_delta);
    if (activation == Activation::softmax) {
      for (std::size_t r = 0; r < outputs.rows(); ++r) {
        softmax_row_backward(outputs.row(r), delta.row(r), input_delta.row(r));
      }
      return;
    }
    const bool in_place = input_delta.values().data() == delta.values().data();
    if (activation == Activation::linear && in_place) return;
    with_derivative<T>(activation, [&](auto derivative) {
      map_delta(outputs.values(), delta.values(), input_delta.values(), derivative);
    });
  }

  void apply(const Pointwise& function, Matrix<const T> inputs, Matrix<T> outputs) const override {
    expect_same_shape(inputs, outputs);
    with_function<T>(function, [&](auto f) { map(inputs.values(), outputs.values(), f); });
  }

  void apply_backward(const Pointwise& function, Matrix<const T> inputs, Matrix<const T> delta,
                      Matrix<T> input_delta) const override {
    expect_same_shape(inputs, delta);
    expect_same_shape(inputs, input_delta);
    with_derivative<T>(function, [&](auto derivative) {
      map_delta(inputs.values(), delta.values(), input_delta.values(), derivative);
    });
  }

  void multiply_elements(Matrix<const T> a, Matrix<const T> b, Matrix<T> product) const override {
    expect_same_shape(a, b);
    expect_same_shape(a, product);
    std::ranges::transform(a.values(), b.values(), product.values().begin(), std::multiplies<>());
  }

  void clear(std::span<T> values) const override {
    std::ranges::fill(values, T{0});
  }

  const RecurrentOperations<T>& recurrent() const override {
    return recurrent_;
  }

 private:
  static void expect_same_shape(Matrix<const T> one, Matrix<const T> other) {
    expects(one.rows() == other.rows() && one.columns() == other.columns(),
            "matrices of the same shape");
  }

  static void softmax_row_backward(std::span<const T> outputs, std::span<const T> delta,
                                   std::span<T> input_delta) {
    T mean = 0;
    for (std::size_t i = 0; i < outputs.size(); ++i) mean += outputs[i] * delta[i];
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      input_delta[i] = outputs[i] * (delta[i] - mean);
    }
  }

  CpuRecurrent<T> recurrent_;
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
