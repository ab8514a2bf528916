/// A tap at a time, over all channels, which lie side by side in memory.

#include "cpu_depthwise.hpp"

#include <algorithm>
#include <cstddef>

#include <daig/core/error.hpp>

#include "window_positions.hpp"

namespace daig::nn {
namespace {

/// Calls visit(channel, output) for each output {channel, m} of a position; the usual multiplier of
/// 1 has a loop of its own, which a compiler vectorises.
template <class Visit>
void for_each_output(std::size_t channels, std::size_t multiplier, Visit visit) {
  if (multiplier == 1) {
    for (std::size_t c = 0; c < channels; ++c) visit(c, c);
    return;
  }
  for (std::size_t c = 0; c < channels; ++c) {
    for (std::size_t m = 0; m < multiplier; ++m) visit(c, c * multiplier + m);
  }
}

template <class T>
void check(const Window& window, Matrix<const T> images, Matrix<const T> kernel,
           Matrix<const T> outputs) {
  expects(images.columns() == window.image_size(), "images as large as the window's");
  expects(kernel.rows() == window.patch_size(), "a kernel as large as the window");
  expects(outputs.rows() == images.rows() &&
              outputs.columns() == window.positions() * window.channels * kernel.columns(),
          "outputs for each position and channel");
}

}  // namespace

template <class T>
void CpuDepthwise<T>::convolve_depthwise(const Window& window, Matrix<const T> images,
                                         Matrix<const T> kernel, Matrix<T> outputs) const {
  check<T>(window, images, kernel, outputs);
  const std::size_t multiplier = kernel.columns();
  const std::size_t count = window.channels * multiplier;  // of a position's outputs
  std::ranges::fill(outputs.values(), T{0});
  for_each_position(window, 0, images.rows() * window.rows.out, [&](const Position& at) {
    T* const to = outputs.values().data() + at.number * count;
    for_each_tap(window, at, [&](std::size_t tap, std::size_t offset) {
      const T* const from = images.row(at.image).data() + offset;
      const T* const factors = kernel.values().data() + tap * count;
      for_each_output(window.channels, multiplier, [=](std::size_t c, std::size_t output) {
        to[output] += from[c] * factors[output];
      });
    });
  });
}

template <class T>
void CpuDepthwise<T>::convolve_depthwise_backward(const Window& window, Matrix<const T> images,
                                                  Matrix<const T> kernel, Matrix<const T> delta,
                                                  T beta, Matrix<T> gradient,
                                                  Matrix<T> image_delta) const {
  check<T>(window, images, kernel, delta);
  expects(gradient.rows() == kernel.rows() && gradient.columns() == kernel.columns(),
          "a gradient as large as the kernel");
  const std::size_t multiplier = kernel.columns();
  const std::size_t count = window.channels * multiplier;
  if (beta == 0) std::ranges::fill(gradient.values(), T{0});
  if (beta != 0 && beta != 1) {
    for (T& sum : gradient.values()) sum *= beta;
  }
  const auto add_gradient = [&](const Position& at) {
    const T* const by_output = delta.values().data() + at.number * count;
    for_each_tap(window, at, [&](std::size_t tap, std::size_t offset) {
      const T* const from = images.row(at.image).data() + offset;
      T* const to = gradient.values().data() + tap * count;
      for_each_output(window.channels, multiplier, [=](std::size_t c, std::size_t output) {
        to[output] += from[c] * by_output[output];
      });
    });
  };
  if (image_delta.empty()) {
    for_each_position(window, 0, images.rows() * window.rows.out, add_gradient);
    return;
  }
  expects(image_delta.rows() == images.rows() && image_delta.columns() == images.columns(),
          "a derivative for each value of the images");
  for_each_position_of_cleared(window, image_delta, [&](const Position& at) {
    add_gradient(at);
    const T* const by_output = delta.values().data() + at.number * count;
    for_each_tap(window, at, [&](std::size_t tap, std::size_t offset) {
      T* const to = image_delta.row(at.image).data() + offset;
      const T* const factors = kernel.values().data() + tap * count;
      for_each_output(window.channels, multiplier, [=](std::size_t c, std::size_t output) {
        to[c] += by_output[output] * factors[output];
      });
    });
  });
}

template class CpuDepthwise<float>;
template class CpuDepthwise<double>;

}  // namespace daig::nn
