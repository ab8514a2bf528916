/// Loops over the positions of a window. The innermost ones go over values that lie side by side in
/// memory, the channels at least, so that a compiler vectorises them.

#include "cpu_windows.hpp"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <utility>

#include <daig/core/error.hpp>

namespace daig::nn {
namespace {

/// The taps of one axis that meet the image at one position: those from `first` to before `last`.
struct Taps {
  std::size_t first;
  std::size_t last;
  std::size_t index;  ///< in the image, of the first one
};

Taps taps_at(const WindowAxis& axis, std::size_t position) {
  const std::size_t start = position * axis.stride;  // in the padded image
  if (start >= axis.before && start - axis.before + axis.span() <= axis.in) {
    return {0, axis.kernel, start - axis.before};
  }
  const auto taps_below = [&](std::size_t end) {  // taps before this index of the padded image
    return end <= start ? 0 : std::min(axis.kernel, (end - start - 1) / axis.dilation + 1);
  };
  const std::size_t first = taps_below(axis.before);
  return {first, taps_below(axis.before + axis.in), start + first * axis.dilation - axis.before};
}

/// Of a window.
struct Position {
  std::size_t image;
  std::size_t number;  ///< over all images
  Taps down;
  Taps across;

  std::size_t taps() const { return (down.last - down.first) * (across.last - across.first); }
};

/// Calls visit(position) for each position of some lines.
template <class Visit>
void for_each_position(const Window& window, std::size_t first_line, std::size_t lines,
                       Visit visit) {
  Position at{};
  at.number = first_line * window.columns.out;
  for (std::size_t line = first_line; line < first_line + lines; ++line) {
    at.image = line / window.rows.out;
    at.down = taps_at(window.rows, line % window.rows.out);
    for (std::size_t x = 0; x < window.columns.out; ++x) {
      at.across = taps_at(window.columns, x);
      visit(std::as_const(at));
      ++at.number;
    }
  }
}

/// Calls visit(position) for each position of all images; each image is cleared just before its
/// first position, so that it is in a cache then.
template <class T, class Visit>
void for_each_position_of_cleared(const Window& window, Matrix<T> images, Visit visit) {
  for (std::size_t image = 0; image < images.rows(); ++image) {
    std::ranges::fill(images.row(image), T{0});
    for_each_position(window, image * window.rows.out, window.rows.out, visit);
  }
}

/// Calls visit(offset in the patch, offset in the image, count) for each run of values that lie
/// side by side in both: what meets the image of a row of the kernel or, where that has gaps, of a
/// tap.
template <class Visit>
void for_each_run(const Window& window, const Position& at, Visit visit) {
  const bool has_gaps = window.columns.dilation > 1;
  const std::size_t taps = at.across.last - at.across.first;
  const std::size_t runs = has_gaps ? taps : 1;
  const std::size_t count = (has_gaps ? 1 : taps) * window.channels;
  const std::size_t step = window.columns.dilation * window.channels;  // from run to run
  const std::size_t image_row = window.columns.in * window.channels;
  const std::size_t kernel_row = window.columns.kernel * window.channels;
  std::size_t in_patch = at.down.first * kernel_row + at.across.first * window.channels;
  std::size_t in_image = at.down.index * image_row + at.across.index * window.channels;
  for (std::size_t y = at.down.first; y < at.down.last; ++y) {
    for (std::size_t run = 0; run < runs; ++run) {
      visit(in_patch + run * window.channels, in_image + run * step, count);
    }
    in_patch += kernel_row;
    in_image += window.rows.dilation * image_row;
  }
}

/// Calls visit(offset in the image) for each tap that meets the image, row by row.
template <class Visit>
void for_each_tap(const Window& window, const Position& at, Visit visit) {
  const std::size_t image_row = window.columns.in * window.channels;
  std::size_t in_image = at.down.index * image_row + at.across.index * window.channels;
  for (std::size_t y = at.down.first; y < at.down.last; ++y) {
    for (std::size_t x = 0; x < at.across.last - at.across.first; ++x) {
      visit(in_image + x * window.channels);
    }
    in_image += image_row;
  }
}

bool has_padding(const WindowAxis& axis) {
  return (axis.out - 1) * axis.stride + axis.span() > axis.in;
}

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
  if (has_padding(window.rows) || has_padding(window.columns)) {
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
    for_each_tap(window, at, [&](std::size_t offset) {
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
    for_each_tap(window, at, [&](std::size_t offset) {
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
    for_each_tap(window, at, [&](std::size_t offset) {
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
    for_each_tap(window, at, [&](std::size_t offset) {
      T* const to = image_delta.row(at.image).data() + offset;
      for (std::size_t c = 0; c < channels; ++c) to[c] += from[c] / taps;
    });
  });
}

template class CpuWindows<float>;
template class CpuWindows<double>;

}  // namespace daig::nn
