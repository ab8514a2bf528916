#pragma once

/// The loss that a Keras model was compiled for.

#include <nlohmann/json.hpp>

namespace daig::nn {

struct KerasLoss {
  enum class Kind { cross_entropy, mean_squared_error };
  Kind kind = Kind::cross_entropy;
  bool of_logits = false;
};

/// Takes a name, or {"class_name": ..., "config": {...}}, alone or in a list for the one output.
/// @throws UsageError naming the loss, or the option, that is not supported
KerasLoss keras_loss(const nlohmann::json& written);

}  // namespace daig::nn
