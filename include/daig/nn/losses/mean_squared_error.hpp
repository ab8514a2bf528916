#pragma once

/// Mean squared error, for targets that are numbers.

#include <daig/nn/loss_function.hpp>

namespace daig::nn {

/// A sample's loss is the mean over its outputs of (output - target)^2, as in Keras. Counts no
/// sample as correct.
template <class T>
class MeanSquaredError final : public LossFunction<T> {
 public:
  static constexpr std::string_view spec_name = "mse";

  std::string_view name() const override { return spec_name; }
  LabelKind label_kind() const override { return LabelKind::targets; }

  Loss compute(const Engine<T>& engine, Matrix<const T> outputs, const Labels<T>& labels,
               Matrix<T> delta) const override {
    return engine.mean_squared_error(
        outputs, Matrix<const T>(labels.targets, outputs.rows(), outputs.columns()), delta);
  }

  void finish_prediction(const Engine<T>&, Matrix<T>) const override {}
};

}  // namespace daig::nn
