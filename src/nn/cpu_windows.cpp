/// Loops over the positions of a window. The innermost ones go over values that lie side by side in
/// memory, the channels at least, so that a compiler vectorises them.

#include "cpu_windows.hpp"

#include <algorithm>
#include <cstddef>
#include <limits>

#include <daig/core/error.hpp>

#include "window_positions.hpp"

namespace daig::nn {
namespace {

template <class T>
std::size_t check_patches(const Window& window, Matrix<const T> images, std::size_t first_line,
                          Matrix<const T> patches) {
  const std::size_t lines = patches.rows() / window.columns.out;
  expects(images.columns() == window.image_size(), "images as large as the window's");
  expects(patches.columns() == window.patch_size(), "patches as large as the window");
  expects(patches.rows() == lines * window.columns.out, "whole lines of patches");
  expects(first_line + lines <= images.rows() * window.rows.out, "lines within the images");
  return lines;
}

template <class T>
void check_pooling(const Window& window, Matrix<const T> images, Matrix<const T> pooled) {
  expects(window.rows.dilation == 1 && window.columns.dilation == 1,
          "a pooling window without dilation");
  expects(images.columns() == window.image_size(), "images as large as the window's");
  expects(
      pooled.rows() == images.rows() && pooled.columns() == window.positions() * window.channels,
      "pooled images of a value for each position and channel");
}

}  // namespace

template <class T>
void CpuWindows<T>::gather_patches(const Window& window, Matrix<const T> images,
                                   std::size_t first_line, Matrix<T> patches) const {
  const std::size_t lines = check_patches<T>(window, images, first_line, patches);
  if (window.rows.is_padded() || window.columns.is_padded()) {
    std::ranges::fill(patches.values(), T{0});
  }
  T* to = patches.values().data();
  for_each_position(window, first_line, lines, [&](const Position& at) {
    const T* const from = images.row(at.image).data();
    for_each_run(window, at, [&](std::size_t in_patch, std::size_t in_image, std::size_t count) {
      std::copy_n(from + in_image, count, to + in_patch);
    });
    to += patches.columns();
  });
}

template <class T>
void CpuWindows<T>::scatter_patches(const Window& window, Matrix<const T> patches,
                                    std::size_t first_line, Matrix<T> images) const {
  const std::size_t lines = check_patches<T>(window, images, first_line, patches);
  const T* from = patches.values().data();
  for_each_position(window, first_line, lines, [&](const Position& at) {
    T* const to = images.row(at.image).data();
    for_each_run(window, at, [&](std::size_t in_patch, std::size_t in_image, std::size_t count) {
      for (std::size_t i = 0; i < count; ++i) to[in_image + i] += from[in_patch + i];
    });
    from += patches.columns();
  });
}

template <class T>
void CpuWindows<T>::max_pool(const Window& window, Matrix<const T> images, Matrix<T> pooled) const {
  check_pooling<T>(window, images, pooled);
  const std::size_t channels = window.channels;
  for_each_position(window, 0, images.rows() * window.rows.out, [&](const Position& at) {
    T* const largest = pooled.values().data() + at.number * channels;
    std::fill_n(largest, channels, -std::numeric_limits<T>::infinity());
    for_each_tap(window, at, [&](std::size_t, std::size_t offset) {
      const T* const from = images.row(at.image).data() + offset;
      for (std::size_t c = 0; c < channels; ++c) {
        // A NaN is larger than all: it must not be hidden from the loss.
        const bool larger = (from[c] > largest[c]) | (from[c] != from[c]);
        largest[c] = larger ? from[c] : largest[c];
      }
    });
  });
}

template <class T>
void CpuWindows<T>::max_pool_backward(const Window& window, Matrix<const T> images,
                                      Matrix<const T> pooled, Matrix<T> delta,
                                      Matrix<T> image_delta) const {
  check_pooling<T>(window, images, pooled);
  check_pooling<T>(window, image_delta, delta);
  const std::size_t channels = window.channels;
  for_each_position_of_cleared(window, image_delta, [&](const Position& at) {
    const T* const largest = pooled.values().data() + at.number * channels;
    T* const rest = delta.values().data() + at.number * channels;  // what no tap has taken yet
    for_each_tap(window, at, [&](std::size_t, std::size_t offset) {
      const T* const from = images.row(at.image).data() + offset;
      T* const to = image_delta.row(at.image).data() + offset;
      for (std::size_t c = 0; c < channels; ++c) {
        // Not by branches: they could not be predicted, nor vectorised.
        const T taken = from[c] == largest[c] ? rest[c] : T{0};
        to[c] += taken;
        rest[c] -= taken;
      }
    });
  });
}

template <class T>
void CpuWindows<T>::average_pool(const Window& window, Matrix<const T> images,
                                 Matrix<T> pooled) const {
  check_pooling<T>(window, images, pooled);
  const std::size_t channels = window.channels;
  std::ranges::fill(pooled.values(), T{0});
  for_each_position(window, 0, images.rows() * window.rows.out, [&](const Position& at) {
    T* const to = pooled.values().data() + at.number * channels;
    for_each_tap(window, at, [&](std::size_t, std::size_t offset) {
      const T* const from = images.row(at.image).data() + offset;
      for (std::size_t c = 0; c < channels; ++c) to[c] += from[c];
    });
    const auto taps = static_cast<T>(at.taps());
    for (std::size_t c = 0; c < channels; ++c) to[c] /= taps;
  });
}

template <class T>
void CpuWindows<T>::average_pool_backward(const Window& window, Matrix<const T> delta,
                                          Matrix<T> image_delta) const {
  check_pooling<T>(window, image_delta, delta);
  const std::size_t channels = window.channels;
  for_each_position_of_cleared(window, image_delta, [&](const Position& at) {
    const T* const from = delta.values().data() + at.number * channels;
    const auto taps = static_cast<T>(at.taps());
    for_each_tap(window, at, [&](std::size_t, std::size_t offset) {
      T* const to = image_delta.row(at.image).data() + offset;
      for (std::size_t c = 0; c < channels; ++c) to[c] += from[c] / taps;
    });
  });
}

template class CpuWindows<float>;
template class CpuWindows<double>;

}  // namespace daig::nn
