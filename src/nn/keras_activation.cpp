#include "keras_activation.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include <daig/core/error.hpp>

#include "list_activations.hpp"

namespace daig::nn {
namespace {

using nlohmann::json;

KerasActivation pointwise(Pointwise::Kind kind) {
  Pointwise function;
  function.kind = kind;
  return {Activation::linear, function};
}

/// Names of what has no name of its own as an Activation.
constexpr std::array<std::pair<std::string_view, Pointwise::Kind>, 6> pointwise_names{
    {{"gelu", Pointwise::Kind::gelu},
     {"silu", Pointwise::Kind::silu},
     {"swish", Pointwise::Kind::silu},
     {"mish", Pointwise::Kind::mish},
     {"hard_silu", Pointwise::Kind::hard_silu},
     {"hard_swish", Pointwise::Kind::hard_silu}}};

constexpr auto hard_sigmoids = {Activation::hard_sigmoid_fifth, Activation::hard_sigmoid_sixth};

std::string known_names() {
  std::string names = list_activations(hard_sigmoids) + ", hard_sigmoid";
  for (const auto& [name, kind] : pointwise_names) names.append(", ").append(name);
  return names;
}

/// Keras 2 means clip(x/5 + 1/2), Keras 3 clip(x/6 + 1/2).
Activation hard_sigmoid(const LayerConfig& layer, std::optional<KerasGeneration> generation,
                        const char* option) {
  if (generation == KerasGeneration::keras_2) return Activation::hard_sigmoid_fifth;
  if (generation == KerasGeneration::keras_3) return Activation::hard_sigmoid_sixth;
  layer.refuse_value(option,
                     ", which is not the same in Keras 2 and Keras 3, and the model does not say "
                     "which one has written it: begin the model with an input layer, and save it "
                     "again");
}

/// Of {"class_name": "LeakyReLU", "config": {...}} in the place of a name; nothing for what is
/// none.
std::optional<KerasActivation> of_nested_layer(const json& written) {
  if (!written.is_object() || written.value("class_name", json()) == "function") return {};
  LayerConfig nested(written);
  std::optional<KerasActivation> activation = keras_activation_layer(nested);
  if (activation) nested.finish();
  return activation;
}

double slope_of(LayerConfig& layer) {
  // Keras 2 calls it alpha.
  const char* option = layer.has("negative_slope") ? "negative_slope" : "alpha";
  return layer.has(option) ? layer.real(option) : 0.3;
}

double at_least_0(LayerConfig& layer, const char* option, double when_missing) {
  if (!layer.has(option)) return when_missing;
  const double value = layer.real(option);
  if (value < 0) layer.refuse_value(option, ", and must not be below 0");
  return value;
}

KerasActivation relu_options(LayerConfig& layer) {
  Pointwise function;
  function.max_value = at_least_0(layer, "max_value", function.max_value);
  function.negative_slope = at_least_0(layer, "negative_slope", 0);
  function.threshold = at_least_0(layer, "threshold", 0);
  const bool is_plain = !layer.has("max_value") && function.negative_slope == 0;
  if (is_plain && function.threshold == 0) return {Activation::relu, {}};
  return {Activation::linear, function};
}

}  // namespace

KerasActivation keras_activation(LayerConfig& layer, std::optional<KerasGeneration> generation,
                                 const char* option) {
  const json* written = layer.find(option);
  if (written == nullptr) return {};
  if (const auto nested = of_nested_layer(*written)) return *nested;
  const std::string name = layer.function_name(option).value_or("");
  if (name == "hard_sigmoid") return {hard_sigmoid(layer, generation, option), {}};
  for (const auto& [known, kind] : pointwise_names) {
    if (name == known) return pointwise(kind);
  }
  const auto known = activation_named(name);
  if (known && std::ranges::find(hard_sigmoids, *known) == hard_sigmoids.end()) return {*known, {}};
  layer.refuse_value(option, ": there are " + known_names());
}

std::optional<KerasActivation> keras_activation_layer(LayerConfig& layer) {
  if (layer.kind() == "ReLU") return relu_options(layer);
  if (layer.kind() == "LeakyReLU") {
    Pointwise function;
    function.negative_slope = slope_of(layer);
    return KerasActivation{Activation::linear, function};
  }
  if (layer.kind() == "ELU") {
    KerasActivation activation = pointwise(Pointwise::Kind::elu);
    if (layer.has("alpha")) activation.behind->alpha = layer.real("alpha");
    return activation;
  }
  return {};
}

}  // namespace daig::nn
