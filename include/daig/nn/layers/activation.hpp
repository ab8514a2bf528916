#pragma once

/// An activation as a layer of its own, for models that do not state it in the layer before.

#include <daig/nn/layer.hpp>

namespace daig::nn {

/// Shapes: any -> the same; softmax goes over the whole sample. No parameters. Prefer a Dense with
/// an activation, which saves a pass over memory.
template <class T>
class ActivationLayer final : public Layer<T> {
 public:
  ActivationLayer(const Shape& shape, Activation activation)
      : Layer<T>(shape, shape), activation_(activation) {}

  Activation activation() const { return activation_; }

  void forward(const Engine<T>& engine, const ForwardPass<T>& pass) override {
    engine.activate(activation_, pass.inputs, pass.outputs);
  }

  void backward(const Engine<T>& engine, const BackwardPass<T>& pass) override {
    if (pass.input_delta.empty()) return;
    engine.activate_backward(activation_, pass.outputs, pass.delta, pass.input_delta);
  }

 private:
  Activation activation_;
};

}  // namespace daig::nn
