#pragma once

/// The part of the engine over BLAS that convolves channels on their own.

#include <daig/nn/engine.hpp>

namespace daig::nn {

template <class T>
class CpuDepthwise : public virtual Engine<T> {
 public:
  void convolve_depthwise(const Window& window, Matrix<const T> images, Matrix<const T> kernel,
                          Matrix<T> outputs) const override;
  void convolve_depthwise_backward(const Window& window, Matrix<const T> images,
                                   Matrix<const T> kernel, Matrix<const T> delta, T beta,
                                   Matrix<T> gradient, Matrix<T> image_delta) const override;
};

}  // namespace daig::nn
