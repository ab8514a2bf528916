#pragma once

/// The mean of each window of a sequence.

#include <cstddef>
#include <memory>
#include <optional>

#include <daig/nn/layers/average_pooling_2d.hpp>
#include <daig/nn/layers/height_one.hpp>

namespace daig::nn {

/// Shapes: {steps, channels} -> {columns.out, channels} of make_window, for an image of height 1.
/// No parameters. Padding does not count: the mean is that of the values within the sequence.
template <class T>
class AveragePooling1D final : public HeightOne<T> {
 public:
  /// @param stride  of the window; its size when there is none.
  /// @throws UsageError as make_window does, and for what is no sequence.
  AveragePooling1D(const Shape& sequence, std::size_t size, std::optional<std::size_t> stride = {},
                   Padding padding = Padding::valid)
      : HeightOne<T>(
            std::make_unique<AveragePooling2D<T>>(image_of_height_one(sequence), Extents{1, size},
                                                  Extents{1, stride.value_or(size)}, padding)) {}
};

}  // namespace daig::nn
