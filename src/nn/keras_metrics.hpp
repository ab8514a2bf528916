#pragma once

/// What the metrics of a Keras model mean.

#include <nlohmann/json.hpp>

#include <daig/nn/layer.hpp>
#include <daig/nn/metrics.hpp>

namespace daig::nn {

/// The metrics of a training_config that are computed here, by one name each: a sorted list of
/// "accuracy", "binary_accuracy", "categorical_accuracy", "mae", "mse".
nlohmann::json known_metrics(const nlohmann::json& training);

/// From such a list. What "accuracy" means, Keras chooses by the shape of the outputs: binary for
/// one output, categorical for several; where the loss is for numbers, and there is one, none.
/// @param natural  what suits the loss. @throws UsageError when it is no such list
Metrics make_metrics(const nlohmann::json& known, Accuracy natural, const Shape& output);

}  // namespace daig::nn
