#include "keras_network.hpp"

#include <cstddef>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <daig/core/error.hpp>
#include <daig/nn/keras_spec.hpp>

#include "keras_chain.hpp"
#include "keras_generation.hpp"
#include "keras_layers.hpp"
#include "keras_loss.hpp"
#include "keras_metrics.hpp"
#include "keras_stack.hpp"
#include "layer_config.hpp"
#include "parse_json.hpp"

namespace daig::nn {
namespace {

using nlohmann::json;

/// The layers of all families, by Keras's name of their kind.
template <class T>
const LayerReaders<T>& known_layers() {
  static const LayerReaders<T> known = [] {
    LayerReaders<T> all;
    for (LayerReaders<T> family :
         {core_layers<T>(), activation_layers<T>(), image_layers<T>(), one_axis_layers<T>(),
          normalization_layers<T>(), recurrent_layers<T>()}) {
      all.merge(family);
    }
    return all;
  }();
  return known;
}

template <class T>
void add_layer(const json& described, bool model_is_trainable, LayerStack<T>& stack) {
  LayerConfig layer(described);
  const std::size_t first = stack.size();
  const auto reader = known_layers<T>().find(layer.kind());
  if (reader == known_layers<T>().end()) layer.refuse("layers of this kind are not supported");
  reader->second(layer, stack);
  stack.treat(layer, first, model_is_trainable);
  layer.finish();
}

/// Losses are not weighted: null, as Keras writes it.
void check_weights(const json& training) {
  const auto weights = training.find("loss_weights");
  if (weights == training.end() || weights->is_null()) return;
  throw UsageError(
      "the model was compiled with loss_weights, which are not supported: compile it without");
}

}  // namespace

std::string keras_spec(std::string_view model_config, std::string_view training_config) {
  if (training_config.empty()) {
    throw UsageError(
        "the model was not compiled, so that its loss is not known: compile it in Keras before it "
        "is saved");
  }
  const json training = parse_json(training_config, "the Keras model's training_config");
  if (!training.is_object() || !training.contains("loss")) {
    throw UsageError("the Keras model's training_config names no loss");
  }
  check_weights(training);
  json spec{{"model", parse_json(model_config, "the Keras model's model_config")},
            {"loss", training.at("loss")}};
  if (json metrics = known_metrics(training); !metrics.empty()) {
    spec["metrics"] = std::move(metrics);
  }
  std::string text = std::string(keras_spec_prefix) + spec.dump();
  static_cast<void>(keras_parts<float>(text));
  return text;
}

template <class T>
KerasParts<T> keras_parts(std::string_view spec) {
  expects(spec.starts_with(keras_spec_prefix), "a Keras model's spec");
  const json parsed = parse_json(spec.substr(keras_spec_prefix.size()), "a Keras model's spec");
  if (!parsed.is_object() || !parsed.contains("model") || !parsed.contains("loss")) {
    throw UsageError("a Keras model's spec lacks a model or a loss");
  }
  const KerasLoss loss = keras_loss(parsed.at("loss"));
  const KerasChain chain = keras_chain(parsed.at("model"));
  const std::optional<Activation> of_loss = loss.activation();
  LayerStack<T> stack(chain.input, keras_generation(parsed.at("model")));
  for (const json* layer : chain.layers) {
    if (layer == chain.layers.back() && of_loss) stack.leave_to_loss(*of_loss);
    add_layer(*layer, chain.trainable, stack);
  }
  KerasParts<T> parts;
  parts.layers = stack.take();
  if (parts.layers.empty()) throw UsageError("the Keras model has no layers");
  parts.loss =
      make_loss<T>(loss, stack.shape(), of_loss.has_value() && stack.loss_has_its_activation());
  parts.metrics =
      make_metrics(parsed.value("metrics", json::array()), parts.loss->accuracy(), stack.shape());
  parts.title = fmt::format("Keras model '{}'", chain.name);
  return parts;
}

template KerasParts<float> keras_parts<float>(std::string_view spec);
template KerasParts<double> keras_parts<double>(std::string_view spec);

}  // namespace daig::nn
