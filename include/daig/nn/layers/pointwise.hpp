#pragma once

/// A function of each value as a layer.

#include <daig/nn/layer.hpp>
#include <daig/nn/pointwise.hpp>

namespace daig::nn {

/// Shapes: any -> the same. No parameters. Cost: a pass over memory forward and one backward. For
/// what is an Activation prefer that, which the layer before applies in a pass of its own.
template <class T>
class PointwiseLayer final : public Layer<T> {
 public:
  PointwiseLayer(const Shape& shape, const Pointwise& function)
      : Layer<T>(shape, shape), function_(function) {}

  const Pointwise& function() const { return function_; }

  void forward(const Engine<T>& engine, const ForwardPass<T>& pass) override {
    engine.apply(function_, pass.inputs, pass.outputs);
  }
  void backward(const Engine<T>& engine, const BackwardPass<T>& pass) override {
    if (pass.input_delta.empty()) return;
    engine.apply_backward(function_, pass.inputs, pass.delta, pass.input_delta);
  }

 private:
  Pointwise function_;
};

}  // namespace daig::nn
