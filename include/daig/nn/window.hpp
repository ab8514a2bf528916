#pragma once

/// The geometry of a window that slides over an image: what convolution and pooling have in common.

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>

#include <daig/core/error.hpp>

namespace daig::nn {

/// valid: the window stays within the image. same: the image is padded so that there are
/// ceil(in / stride) positions. causal: as many, padded before the image only, so that no position
/// sees what comes after it.
enum class Padding { valid, same, causal };

struct Extents {
  std::size_t height = 1;
  std::size_t width = 1;
};

/// What a model says of a window.
struct WindowOptions {
  Extents kernel{};
  Extents stride{};
  Extents dilation{};  ///< distance between neighbouring taps of the kernel
  Padding padding = Padding::valid;
};

/// A window along one axis. Tap t at position p is at index p stride + t dilation - before of the
/// image: in the padding when that is below 0, or in or more.
struct WindowAxis {
  std::size_t in = 1;      ///< extent of the image
  std::size_t kernel = 1;  ///< number of taps
  std::size_t stride = 1;
  std::size_t dilation = 1;
  std::size_t before = 0;  ///< padding on the top or the left
  std::size_t out = 1;     ///< number of positions

  /// From the first tap to the last one.
  std::size_t span() const { return (kernel - 1) * dilation + 1; }
  /// Whether some taps are in the padding.
  bool is_padded() const { return before > 0 || (out - 1) * stride + span() > in; }
};

/// A window over images {height, width, channels}. No image and no patch (what lies under the
/// window) has more than 2^31 - 1 values, so that BLAS can count them.
struct Window {
  WindowAxis rows;
  WindowAxis columns;
  std::size_t channels = 1;

  std::size_t image_size() const { return rows.in * columns.in * channels; }
  std::size_t patch_size() const { return rows.kernel * columns.kernel * channels; }
  /// Of one image.
  std::size_t positions() const { return rows.out * columns.out; }
  /// Whether the patches, one after the other, are the image as it is.
  bool is_identity() const;
};

/// By the rules of Keras and TensorFlow (TensorFlow's documentation, tf.nn, "Notes on padding").
/// With padding same, (out - 1) stride + span - in are padded, if that is positive, the smaller
/// half before. With padding causal, span - 1 are padded before.
/// @param image  {height, width, channels}.
/// @throws UsageError when that is no image, an extent is 0 or too large, or the window is larger
/// than the image and the padding is valid.
Window make_window(std::span<const std::size_t> image, const WindowOptions& options);

/// The window that has one position: the whole image. @throws as make_window does.
Window make_window_of_whole(std::span<const std::size_t> image);

// ---------------------------------------------------------------------------------------------

namespace detail {

inline constexpr std::size_t most_values = std::numeric_limits<std::int32_t>::max();

/// Each factor is at most most_values already: two of them can be multiplied, and a third is tried.
inline bool can_count(std::size_t a, std::size_t b, std::size_t c) {
  return a * b <= most_values && a * b * c <= most_values;
}

inline std::size_t checked_extent(std::size_t extent, std::string_view what) {
  if (extent > 0 && extent <= most_values) return extent;
  throw UsageError(std::string(what) + " " + std::to_string(extent) +
                   " makes no sense: it has to be from 1 to 2^31 - 1");
}

/// @param axis_name  "height" or "width".
inline WindowAxis make_axis(std::string_view axis_name, std::size_t in, std::size_t kernel,
                            std::size_t stride, std::size_t dilation, Padding padding) {
  const std::string of_axis = " (" + std::string(axis_name) + ")";
  WindowAxis axis{
      checked_extent(in, "image extent" + of_axis), checked_extent(kernel, "kernel" + of_axis),
      checked_extent(stride, "stride" + of_axis), checked_extent(dilation, "dilation" + of_axis)};
  const std::size_t span = axis.span();  // below 2^62
  if (padding == Padding::causal) {
    axis.out = (in - 1) / stride + 1;
    axis.before = span - 1;
    return axis;
  }
  if (padding == Padding::same) {
    axis.out = (in - 1) / stride + 1;
    const std::size_t covered = (axis.out - 1) * stride + span;
    axis.before = covered > in ? (covered - in) / 2 : 0;
    return axis;
  }
  if (span > in) {
    throw UsageError("a window of " + std::string(axis_name) + " " + std::to_string(span) +
                     " (kernel " + std::to_string(kernel) + ", dilation " +
                     std::to_string(dilation) + ") does not fit into an image of " +
                     std::string(axis_name) + " " + std::to_string(in) +
                     ": make it smaller, or pad the image (padding same)");
  }
  axis.out = (in - span) / stride + 1;
  return axis;
}

}  // namespace detail

inline bool Window::is_identity() const {
  return rows.kernel == 1 && columns.kernel == 1 && rows.stride == 1 && columns.stride == 1 &&
         rows.out == rows.in && columns.out == columns.in;
}

inline Window make_window(std::span<const std::size_t> image, const WindowOptions& options) {
  if (image.size() != 3) {
    throw UsageError("a window slides over images {height, width, channels}, but the shape has " +
                     std::to_string(image.size()) +
                     " axes: put a Reshape before this layer, e.g. to {28, 28, 1}");
  }
  const Window window{
      detail::make_axis("height", image[0], options.kernel.height, options.stride.height,
                        options.dilation.height, options.padding),
      detail::make_axis("width", image[1], options.kernel.width, options.stride.width,
                        options.dilation.width, options.padding),
      detail::checked_extent(image[2], "number of channels")};
  if (!detail::can_count(image[0], image[1], image[2])) {
    throw UsageError("an image of more than 2^31 - 1 values is more than BLAS can count");
  }
  if (!detail::can_count(options.kernel.height, options.kernel.width, image[2])) {
    throw UsageError(
        "a window over more than 2^31 - 1 values is more than BLAS can count: use a "
        "smaller kernel");
  }
  return window;
}

inline Window make_window_of_whole(std::span<const std::size_t> image) {
  const bool has_extents = image.size() == 3;  // else make_window tells
  return make_window(image, {.kernel = has_extents ? Extents{image[0], image[1]} : Extents{}});
}

}  // namespace daig::nn
