#pragma once

/// Where a window is, position by position, and what of an image lies under it there.

#include <algorithm>
#include <cstddef>
#include <utility>

#include <daig/nn/matrix.hpp>
#include <daig/nn/window.hpp>

namespace daig::nn {

/// The taps of one axis that meet the image at one position: those from `first` to before `last`.
struct Taps {
  std::size_t first;
  std::size_t last;
  std::size_t index;  ///< in the image, of the first one
};

inline Taps taps_at(const WindowAxis& axis, std::size_t position) {
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
  const std::size_t runs = has_gaps ? taps : std::min<std::size_t>(taps, 1);
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

/// Calls visit(number of the tap, offset in the image) for each tap that meets the image, row by
/// row.
template <class Visit>
void for_each_tap(const Window& window, const Position& at, Visit visit) {
  const std::size_t image_row = window.columns.in * window.channels;
  std::size_t in_image = at.down.index * image_row + at.across.index * window.channels;
  for (std::size_t y = at.down.first; y < at.down.last; ++y) {
    for (std::size_t x = 0; x < at.across.last - at.across.first; ++x) {
      visit(y * window.columns.kernel + at.across.first + x,
            in_image + x * window.columns.dilation * window.channels);
    }
    in_image += window.rows.dilation * image_row;
  }
}

}  // namespace daig::nn
