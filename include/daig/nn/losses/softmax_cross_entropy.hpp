#pragma once

/// Softmax and cross-entropy in one, for classes or for targets that are distributions over them.

#include <daig/nn/loss_function.hpp>
#include <daig/nn/losses/categorical_labels.hpp>

namespace daig::nn {

/// The network's last layer gives logits; the softmax is part of the loss. So the derivative is
/// softmax - target without a division, and a sample's loss is finite for finite logits: log of
/// the sum of exp(logit - largest logit), minus (logit of the class - largest logit).
template <class T>
class SoftmaxCrossEntropy final : public LossFunction<T> {
 public:
  static constexpr std::string_view spec_name = "cross-entropy";

  explicit SoftmaxCrossEntropy(Prediction prediction = Prediction::probabilities,
                               CategoricalLabels labels = {})
      : prediction_(prediction), labels_(labels) {}

  std::string_view name() const override { return spec_name; }
  bool takes(LabelKind kind) const override { return labels_.take(kind); }

  Loss compute(const Engine<T>& engine, Matrix<const T> outputs, const Labels<T>& labels,
               Matrix<T> delta) const override {
    return engine.softmax_cross_entropy(outputs, labels, labels_.smoothing, delta);
  }

  void finish_prediction(const Engine<T>& engine, Matrix<T> outputs) const override {
    if (prediction_ == Prediction::logits) return;
    engine.activate(Activation::softmax, outputs, outputs);
  }

  Accuracy accuracy() const override { return Accuracy::categorical; }

 private:
  Prediction prediction_;
  CategoricalLabels labels_;
};

}  // namespace daig::nn
