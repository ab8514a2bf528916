#pragma once

/// The mean of each window.

#include <optional>

#include <daig/nn/layer.hpp>
#include <daig/nn/window.hpp>

namespace daig::nn {

/// Shapes: {height, width, channels} -> {rows.out, columns.out, channels} of make_window. No
/// parameters. Padding does not count: the mean is that of the values within the image.
template <class T>
class AveragePooling2D final : public Layer<T> {
 public:
  /// @param strides  of the window; its size when there are none.
  /// @throws UsageError as make_window does.
  AveragePooling2D(const Shape& image, Extents size, std::optional<Extents> strides = {},
                   Padding padding = Padding::valid)
      : AveragePooling2D(make_window(image, {size, strides.value_or(size), {}, padding})) {}

  const Window& window() const { return window_; }

  void forward(const Engine<T>& engine, const ForwardPass<T>& pass) override {
    engine.average_pool(window_, pass.inputs, pass.outputs);
  }
  void backward(const Engine<T>& engine, const BackwardPass<T>& pass) override {
    if (pass.input_delta.empty()) return;
    engine.average_pool_backward(window_, pass.delta, pass.input_delta);
  }

 private:
  explicit AveragePooling2D(const Window& window)
      : Layer<T>({window.rows.in, window.columns.in, window.channels},
                 {window.rows.out, window.columns.out, window.channels}),
        window_(window) {}

  Window window_;
};

}  // namespace daig::nn
