#pragma once

/// An activation as a layer of its own, for models that do not state it in the layer before.

#include <daig/nn/layer.hpp>

namespace daig::nn {

/// Shapes: any -> the same; softmax goes over the last axis. No parameters. Prefer a Dense with
/// an activation, which saves a pass over memory.
template <class T>
class ActivationLayer final : public Layer<T> {
 public:
  ActivationLayer(const Shape& shape, Activation activation)
      : Layer<T>(shape, shape), activation_(activation) {}

  Activation activation() const { return activation_; }

  void forward(const Engine<T>& engine, const ForwardPass<T>& pass) override {
    engine.activate(activation_, rows(pass.inputs), rows(pass.outputs));
  }

  void backward(const Engine<T>& engine, const BackwardPass<T>& pass) override {
    if (pass.input_delta.empty()) return;
    engine.activate_backward(activation_, rows(pass.outputs), rows<const T>(pass.delta),
                             rows(pass.input_delta));
  }

 private:
  template <class U>
  Matrix<U> rows(Matrix<U> samples) const {
    return samples.by_columns(this->input_shape().back());
  }

  Activation activation_;
};

}  // namespace daig::nn
