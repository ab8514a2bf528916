#pragma once

/// Another shape for the same values.

#include <string>
#include <utility>

#include <daig/core/error.hpp>
#include <daig/nn/layer.hpp>

namespace daig::nn {

/// Shapes: any -> another one of as many values, row-major as they are. No parameters. Cost: a copy
/// forward and one backward.
template <class T>
class Reshape : public Layer<T> {
 public:
  /// @throws UsageError when the shapes differ in their numbers of values.
  Reshape(const Shape& input_shape, Shape output_shape)
      : Layer<T>(input_shape, std::move(output_shape)) {
    const std::size_t in = elements(this->input_shape());
    const std::size_t out = elements(this->output_shape());
    if (in == out) return;
    throw UsageError("a sample of " + std::to_string(in) + " values cannot take a shape of " +
                     std::to_string(out) + ": the extents' products have to agree");
  }

  void forward(const Engine<T>& engine, const ForwardPass<T>& pass) override {
    engine.activate(Activation::linear, pass.inputs, pass.outputs);
  }
  void backward(const Engine<T>& engine, const BackwardPass<T>& pass) override {
    if (pass.input_delta.empty()) return;
    engine.activate(Activation::linear, pass.delta, pass.input_delta);
  }
};

}  // namespace daig::nn
