#pragma once

/// The mean of each channel of a sequence.

#include <memory>

#include <daig/nn/layers/global_average_pooling_2d.hpp>
#include <daig/nn/layers/height_one.hpp>

namespace daig::nn {

/// Shapes: {steps, channels} -> {channels}. No parameters. See GlobalAveragePooling2D.
template <class T>
class GlobalAveragePooling1D final : public HeightOne<T> {
 public:
  /// @throws UsageError when the shape is not one of sequences, see make_window.
  explicit GlobalAveragePooling1D(const Shape& sequence)
      : HeightOne<T>(std::make_unique<GlobalAveragePooling2D<T>>(image_of_height_one(sequence))) {}
};

}  // namespace daig::nn
