#pragma once

/// What a loss is to a network.

#include <string_view>

#include <daig/nn/engine.hpp>
#include <daig/nn/loss.hpp>
#include <daig/nn/matrix.hpp>
#include <daig/nn/metrics.hpp>

namespace daig::nn {

/// What a user who asks for a prediction gets where the network's last layer gives logits.
enum class Prediction { probabilities, logits };

/// Stateless: any thread.
template <class T>
class LossFunction {
 public:
  virtual ~LossFunction() = default;

  /// For people; and in the spec of an MLP.
  virtual std::string_view name() const = 0;
  /// Some losses take labels of either kind.
  virtual bool takes(LabelKind kind) const = 0;

  /// The sum of the losses of the rows, and its derivative by the outputs in delta. Expects labels
  /// of a kind that it takes.
  virtual Loss compute(const Engine<T>& engine, Matrix<const T> outputs, const Labels<T>& labels,
                       Matrix<T> delta) const = 0;

  /// From what the last layer gives to what a user asks for (logits to probabilities); in place.
  virtual void finish_prediction(const Engine<T>&, Matrix<T>) const {}

  /// What suits the loss, where nobody chose another.
  virtual Accuracy accuracy() const { return Accuracy::none; }
  /// The output, as the last layer gives it, that stands for a probability of a half.
  virtual T threshold() const { return T{1} / 2; }
};

}  // namespace daig::nn
