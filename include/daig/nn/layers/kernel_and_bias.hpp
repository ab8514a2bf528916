#pragma once

/// What layers have in common that multiply rows by a kernel: activation(rows kernel + bias).

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include <daig/core/random.hpp>
#include <daig/model/layout.hpp>
#include <daig/nn/engine.hpp>
#include <daig/nn/layer.hpp>

namespace daig::nn {

enum class Bias { none, used };

/// The meaning of such a layer's weights: "NAME/kernel", its last two axes {in, units}, and
/// "NAME/bias" {units} if used. All but the last axis together are the rows of the kernel.
template <class T>
class KernelAndBias {
 public:
  /// Expects at least two axes, none of them 0.
  KernelAndBias(std::string name, Shape kernel_shape, Activation activation, Bias bias);

  Activation activation() const { return activation_; }
  Bias bias() const { return bias_; }

  void declare(model::Layout& layout) const;
  /// Biases 0. Kernel for relu: normal, standard deviation sqrt(2 / fan_in) (He et al., "Delving
  /// deep into rectifiers", 2015, equation 10); else uniform within +- sqrt(6 / (fan_in + fan_out))
  /// (Glorot, Bengio, "Understanding the difficulty of training deep feedforward neural networks",
  /// 2010, equation 16). As in Keras a fan is in or units, times the axes before these.
  void initialise(std::span<T> weights, std::uint64_t seed, std::uint32_t first_parameter) const;

  Matrix<const T> kernel(std::span<const T> weights) const {
    return {weights.first(rows_ * units_), rows_, units_};
  }
  Matrix<T> kernel(std::span<T> weights) const {
    return {weights.first(rows_ * units_), rows_, units_};
  }

  /// outputs = activation(rows kernel + bias).
  void forward(const Engine<T>& engine, std::span<const T> weights, Matrix<const T> rows,
               Matrix<T> outputs) const;
  /// Turns delta, d loss / d outputs, into d loss / d (rows kernel + bias), and from that makes
  /// gradient = d loss / d weights + beta gradient, unless the gradient is empty.
  void backward(const Engine<T>& engine, Matrix<const T> rows, Matrix<const T> outputs,
                Matrix<T> delta, T beta, std::span<T> gradient) const;

 private:
  std::string name_;
  Shape kernel_shape_;
  std::size_t units_;
  std::size_t rows_;
  Activation activation_;
  Bias bias_;
};

// ---------------------------------------------------------------------------------------------

template <class T>
KernelAndBias<T>::KernelAndBias(std::string name, Shape kernel_shape, Activation activation,
                                Bias bias)
    : name_(std::move(name)),
      kernel_shape_(std::move(kernel_shape)),
      units_(kernel_shape_.back()),
      rows_(units_ == 0 ? 0 : elements(kernel_shape_) / units_),
      activation_(activation),
      bias_(bias) {
  expects(kernel_shape_.size() >= 2 && rows_ > 0, "at least one input and one unit");
}

template <class T>
void KernelAndBias<T>::declare(model::Layout& layout) const {
  layout.add(name_ + "/kernel", kernel_shape_);
  if (bias_ == Bias::used) layout.add(name_ + "/bias", {units_});
}

template <class T>
void KernelAndBias<T>::initialise(std::span<T> weights, std::uint64_t seed,
                                  std::uint32_t first_parameter) const {
  Random random(seed, Stream::weights, first_parameter);
  const std::size_t in = kernel_shape_[kernel_shape_.size() - 2];
  const auto fan_in = static_cast<double>(rows_);
  const double fan_out = fan_in / static_cast<double>(in) * static_cast<double>(units_);
  const double deviation = std::sqrt(2.0 / fan_in);
  const double limit = std::sqrt(6.0 / (fan_in + fan_out));
  const bool he = activation_ == Activation::relu;
  for (T& weight : kernel(weights).values()) {
    weight = static_cast<T>(he ? deviation * random.normal() : random.uniform(-limit, limit));
  }
  for (T& bias : weights.subspan(rows_ * units_)) bias = 0;
}

template <class T>
void KernelAndBias<T>::forward(const Engine<T>& engine, std::span<const T> weights,
                               Matrix<const T> rows, Matrix<T> outputs) const {
  engine.multiply({rows}, {kernel(weights)}, 0, outputs);
  if (bias_ == Bias::used) {
    engine.bias_activate(weights.subspan(rows_ * units_), activation_, outputs);
  } else if (activation_ != Activation::linear) {
    engine.activate(activation_, outputs, outputs);
  }
}

template <class T>
void KernelAndBias<T>::backward(const Engine<T>& engine, Matrix<const T> rows,
                                Matrix<const T> outputs, Matrix<T> delta, T beta,
                                std::span<T> gradient) const {
  engine.activate_backward(activation_, outputs, delta, delta);
  if (gradient.empty()) return;
  if (bias_ == Bias::used) {
    engine.bias_gradient(delta, beta, gradient.subspan(rows_ * units_));
  }
  engine.multiply({rows, Transpose::yes}, {delta}, beta, kernel(gradient));
}

}  // namespace daig::nn
