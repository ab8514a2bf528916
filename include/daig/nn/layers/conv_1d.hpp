#pragma once

/// A convolution over sequences.

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include <daig/nn/layers/conv_2d.hpp>
#include <daig/nn/layers/height_one.hpp>

namespace daig::nn {

/// What a model says of a window over sequences, see WindowOptions.
struct Window1DOptions {
  std::size_t kernel = 1;
  std::size_t stride = 1;
  std::size_t dilation = 1;
  Padding padding = Padding::valid;
};

/// Shapes: {steps, channels} -> {columns.out, filters} of make_window, for an image of height 1.
/// Parameters as in Keras: "NAME/kernel" {kernel, channels, filters}, "NAME/bias" {filters} if
/// used. Softmax goes over the filters. Cost: see Conv2D.
template <class T>
class Conv1D final : public HeightOne<T> {
 public:
  /// @throws UsageError as Conv2D does, and for what is no sequence.
  Conv1D(std::string name, const Shape& sequence, std::size_t filters,
         const Window1DOptions& options, Activation activation, Bias bias = Bias::used)
      : HeightOne<T>(std::make_unique<Conv2D<T>>(
            std::move(name), image_of_height_one(sequence), filters,
            WindowOptions{
                {1, options.kernel}, {1, options.stride}, {1, options.dilation}, options.padding},
            activation, bias)) {}
};

}  // namespace daig::nn
