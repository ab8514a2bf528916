#include "keras_chain.hpp"

#include <map>
#include <set>
#include <string_view>

#include <fmt/format.h>

#include <daig/core/error.hpp>

#include "layer_config.hpp"

namespace daig::nn {
namespace {

using nlohmann::json;

/// Null when it is not there.
const json& member(const json& object, const char* name) {
  static const json nothing;
  if (!object.is_object()) return nothing;
  const auto found = object.find(name);
  return found == object.end() ? nothing : *found;
}

std::string text_of(const json& value) {
  return value.is_string() ? value.get<std::string>() : std::string();
}

std::string layer_name(const json& layer) {
  const std::string inner = text_of(member(member(layer, "config"), "name"));
  return inner.empty() ? text_of(member(layer, "name")) : inner;
}

/// The layer of ["dense", 0, 0], alone or as the only one of a list.
std::string reference(const json& written) {
  const json* entry = &written;
  while (entry->is_array() && entry->size() == 1 && entry->front().is_array()) {
    entry = &entry->front();
  }
  return entry->is_array() && !entry->empty() ? text_of(entry->front()) : std::string();
}

/// All layers whose outputs a call of a layer takes. Keras 2 writes [[["dense", 0, 0, {}], ...]], a
/// list for each call; Keras 3 {"args": [...], "kwargs": {...}} with tensors somewhere inside.
void add_references(const json& written, std::vector<std::string>& found) {
  if (written.is_object()) {
    const json& history = member(written, "keras_history");
    if (history.is_array()) return found.push_back(reference(history));
    for (const auto& [name, value] : written.items()) add_references(value, found);
  } else if (written.is_array()) {
    if (!written.empty() && written.front().is_string()) {
      return found.push_back(text_of(written.front()));
    }
    for (const json& part : written) add_references(part, found);
  }
}

[[noreturn]] void refuse_graph(const std::string& layer, std::string_view what) {
  throw UsageError(
      fmt::format("layer '{}' {}: of functional models, plain chains are supported", layer, what));
}

std::vector<const json*> chain_of_graph(const json& config, const json& layers) {
  std::map<std::string, const json*> successors;  // by the name of who comes before
  std::map<std::string, const json*> by_name;
  for (const json& layer : layers) {
    const std::string name = layer_name(layer);
    if (!by_name.emplace(name, &layer).second) refuse_graph(name, "is there twice");
    std::vector<std::string> before;
    add_references(member(layer, "inbound_nodes"), before);
    if (before.empty()) continue;
    if (before.size() > 1) refuse_graph(name, "has several inputs, or is used several times");
    if (!successors.emplace(before.front(), &layer).second) {
      refuse_graph(before.front(), "has several outputs");
    }
  }
  const std::string first = reference(member(config, "input_layers"));
  const std::string last = reference(member(config, "output_layers"));
  const auto begin = by_name.find(first);
  if (begin == by_name.end()) throw UsageError("the model has no input layer, or several");
  std::vector<const json*> chain{begin->second};
  std::set<std::string> passed{first};
  for (std::string name = first; name != last;) {
    const auto next = successors.find(name);
    if (next == successors.end()) refuse_graph(name, "leads nowhere");
    chain.push_back(next->second);
    name = layer_name(*next->second);
    if (!passed.insert(name).second) refuse_graph(name, "comes after itself");
  }
  if (chain.size() != by_name.size()) {
    throw UsageError(
        "the model has layers beside the way from its input to its output: of "
        "functional models, plain chains are supported");
  }
  return chain;
}

/// Where Keras says what a sample looks like: at the first layer, or in what the model was built
/// for.
Shape input_shape(const json& config, const json& first) {
  const LayerConfig reader(first);
  for (const char* option : {"batch_input_shape", "batch_shape"}) {
    if (reader.has(option)) return LayerConfig(first).sample_shape(option);
  }
  for (const json* shape : {&member(config, "build_input_shape"),
                            &member(member(first, "build_config"), "input_shape")}) {
    if (!shape->is_array()) continue;
    const json stand_in{{"class_name", text_of(member(first, "class_name"))},
                        {"config", {{"name", layer_name(first)}, {"input_shape", *shape}}}};
    return LayerConfig(stand_in).sample_shape("input_shape");
  }
  throw UsageError(
      "the model does not say what shape a sample has: give its first layer an input_shape, or "
      "build it, before it is saved");
}

}  // namespace

KerasChain keras_chain(const json& model) {
  const std::string kind = text_of(member(model, "class_name"));
  const json& config = member(model, "config");
  const bool sequential = kind == "Sequential";
  if (!sequential && kind != "Functional" && kind != "Model") {
    throw UsageError(
        fmt::format("the model is a '{}': Sequential and functional models are "
                    "supported",
                    kind));
  }
  // Keras before 2.2.3 wrote the list of layers in the place of the configuration.
  const json& layers = config.is_array() ? config : member(config, "layers");
  if (!layers.is_array() || layers.empty()) throw UsageError("the model has no layers");
  KerasChain chain;
  chain.name = config.is_array() ? "sequential" : text_of(member(config, "name"));
  if (sequential) {
    for (const json& layer : layers) chain.layers.push_back(&layer);
  } else {
    chain.layers = chain_of_graph(config, layers);
  }
  const json& trainable = member(config, "trainable");
  if (!trainable.is_null() && !trainable.is_boolean()) {
    throw UsageError(
        fmt::format("the model '{}': trainable is neither true nor false", chain.name));
  }
  chain.trainable = trainable.is_null() || trainable.get<bool>();
  chain.input = input_shape(config, *chain.layers.front());
  return chain;
}

}  // namespace daig::nn
