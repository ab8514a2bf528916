#include "keras_network.hpp"

#include <cstddef>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <daig/core/error.hpp>
#include <daig/nn/keras_spec.hpp>
#include <daig/nn/losses/mean_squared_error.hpp>
#include <daig/nn/losses/softmax_cross_entropy.hpp>

#include "keras_chain.hpp"
#include "keras_layers.hpp"
#include "keras_loss.hpp"
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
    for (LayerReaders<T> family : {core_layers<T>(), image_layers<T>(), normalization_layers<T>()})
      all.merge(family);
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

template <class T>
std::unique_ptr<LossFunction<T>> make_loss(const KerasLoss& loss) {
  if (loss.kind == KerasLoss::Kind::mean_squared_error) {
    return std::make_unique<MeanSquaredError<T>>();
  }
  return std::make_unique<SoftmaxCrossEntropy<T>>(loss.of_logits ? Prediction::logits
                                                                 : Prediction::probabilities);
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
  const json spec{{"model", parse_json(model_config, "the Keras model's model_config")},
                  {"loss", training.at("loss")}};
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
  const bool loss_has_softmax = loss.kind == KerasLoss::Kind::cross_entropy && !loss.of_logits;
  LayerStack<T> stack(chain.input);
  for (const json* layer : chain.layers) {
    if (layer == chain.layers.back() && loss_has_softmax) stack.leave_to_loss(Activation::softmax);
    add_layer(*layer, chain.trainable, stack);
  }
  if (!stack.loss_has_its_activation()) {
    throw UsageError(
        "categorical cross-entropy of a model whose last layer is no softmax: it must "
        "be one, or the loss be compiled with from_logits=True");
  }
  KerasParts<T> parts;
  parts.layers = stack.take();
  if (parts.layers.empty()) throw UsageError("the Keras model has no layers");
  parts.loss = make_loss<T>(loss);
  parts.title = fmt::format("Keras model '{}'", chain.name);
  return parts;
}

template KerasParts<float> keras_parts<float>(std::string_view spec);
template KerasParts<double> keras_parts<double>(std::string_view spec);

}  // namespace daig::nn
