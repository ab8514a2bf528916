#pragma once

/// A fully connected layer: outputs = activation(inputs kernel + bias).

#include <string>
#include <utility>

#include <daig/nn/layer.hpp>
#include <daig/nn/layers/kernel_and_bias.hpp>

namespace daig::nn {

/// Shapes: n x in -> n x units. Parameters: "NAME/kernel" {in, units}, "NAME/bias" {units} if used.
/// Cost of a sample: 2 in units flops forward; as many again for the kernel's gradient, and for the
/// input's where that is wanted.
template <class T>
class Dense final : public Layer<T> {
 public:
  /// Flattens its input: a sample of any shape counts as a row.
  Dense(std::string name, const Shape& input_shape, std::size_t units, Activation activation,
        Bias bias = Bias::used)
      : Layer<T>(input_shape, {units}),
        weights_(std::move(name), {elements(input_shape), units}, activation, bias) {}

  Activation activation() const { return weights_.activation(); }

  void declare(model::Layout& layout) const override { weights_.declare(layout); }
  /// See KernelAndBias::initialise.
  void initialise(std::span<T> weights, std::uint64_t seed,
                  std::uint32_t first_parameter) const override {
    weights_.initialise(weights, seed, first_parameter);
  }
  void forward(const Engine<T>& engine, const ForwardPass<T>& pass) override {
    weights_.forward(engine, pass.weights, pass.inputs, pass.outputs);
  }
  void backward(const Engine<T>& engine, const BackwardPass<T>& pass) override {
    weights_.backward(engine, pass.inputs, pass.outputs, pass.delta, pass.beta,
                      pass.wanted_gradient());
    if (pass.input_delta.empty()) return;
    engine.multiply({pass.delta}, {weights_.kernel(pass.weights), Transpose::yes}, 0,
                    pass.input_delta);
  }

 private:
  KernelAndBias<T> weights_;
};

}  // namespace daig::nn
