#pragma once

/// Sliding windows the slow way, the reference for convolution and pooling; and many of them.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <optional>
#include <ostream>
#include <span>
#include <vector>

#include <daig/nn/layer.hpp>
#include <daig/nn/window.hpp>

namespace daig::nn::test {

/// One image, read by coordinates that may lie in the padding.
class NaiveImage {
 public:
  NaiveImage(std::span<const double> values, const Shape& shape) : values_(values), shape_(shape) {}

  std::optional<double> at(std::ptrdiff_t y, std::ptrdiff_t x, std::size_t channel) const {
    if (y < 0 || x < 0) return {};
    const auto row = static_cast<std::size_t>(y);
    const auto column = static_cast<std::size_t>(x);
    if (row >= shape_[0] || column >= shape_[1]) return {};
    return values_[(row * shape_[1] + column) * shape_[2] + channel];
  }

 private:
  std::span<const double> values_;
  Shape shape_;
};

/// Index in the image of a tap along one axis, by TensorFlow's formulas.
inline std::ptrdiff_t naive_index(std::size_t in, std::size_t position, std::size_t tap,
                                  std::size_t kernel, std::size_t stride, std::size_t dilation,
                                  Padding padding) {
  const auto index = static_cast<std::ptrdiff_t>(position * stride + tap * dilation);
  if (padding == Padding::causal) {
    return index - static_cast<std::ptrdiff_t>((kernel - 1) * dilation);
  }
  std::size_t padded = 0;
  if (padding == Padding::same) {
    const std::size_t out = (in + stride - 1) / stride;
    const std::size_t covered = (out - 1) * stride + (kernel - 1) * dilation + 1;
    if (covered > in) padded = covered - in;
  }
  return index - static_cast<std::ptrdiff_t>(padded / 2);
}

/// Calls visit(ky, kx, value) for each tap at a position that meets the image.
inline void for_each_naive_tap(
    const NaiveImage& image, const Shape& shape, const WindowOptions& options, std::size_t y,
    std::size_t x, std::size_t channel,
    const std::function<void(std::size_t ky, std::size_t kx, double value)>& visit) {
  for (std::size_t ky = 0; ky < options.kernel.height; ++ky) {
    for (std::size_t kx = 0; kx < options.kernel.width; ++kx) {
      const auto value =
          image.at(naive_index(shape[0], y, ky, options.kernel.height, options.stride.height,
                               options.dilation.height, options.padding),
                   naive_index(shape[1], x, kx, options.kernel.width, options.stride.width,
                               options.dilation.width, options.padding),
                   channel);
      if (value) visit(ky, kx, *value);
    }
  }
}

struct WindowCase {
  Shape image;
  WindowOptions options;
};

inline std::ostream& operator<<(std::ostream& out, const WindowCase& window) {
  const auto& [kernel, stride, dilation, padding] = window.options;
  return out << window.image[0] << " x " << window.image[1] << " x " << window.image[2]
             << ", kernel " << kernel.height << " x " << kernel.width << ", stride "
             << stride.height << " x " << stride.width << ", dilation " << dilation.height << " x "
             << dilation.width
             << (padding == Padding::valid  ? ", valid"
                 : padding == Padding::same ? ", same"
                                            : ", causal");
}

/// Kernels of 1 to 4 (larger and smaller than strides of 1 to 3), dilations of 1 to `most_dilation`
/// where Keras has them (with stride 1), channels of 1 to 5; odd and even images.
inline std::vector<WindowCase> window_cases(std::size_t most_dilation) {
  std::vector<WindowCase> cases;
  std::size_t channels = 0;
  for (const Padding padding : {Padding::valid, Padding::same, Padding::causal}) {
    for (const std::size_t kernel : {1U, 2U, 3U, 4U}) {
      for (const std::size_t stride : {1U, 2U, 3U}) {
        for (std::size_t dilation = 1; dilation <= most_dilation; ++dilation) {
          if (dilation > 1 && stride > 1) continue;
          channels = channels % 5 + 1;
          cases.push_back({{7, 8, channels},
                           {{kernel, kernel}, {stride, stride}, {dilation, dilation}, padding}});
        }
      }
    }
  }
  cases.push_back({{5, 7, 2}, {{3, 2}, {1, 2}, {1, 1}, Padding::same}});
  cases.push_back({{6, 5, 3}, {{1, 3}, {3, 1}, {1, 1}, Padding::valid}});
  cases.push_back({{2, 1, 2}, {{4, 3}, {1, 1}, {1, 1}, Padding::same}});  // mostly padding
  cases.push_back({{1, 1, 1}, {{1, 1}, {1, 1}, {1, 1}, Padding::valid}});
  if (most_dilation > 1) {
    cases.push_back({{1, 2, 1}, {{2, 2}, {1, 1}, {2, 2}, Padding::same}});  // nothing but padding
    cases.push_back({{9, 8, 2}, {{2, 3}, {2, 2}, {2, 1}, Padding::same}});
  }
  return cases;
}

/// What a layer gives for some rows; without training.
inline std::vector<double> forward(Layer<double>& layer, std::span<const double> weights,
                                   std::span<const double> inputs, std::size_t rows) {
  const std::size_t out = elements(layer.output_shape());
  std::vector<double> outputs(rows * out);
  layer.forward(*cpu_engine<double>(),
                {weights,
                 Matrix<const double>(inputs, rows, elements(layer.input_shape())),
                 Matrix<double>(outputs, rows, out),
                 {}});
  return outputs;
}

inline double largest_difference(std::span<const double> a, std::span<const double> b) {
  double largest = a.size() == b.size() ? 0 : 1e300;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    largest = std::max(largest, std::abs(a[i] - b[i]));
  }
  return largest;
}

}  // namespace daig::nn::test
