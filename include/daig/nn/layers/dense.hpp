#pragma once

/// A fully connected layer: outputs = activation(inputs kernel + bias).

#include <cstddef>
#include <string>
#include <utility>

#include <daig/core/error.hpp>
#include <daig/nn/layer.hpp>
#include <daig/nn/layers/kernel_and_bias.hpp>

namespace daig::nn {

/// Shapes: {..., in} -> {..., units}: it applies to the last axis, as in Keras; a Flatten before it
/// makes one axis of all. Parameters: "NAME/kernel" {in, units}, "NAME/bias" {units} if used. Cost
/// of a sample: 2 in units flops forward for each place on the other axes; as many again for the
/// kernel's gradient, and for the input's where that is wanted.
template <class T>
class Dense final : public Layer<T> {
 public:
  /// Expects at least one axis, the last one not of extent 0, and a unit.
  Dense(std::string name, const Shape& input_shape, std::size_t units, Activation activation,
        Bias bias = Bias::used)
      : Layer<T>(input_shape, with_last(input_shape, units)),
        weights_(std::move(name), {input_shape.back(), units}, activation, bias) {}

  Activation activation() const { return weights_.activation(); }

  void declare(model::Layout& layout) const override { weights_.declare(layout); }
  /// See KernelAndBias::initialise.
  void initialise(std::span<T> weights, std::uint64_t seed,
                  std::uint32_t first_parameter) const override {
    weights_.initialise(weights, seed, first_parameter);
  }
  void forward(const Engine<T>& engine, const ForwardPass<T>& pass) override {
    weights_.forward(engine, pass.weights, inputs(pass.inputs), outputs(pass.outputs));
  }
  void backward(const Engine<T>& engine, const BackwardPass<T>& pass) override {
    const Matrix<T> delta = outputs(pass.delta);
    weights_.backward(engine, inputs(pass.inputs), outputs(pass.outputs), delta, pass.beta,
                      pass.wanted_gradient());
    if (pass.input_delta.empty()) return;
    engine.multiply({delta}, {weights_.kernel(pass.weights), Transpose::yes}, 0,
                    inputs(pass.input_delta));
  }

 private:
  static Shape with_last(Shape shape, std::size_t units) {
    expects(!shape.empty(), "at least one axis");
    shape.back() = units;
    return shape;
  }
  template <class U>
  Matrix<U> inputs(Matrix<U> samples) const {
    return samples.by_columns(this->input_shape().back());
  }
  template <class U>
  Matrix<U> outputs(Matrix<U> samples) const {
    return samples.by_columns(this->output_shape().back());
  }

  KernelAndBias<T> weights_;
};

}  // namespace daig::nn
