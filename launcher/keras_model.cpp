#include "keras_model.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <daig/core/error.hpp>
#include <daig/nn/keras_metrics.hpp>
#include <daig/nn/keras_spec.hpp>

#include "keras_state.hpp"

namespace daig::launcher {
namespace {

/// By the name of their layer, in the file's order.
using ArraysOfLayers = std::map<std::string_view, std::vector<const store::KerasArray*>>;

/// The file's layer that a parameter belongs to: for "a/forward/kernel" that may be "a/forward", or
/// else "a", of which "forward" is a part.
ArraysOfLayers::iterator layer_of(const model::Parameter& parameter, ArraysOfLayers& layers) {
  std::string_view name = parameter.name;
  for (std::size_t end = name.rfind('/'); end != name.npos; end = name.rfind('/')) {
    name = name.substr(0, end);
    const auto found = layers.find(name);
    if (found != layers.end()) return found;
  }
  return layers.end();
}

}  // namespace

std::vector<const store::KerasArray*> match_arrays(const model::Layout& layout,
                                                   const store::KerasFile& file,
                                                   const std::string& where) {
  ArraysOfLayers arrays;
  for (const store::KerasArray& array : file.weights) arrays[array.layer].push_back(&array);
  std::vector<const store::KerasArray*> matched;
  for (const model::Parameter& parameter : layout.parameters()) {
    const auto layer = layer_of(parameter, arrays);
    if (layer == arrays.end() || layer->second.empty()) {
      throw InputError(where, fmt::format("the weights lack an array for {}", parameter.name));
    }
    auto& of_layer = layer->second;
    const store::KerasArray& array = *of_layer.front();
    of_layer.erase(of_layer.begin());
    if (array.shape != parameter.shape) {
      throw InputError(where,
                       fmt::format("{} has the shape {}, and {} should have {}", array.dataset,
                                   array.shape, parameter.name, parameter.shape));
    }
    matched.push_back(&array);
  }
  for (const auto& [layer, left] : arrays) {
    if (left.empty()) continue;
    throw InputError(where, fmt::format("{} belongs to no parameter of layer '{}'",
                                        left.front()->dataset, layer));
  }
  return matched;
}

std::vector<const store::KerasArray*> trained_arrays(const model::Layout& layout,
                                                     std::vector<const store::KerasArray*> arrays) {
  expects(arrays.size() == layout.parameters().size(), "an array for each parameter");
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    if (layout.parameters()[i].role != model::Role::trained) arrays[i] = nullptr;
  }
  return arrays;
}

Model model_of(const store::KerasFile& file, const std::string& where) {
  try {
    Model model{
        .network = nn::Network<float>(nn::keras_spec(file.model_config, file.training_config)),
        .weights = {},
        .ignored_metrics = nn::ignored_keras_metrics(file.training_config)};
    for (const store::KerasArray* array : match_arrays(model.network.layout(), file, where)) {
      model.weights.insert(model.weights.end(), array->values.begin(), array->values.end());
    }
    return model;
  } catch (const UsageError& error) {
    throw InputError(where, error.what());
  }
}

void write_keras_model(const std::filesystem::path& original, const std::filesystem::path& path,
                       std::span<const float> weights, const KerasProgress* progress) {
  store::KerasFile file = store::read_keras_file(original);
  const nn::Network<float> network(nn::keras_spec(file.model_config, file.training_config));
  const auto arrays = match_arrays(network.layout(), file, original.string());
  std::optional<KerasState> state;
  if (progress != nullptr) {
    state = find_state(file, trained_arrays(network.layout(), arrays), progress->optimizer).state;
  }
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    const model::Parameter& parameter = network.layout().parameters()[i];
    const auto values = weights.subspan(parameter.offset, parameter.size());
    file.weights[static_cast<std::size_t>(arrays[i] - file.weights.data())].values.assign(
        values.begin(), values.end());
  }
  if (!state) return store::write_keras_file(original, path, file.weights);
  state->write(progress->state, network.layout(), file);
  store::write_keras_file(original, path, file.weights, file.optimizer_weights,
                          state->iterations() + progress->steps);
}

}  // namespace daig::launcher
