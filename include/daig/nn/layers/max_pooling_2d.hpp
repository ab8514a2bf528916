#pragma once

/// The largest value of each window.

#include <optional>

#include <daig/nn/layer.hpp>
#include <daig/nn/window.hpp>

namespace daig::nn {

/// Shapes: {height, width, channels} -> {rows.out, columns.out, channels} of make_window. No
/// parameters. Where a window has its largest value more than once, the derivative goes to the
/// first of them, row by row.
template <class T>
class MaxPooling2D final : public Layer<T> {
 public:
  /// @param strides  of the window; its size when there are none.
  /// @throws UsageError as make_window does.
  MaxPooling2D(const Shape& image, Extents size, std::optional<Extents> strides = {},
               Padding padding = Padding::valid)
      : MaxPooling2D(make_window(image, {size, strides.value_or(size), {}, padding})) {}

  const Window& window() const { return window_; }

  void forward(const Engine<T>& engine, const ForwardPass<T>& pass) override {
    engine.max_pool(window_, pass.inputs, pass.outputs);
  }
  void backward(const Engine<T>& engine, const BackwardPass<T>& pass) override {
    if (pass.input_delta.empty()) return;
    engine.max_pool_backward(window_, pass.inputs, pass.outputs, pass.delta, pass.input_delta);
  }

 private:
  explicit MaxPooling2D(const Window& window)
      : Layer<T>({window.rows.in, window.columns.in, window.channels},
                 {window.rows.out, window.columns.out, window.channels}),
        window_(window) {}

  Window window_;
};

}  // namespace daig::nn
