#pragma once

/// The part of the engine over BLAS that computes losses.

#include <cstdint>

#include <daig/nn/engine.hpp>

namespace daig::nn {

template <class T>
class CpuLosses : public virtual Engine<T> {
 public:
  Loss softmax_cross_entropy(Matrix<const T> logits, const Labels<T>& labels,
                             double label_smoothing, Matrix<T> delta) const override;
  Loss categorical_cross_entropy(Matrix<const T> outputs, const Labels<T>& labels,
                                 double label_smoothing, Matrix<T> delta) const override;
  Loss sigmoid_cross_entropy(Matrix<const T> logits, Matrix<const T> targets,
                             double label_smoothing, Matrix<T> delta) const override;
  Loss binary_cross_entropy(Matrix<const T> outputs, Matrix<const T> targets,
                            double label_smoothing, Matrix<T> delta) const override;
  Loss elementwise_loss(const ElementLoss& loss, Matrix<const T> outputs, Matrix<const T> targets,
                        Matrix<T> delta) const override;
  std::uint64_t count_correct(Accuracy accuracy, Matrix<const T> outputs, const Labels<T>& labels,
                              T threshold) const override;
};

}  // namespace daig::nn
