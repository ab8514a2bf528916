#pragma once

/// A fully connected layer: outputs = activation(inputs kernel + bias).

#include <cmath>
#include <string>

#include <daig/core/random.hpp>
#include <daig/nn/layer.hpp>

namespace daig::nn {

/// Shapes: n x in -> n x units. Parameters: "NAME/kernel" {in, units}, "NAME/bias" {units}.
/// Cost of a sample: 2 in units flops forward; as many again for the kernel's gradient, and for the
/// input's where that is wanted.
template <class T>
class Dense final : public Layer<T> {
 public:
  /// Flattens its input: a sample of any shape counts as a row.
  Dense(std::string name, const Shape& input_shape, std::size_t units, Activation activation);

  Activation activation() const { return activation_; }

  void declare(model::Layout& layout) const override;
  /// Biases 0. Kernel for relu: normal, standard deviation sqrt(2 / in) (He et al., "Delving deep
  /// into rectifiers", 2015, equation 10); else uniform within +- sqrt(6 / (in + units)) (Glorot,
  /// Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010,
  /// equation 16).
  void initialise(std::span<T> weights, std::uint64_t seed,
                  std::uint32_t first_parameter) const override;
  void forward(const Engine<T>& engine, const ForwardPass<T>& pass) override;
  void backward(const Engine<T>& engine, const BackwardPass<T>& pass) override;

 private:
  Matrix<const T> kernel(std::span<const T> weights) const {
    return {weights.first(in_ * units_), in_, units_};
  }

  std::string name_;
  std::size_t in_;
  std::size_t units_;
  Activation activation_;
};

// ---------------------------------------------------------------------------------------------

template <class T>
Dense<T>::Dense(std::string name, const Shape& input_shape, std::size_t units,
                Activation activation)
    : Layer<T>(input_shape, {units}),
      name_(std::move(name)),
      in_(elements(input_shape)),
      units_(units),
      activation_(activation) {
  expects(in_ > 0 && units_ > 0, "at least one input and one unit");
}

template <class T>
void Dense<T>::declare(model::Layout& layout) const {
  layout.add(name_ + "/kernel", {in_, units_});
  layout.add(name_ + "/bias", {units_});
}

template <class T>
void Dense<T>::initialise(std::span<T> weights, std::uint64_t seed,
                          std::uint32_t first_parameter) const {
  Random random(seed, Stream::weights, first_parameter);
  const auto in = static_cast<double>(in_);
  const double deviation = std::sqrt(2.0 / in);
  const double limit = std::sqrt(6.0 / (in + static_cast<double>(units_)));
  const bool he = activation_ == Activation::relu;
  for (T& weight : weights.first(in_ * units_)) {
    weight = static_cast<T>(he ? deviation * random.normal() : random.uniform(-limit, limit));
  }
  for (T& bias : weights.subspan(in_ * units_)) bias = 0;
}

template <class T>
void Dense<T>::forward(const Engine<T>& engine, const ForwardPass<T>& pass) {
  engine.multiply({pass.inputs}, {kernel(pass.weights)}, 0, pass.outputs);
  engine.bias_activate(pass.weights.subspan(in_ * units_), activation_, pass.outputs);
}

template <class T>
void Dense<T>::backward(const Engine<T>& engine, const BackwardPass<T>& pass) {
  // From here on delta is d loss / d (inputs kernel + bias).
  engine.activate_backward(activation_, pass.outputs, pass.delta, pass.delta);
  engine.bias_gradient(pass.delta, pass.beta, pass.gradient.subspan(in_ * units_));
  const Matrix<T> kernel_gradient(pass.gradient.first(in_ * units_), in_, units_);
  engine.multiply({pass.inputs, Transpose::yes}, {pass.delta}, pass.beta, kernel_gradient);
  if (pass.input_delta.empty()) return;
  engine.multiply({pass.delta}, {kernel(pass.weights), Transpose::yes}, 0, pass.input_delta);
}

}  // namespace daig::nn
