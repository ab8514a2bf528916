#pragma once

/// Sigmoid and binary cross-entropy in one, for targets from 0 to 1.

#include <daig/nn/loss_function.hpp>

namespace daig::nn {

/// The network's last layer gives logits z; the sigmoid is part of the loss. A sample's loss is the
/// mean over its outputs of max(z, 0) - z target + log(1 + exp(-|z|)), which is finite for finite
/// logits; the derivative is sigmoid(z) - target without a division.
template <class T>
class SigmoidCrossEntropy final : public LossFunction<T> {
 public:
  /// @param smoothing  from 0 to 1: the part of each target that becomes a half
  explicit SigmoidCrossEntropy(Prediction prediction = Prediction::probabilities,
                               double smoothing = 0)
      : prediction_(prediction), smoothing_(smoothing) {}

  std::string_view name() const override { return "binary cross-entropy"; }
  bool takes(LabelKind kind) const override { return kind == LabelKind::targets; }

  Loss compute(const Engine<T>& engine, Matrix<const T> outputs, const Labels<T>& labels,
               Matrix<T> delta) const override {
    return engine.sigmoid_cross_entropy(
        outputs, Matrix<const T>(labels.targets, outputs.rows(), outputs.columns()), smoothing_,
        delta);
  }

  void finish_prediction(const Engine<T>& engine, Matrix<T> outputs) const override {
    if (prediction_ == Prediction::logits) return;
    engine.activate(Activation::sigmoid, outputs, outputs);
  }

  Accuracy accuracy() const override { return Accuracy::binary; }
  T threshold() const override { return 0; }

 private:
  Prediction prediction_;
  double smoothing_;
};

}  // namespace daig::nn
