#pragma once

/// Softmax and cross-entropy in one, for classes.

#include <daig/nn/loss_function.hpp>

namespace daig::nn {

/// What a user who asks for a prediction gets.
enum class Prediction { probabilities, logits };

/// The network's last layer gives logits; the softmax is part of the loss. So the derivative is
/// softmax - one-hot without a division, and a sample's loss is finite for finite logits: log of
/// the sum of exp(logit - largest logit), minus (logit of the class - largest logit).
template <class T>
class SoftmaxCrossEntropy final : public LossFunction<T> {
 public:
  static constexpr std::string_view spec_name = "cross-entropy";

  explicit SoftmaxCrossEntropy(Prediction prediction = Prediction::probabilities)
      : prediction_(prediction) {}

  std::string_view name() const override { return spec_name; }
  LabelKind label_kind() const override { return LabelKind::classes; }

  Loss compute(const Engine<T>& engine, Matrix<const T> outputs, const Labels<T>& labels,
               Matrix<T> delta) const override {
    return engine.softmax_cross_entropy(outputs, labels.classes, delta);
  }

  void finish_prediction(const Engine<T>& engine, Matrix<T> outputs) const override {
    if (prediction_ == Prediction::logits) return;
    engine.activate(Activation::softmax, outputs, outputs);
  }

 private:
  Prediction prediction_;
};

}  // namespace daig::nn
