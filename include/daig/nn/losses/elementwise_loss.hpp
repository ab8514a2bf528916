#pragma once

/// Losses for targets that are numbers: mean squared error and its like.

#include <daig/nn/element_loss.hpp>
#include <daig/nn/loss_function.hpp>

namespace daig::nn {

/// What a sample's loss is, ElementLoss says.
template <class T>
class ElementwiseLoss final : public LossFunction<T> {
 public:
  explicit ElementwiseLoss(ElementLoss loss = {}) : loss_(loss) {}

  std::string_view name() const override { return nn::name(loss_.kind); }
  bool takes(LabelKind kind) const override { return kind == LabelKind::targets; }

  Loss compute(const Engine<T>& engine, Matrix<const T> outputs, const Labels<T>& labels,
               Matrix<T> delta) const override {
    return engine.elementwise_loss(
        loss_, outputs, Matrix<const T>(labels.targets, outputs.rows(), outputs.columns()), delta);
  }

  /// Only the divergence is between distributions over classes.
  Accuracy accuracy() const override {
    return loss_.kind == ElementLoss::Kind::kl_divergence ? Accuracy::categorical : Accuracy::none;
  }

 private:
  ElementLoss loss_;
};

}  // namespace daig::nn
