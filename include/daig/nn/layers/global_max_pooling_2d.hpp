#pragma once

/// The largest value of each channel of an image.

#include <daig/nn/layer.hpp>
#include <daig/nn/window.hpp>

namespace daig::nn {

/// Shapes: {height, width, channels} -> {channels}. No parameters. The derivative goes to the first
/// of the largest values, row by row.
template <class T>
class GlobalMaxPooling2D final : public Layer<T> {
 public:
  /// @throws UsageError when the shape is not one of images, see make_window.
  explicit GlobalMaxPooling2D(const Shape& image)
      : Layer<T>(image, {make_window_of_whole(image).channels}),
        window_(make_window_of_whole(image)) {}

  void forward(const Engine<T>& engine, const ForwardPass<T>& pass) override {
    engine.max_pool(window_, pass.inputs, pass.outputs);
  }
  void backward(const Engine<T>& engine, const BackwardPass<T>& pass) override {
    if (pass.input_delta.empty()) return;
    engine.max_pool_backward(window_, pass.inputs, pass.outputs, pass.delta, pass.input_delta);
  }

 private:
  Window window_;
};

}  // namespace daig::nn
