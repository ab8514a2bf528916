#pragma once

/// The part of the engine over BLAS that slides windows over images.

#include <cstddef>

#include <daig/nn/engine.hpp>

namespace daig::nn {

template <class T>
class CpuWindows : public virtual Engine<T> {
 public:
  void gather_patches(const Window& window, Matrix<const T> images, std::size_t first_line,
                      Matrix<T> patches) const override;
  void scatter_patches(const Window& window, Matrix<const T> patches, std::size_t first_line,
                       Matrix<T> images) const override;
  void max_pool(const Window& window, Matrix<const T> images, Matrix<T> pooled) const override;
  void max_pool_backward(const Window& window, Matrix<const T> images, Matrix<const T> pooled,
                         Matrix<T> delta, Matrix<T> image_delta) const override;
  void average_pool(const Window& window, Matrix<const T> images, Matrix<T> pooled) const override;
  void average_pool_backward(const Window& window, Matrix<const T> delta,
                             Matrix<T> image_delta) const override;
};

}  // namespace daig::nn
