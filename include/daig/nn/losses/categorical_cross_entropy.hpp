#pragma once

/// Cross-entropy of what are probabilities up to a factor.

#include <daig/nn/loss_function.hpp>
#include <daig/nn/losses/categorical_labels.hpp>

namespace daig::nn {

/// For a network whose last layer is no softmax, but is said to give no logits either: as in Keras,
/// the outputs of a sample are divided by their sum, and clipped to 1e-7 ... 1 - 1e-7 before the
/// logarithm. Where the last layer is a softmax, SoftmaxCrossEntropy is the better one.
template <class T>
class CategoricalCrossEntropy final : public LossFunction<T> {
 public:
  explicit CategoricalCrossEntropy(CategoricalLabels labels = {}) : labels_(labels) {}

  std::string_view name() const override { return "cross-entropy of probabilities"; }
  bool takes(LabelKind kind) const override { return labels_.take(kind); }

  Loss compute(const Engine<T>& engine, Matrix<const T> outputs, const Labels<T>& labels,
               Matrix<T> delta) const override {
    return engine.categorical_cross_entropy(outputs, labels, labels_.smoothing, delta);
  }

  Accuracy accuracy() const override { return Accuracy::categorical; }

 private:
  CategoricalLabels labels_;
};

}  // namespace daig::nn
