#pragma once

/// Activations and other functions of one value, and their derivatives, for plain loops that a
/// compiler vectorises: each case hands its own function to the loop.
///
/// Comparisons are such that what is no number stays so, and is not hidden from the loss.

#include <cmath>
#include <numbers>

#include <daig/nn/activation.hpp>
#include <daig/nn/pointwise.hpp>

namespace daig::nn {

template <class T>
inline constexpr T selu_scale = T(1.0507009873554804934193349852946);
template <class T>
inline constexpr T selu_alpha = T(1.6732632423543772848170429916717);

template <class T>
T sigmoid(T value) {
  return 1 / (1 + std::exp(-value));
}

/// log(1 + e^value), which does not overflow.
template <class T>
T softplus(T value) {
  return std::log1p(std::exp(-std::abs(value))) + (value < 0 ? T{0} : value);
}

template <class T>
T within(T value, T least, T most) {
  const T raised = value < least ? least : value;
  return raised > most ? most : raised;
}

/// Calls use(function) with the function of one value that an activation is. Softmax, which is
/// none, counts as linear here and below.
template <class T, class Use>
void with_function(Activation activation, Use use) {
  switch (activation) {
    case Activation::linear:
    case Activation::softmax:
      return use([](T x) { return x; });
    case Activation::relu:
      return use([](T x) { return x < 0 ? T{0} : x; });
    case Activation::tanh:
      return use([](T x) { return std::tanh(x); });
    case Activation::sigmoid:
      return use([](T x) { return sigmoid(x); });
    case Activation::elu:
      return use([](T x) { return x > 0 ? x : std::expm1(x); });
    case Activation::selu:
      return use([](T x) { return selu_scale<T> * (x > 0 ? x : selu_alpha<T> * std::expm1(x)); });
    case Activation::softplus:
      return use([](T x) { return softplus(x); });
    case Activation::softsign:
      return use([](T x) { return x / (1 + std::abs(x)); });
    case Activation::exponential:
      return use([](T x) { return std::exp(x); });
    case Activation::relu6:
      return use([](T x) { return within<T>(x, 0, 6); });
    case Activation::leaky_relu:
      return use([](T x) { return x > 0 ? x : x / 5; });
    case Activation::hard_sigmoid_fifth:
      return use([](T x) { return within<T>(x / 5 + T(0.5), 0, 1); });
    case Activation::hard_sigmoid_sixth:
      return use([](T x) { return within<T>(x / 6 + T(0.5), 0, 1); });
  }
}

/// Calls use(function), where function(y, d) is the derivative by the activation's input, from that
/// by its value y, d.
template <class T, class Use>
void with_derivative(Activation activation, Use use) {
  switch (activation) {
    case Activation::linear:
    case Activation::softmax:
      return use([](T, T d) { return d; });
    case Activation::relu:
      return use([](T y, T d) { return y <= 0 ? T{0} : d; });
    case Activation::tanh:
      return use([](T y, T d) { return d * (1 - y * y); });
    case Activation::sigmoid:
      return use([](T y, T d) { return d * y * (1 - y); });
    case Activation::elu:
      return use([](T y, T d) { return y > 0 ? d : d * (y + 1); });
    case Activation::selu:
      return use(
          [](T y, T d) { return d * (y > 0 ? selu_scale<T> : y + selu_scale<T> * selu_alpha<T>); });
    case Activation::softplus:
      return use([](T y, T d) { return -d * std::expm1(-y); });
    case Activation::softsign:
      return use([](T y, T d) { return d * (1 - std::abs(y)) * (1 - std::abs(y)); });
    case Activation::exponential:
      return use([](T y, T d) { return d * y; });
    case Activation::relu6:
      return use([](T y, T d) { return ((y <= 0) | (y >= 6)) ? T{0} : d; });
    case Activation::leaky_relu:
      return use([](T y, T d) { return y > 0 ? d : d / 5; });
    case Activation::hard_sigmoid_fifth:
      return use([](T y, T d) { return ((y <= 0) | (y >= 1)) ? T{0} : d / 5; });
    case Activation::hard_sigmoid_sixth:
      return use([](T y, T d) { return ((y <= 0) | (y >= 1)) ? T{0} : d / 6; });
  }
}

/// Calls use(function) with the function of one value.
template <class T, class Use>
void with_function(const Pointwise& pointwise, Use use) {
  switch (pointwise.kind) {
    case Pointwise::Kind::rectifier:
      return use([slope = static_cast<T>(pointwise.negative_slope),
                  threshold = static_cast<T>(pointwise.threshold),
                  most = static_cast<T>(pointwise.max_value)](T x) {
        return x > threshold ? (x > most ? most : x) : slope * (x - threshold);
      });
    case Pointwise::Kind::elu:
      return use([alpha = static_cast<T>(pointwise.alpha)](T x) {
        return x > 0 ? x : alpha * std::expm1(x);
      });
    case Pointwise::Kind::gelu:
      return use(
          [](T x) { return x * std::erfc(-x * static_cast<T>(std::numbers::sqrt2 / 2)) / 2; });
    case Pointwise::Kind::silu:
      return use([](T x) { return x * sigmoid(x); });
    case Pointwise::Kind::mish:
      return use([](T x) { return x * std::tanh(softplus(x)); });
    case Pointwise::Kind::hard_silu:
      return use([](T x) { return x * within<T>(x / 6 + T(0.5), 0, 1); });
  }
}

/// Calls use(function), where function(x, d) is the derivative by the input x, from that by the
/// value, d.
template <class T, class Use>
void with_derivative(const Pointwise& pointwise, Use use) {
  switch (pointwise.kind) {
    case Pointwise::Kind::rectifier:
      return use([slope = static_cast<T>(pointwise.negative_slope),
                  threshold = static_cast<T>(pointwise.threshold),
                  most = static_cast<T>(pointwise.max_value)](T x, T d) {
        return x > threshold ? (x > most ? T{0} : d) : slope * d;
      });
    case Pointwise::Kind::elu:
      return use([alpha = static_cast<T>(pointwise.alpha)](T x, T d) {
        return x > 0 ? d : d * alpha * std::exp(x);
      });
    case Pointwise::Kind::gelu:
      return use([](T x, T d) {
        const T below = std::erfc(-x * static_cast<T>(std::numbers::sqrt2 / 2)) / 2;
        const T density =
            std::exp(-x * x / 2) * static_cast<T>(std::numbers::inv_sqrtpi / std::numbers::sqrt2);
        return d * (below + x * density);
      });
    case Pointwise::Kind::silu:
      return use([](T x, T d) {
        const T s = sigmoid(x);
        return d * s * (1 + x * (1 - s));
      });
    case Pointwise::Kind::mish:
      return use([](T x, T d) {
        const T t = std::tanh(softplus(x));
        return d * (t + x * (1 - t * t) * sigmoid(x));
      });
    case Pointwise::Kind::hard_silu:
      return use([](T x, T d) {
        return d * within<T>(x / 6 + T(0.5), 0, 1) + (((x > -3) & (x < 3)) ? d * x / 6 : T{0});
      });
  }
}

}  // namespace daig::nn
