#pragma once

/// The loss that a Keras model was compiled for.

#include <memory>
#include <optional>

#include <nlohmann/json.hpp>

#include <daig/nn/activation.hpp>
#include <daig/nn/element_loss.hpp>
#include <daig/nn/layer.hpp>
#include <daig/nn/loss_function.hpp>

namespace daig::nn {

/// What a model's loss is, as it was written.
struct KerasLoss {
  enum class Kind { categorical, sparse_categorical, binary, elementwise };

  Kind kind = Kind::categorical;
  ElementLoss elementwise = {};  ///< of that kind
  bool of_logits = false;        ///< cross-entropies
  double label_smoothing = 0;    ///< categorical and binary

  /// The activation that is better left to the loss, where the last layer has it.
  std::optional<Activation> activation() const;
  /// Whether it is for one row of outputs a sample, as others are for outputs of any shape.
  bool is_of_rows() const;
};

/// Takes a name, or {"class_name": ..., "config": {...}}, alone, in a list for the one output, or
/// in an object with the output's name.
/// @throws UsageError naming the loss, or the option, that is not supported
KerasLoss keras_loss(const nlohmann::json& written);

/// @param output  of a sample. @param has_activation  whether its activation was left to it
/// @throws UsageError when the loss is not for outputs of this shape
template <class T>
std::unique_ptr<LossFunction<T>> make_loss(const KerasLoss& loss, const Shape& output,
                                           bool has_activation);

}  // namespace daig::nn
