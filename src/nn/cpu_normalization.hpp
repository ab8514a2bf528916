#pragma once

/// The part of the engine over BLAS that normalises values, and what else has to do with them.

#include <span>

#include <daig/nn/engine.hpp>

#include "cpu_windows.hpp"

namespace daig::nn {

template <class T>
class CpuNormalization : public CpuWindows<T> {
 public:
  void moments(Groups groups, Matrix<const T> values, std::span<T> mean,
               std::span<T> variance) const override;
  void normalize(const Normalization<T>& normalization, Matrix<const T> inputs,
                 Matrix<T> outputs) const override;
  void normalize_backward(const Normalization<T>& normalization, Matrix<const T> inputs,
                          Matrix<const T> delta, T beta, const NormalizationGradient<T>& gradient,
                          Matrix<T> input_delta) const override;
  void add_difference(T factor, std::span<const T> a, std::span<const T> b, T beta,
                      std::span<T> result) const override;
  double penalize(const model::Regularizer& regularizer, std::span<const T> weights, T factor,
                  std::span<T> gradient) const override;
};

}  // namespace daig::nn
