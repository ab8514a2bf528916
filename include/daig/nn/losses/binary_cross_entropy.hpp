#pragma once

/// Binary cross-entropy of probabilities, for targets from 0 to 1.

#include <daig/nn/loss_function.hpp>

namespace daig::nn {

/// A sample's loss is the mean over its outputs p of -target log p - (1 - target) log(1 - p), each
/// clipped to 1e-7 ... 1 - 1e-7, as in Keras. Where the last layer is a sigmoid,
/// SigmoidCrossEntropy is the better one.
template <class T>
class BinaryCrossEntropy final : public LossFunction<T> {
 public:
  /// @param smoothing  from 0 to 1: the part of each target that becomes a half
  explicit BinaryCrossEntropy(double smoothing = 0) : smoothing_(smoothing) {}

  std::string_view name() const override { return "binary cross-entropy of probabilities"; }
  bool takes(LabelKind kind) const override { return kind == LabelKind::targets; }

  Loss compute(const Engine<T>& engine, Matrix<const T> outputs, const Labels<T>& labels,
               Matrix<T> delta) const override {
    return engine.binary_cross_entropy(
        outputs, Matrix<const T>(labels.targets, outputs.rows(), outputs.columns()), smoothing_,
        delta);
  }

  Accuracy accuracy() const override { return Accuracy::binary; }

 private:
  double smoothing_;
};

}  // namespace daig::nn
