#pragma once

/// A sample of any shape as a vector.

#include <daig/nn/layers/reshape.hpp>

namespace daig::nn {

/// Shapes: any -> {its number of values}. No parameters. See Reshape.
template <class T>
class Flatten final : public Reshape<T> {
 public:
  explicit Flatten(const Shape& input_shape) : Reshape<T>(input_shape, {elements(input_shape)}) {}
};

}  // namespace daig::nn
