#include "keras_generation.hpp"

namespace daig::nn {
namespace {

using nlohmann::json;

/// Whether some layer of a model has this option.
bool has_option(const json& layers, const char* option) {
  for (const json& layer : layers) {
    if (!layer.is_object()) continue;
    const auto config = layer.find("config");
    if (config != layer.end() && config->is_object() && config->contains(option)) return true;
  }
  return false;
}

}  // namespace

std::optional<KerasGeneration> keras_generation(const json& model) {
  const auto config = model.is_object() ? model.find("config") : model.end();
  if (!model.is_object() || config == model.end()) return std::nullopt;
  // Keras before 2.2.3 wrote the list of layers in the place of the configuration.
  if (config->is_array()) return KerasGeneration::keras_2;
  if (!config->is_object() || !config->contains("layers")) return std::nullopt;
  const json& layers = config->at("layers");
  const bool as_in_2 = has_option(layers, "batch_input_shape");
  const bool as_in_3 = has_option(layers, "batch_shape");
  if (as_in_2 == as_in_3) return std::nullopt;
  return as_in_2 ? KerasGeneration::keras_2 : KerasGeneration::keras_3;
}

}  // namespace daig::nn
