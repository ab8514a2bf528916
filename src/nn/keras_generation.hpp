#pragma once

/// Which Keras has written a model: some words have changed their meaning.

#include <optional>

#include <nlohmann/json.hpp>

namespace daig::nn {

/// keras_2: that, or one before it.
enum class KerasGeneration { keras_2, keras_3 };

/// From what a model says of its inputs: Keras 2 calls that batch_input_shape, Keras 3 batch_shape.
/// Nothing where it says neither, or both.
std::optional<KerasGeneration> keras_generation(const nlohmann::json& model);

}  // namespace daig::nn
