#pragma once

/// What a loss is to a network.

#include <string_view>

#include <daig/nn/engine.hpp>
#include <daig/nn/loss.hpp>
#include <daig/nn/matrix.hpp>

namespace daig::nn {

/// Stateless: any thread.
template <class T>
class LossFunction {
 public:
  virtual ~LossFunction() = default;

  /// As in a network's spec.
  virtual std::string_view name() const = 0;
  virtual LabelKind label_kind() const = 0;

  /// The sum of the losses of the rows, and its derivative by the outputs in delta.
  virtual Loss compute(const Engine<T>& engine, Matrix<const T> outputs, const Labels<T>& labels,
                       Matrix<T> delta) const = 0;

  /// From what the last layer gives to what a user asks for (logits to probabilities); in place.
  virtual void finish_prediction(const Engine<T>& engine, Matrix<T> outputs) const = 0;
};

}  // namespace daig::nn
