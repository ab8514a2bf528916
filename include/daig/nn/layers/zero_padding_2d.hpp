#pragma once

/// Zeros round an image.

#include <cstddef>
#include <string>

#include <daig/core/error.hpp>
#include <daig/nn/layer.hpp>
#include <daig/nn/window.hpp>

namespace daig::nn {

/// Numbers of rows and columns.
struct Margins {
  std::size_t top = 0;
  std::size_t bottom = 0;
  std::size_t left = 0;
  std::size_t right = 0;
};

/// Shapes: {height, width, channels} -> {top + height + bottom, left + width + right, channels}. No
/// parameters. Cost: a copy forward and one backward.
template <class T>
class ZeroPadding2D final : public Layer<T> {
 public:
  /// @throws UsageError when the shape is not one of images, see make_window, or the padded image
  /// has more than 2^31 - 1 values.
  ZeroPadding2D(const Shape& image, const Margins& margins)
      : ZeroPadding2D(padded_window(image, margins)) {}

  void forward(const Engine<T>& engine, const ForwardPass<T>& pass) override {
    engine.gather_patches(window_, pass.inputs, 0, pass.outputs.by_columns(window_.channels));
  }
  void backward(const Engine<T>& engine, const BackwardPass<T>& pass) override {
    if (pass.input_delta.empty()) return;
    engine.clear(pass.input_delta.values());
    engine.scatter_patches(window_, pass.delta.by_columns(window_.channels), 0, pass.input_delta);
  }

 private:
  explicit ZeroPadding2D(const Window& window)
      : Layer<T>({window.rows.in, window.columns.in, window.channels},
                 {window.rows.out, window.columns.out, window.channels}),
        window_(window) {}

  static Window padded_window(const Shape& image, const Margins& margins);

  Window window_;  // of one tap: its patches are the pixels of the padded image
};

// ---------------------------------------------------------------------------------------------

template <class T>
Window ZeroPadding2D<T>::padded_window(const Shape& image, const Margins& margins) {
  Window window = make_window(image, {});
  const auto pad = [](WindowAxis& axis, std::size_t before, std::size_t after) {
    const std::size_t most = detail::most_values;
    if (before > most || after > most || before + axis.in + after > most) {
      throw UsageError("margins of " + std::to_string(before) + " and " + std::to_string(after) +
                       " make no sense: the padded image may have an extent of 2^31 - 1 at most");
    }
    axis.before = before;
    axis.out = before + axis.in + after;
  };
  pad(window.rows, margins.top, margins.bottom);
  pad(window.columns, margins.left, margins.right);
  if (!detail::can_count(window.rows.out, window.columns.out, window.channels)) {
    throw UsageError("a padded image of more than 2^31 - 1 values is absurd: use smaller margins");
  }
  return window;
}

}  // namespace daig::nn
