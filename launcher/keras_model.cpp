#include "keras_model.hpp"

#include <initializer_list>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <daig/core/error.hpp>
#include <daig/nn/keras_metrics.hpp>
#include <daig/nn/keras_optimizer.hpp>
#include <daig/nn/keras_spec.hpp>

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

/// For each parameter of the layout, its array in the file: a layer's arrays are in the order of
/// its parameters.
std::vector<const store::KerasArray*> match(const model::Layout& layout,
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

/// The options of a Keras optimiser, which are taken one by one: what is left has not been
/// understood.
class OptionsLeft {
 public:
  OptionsLeft(nn::KerasOptimizer optimizer, const std::string& where)
      : optimizer_(std::move(optimizer)), where_(where) {}

  void take(std::string_view option, double& value) {
    const auto found = optimizer_.options.find(option);
    if (found == optimizer_.options.end()) return;
    value = found->second;
    optimizer_.options.erase(found);
  }
  void ignore(std::initializer_list<std::string_view> options) {
    double ignored = 0;
    for (const std::string_view option : options) take(option, ignored);
  }
  /// Options without an effect while they are 0 do not matter.
  void expect_none() const {
    for (const auto& [option, value] : optimizer_.options) {
      if (value == 0) continue;
      throw InputError(where_,
                       fmt::format("the optimizer {}: {} = {} is not supported; choose one with "
                                   "--optimizer",
                                   optimizer_.kind, option, value));
    }
  }

 private:
  nn::KerasOptimizer optimizer_;
  const std::string& where_;
};

}  // namespace

Model model_of(const store::KerasFile& file, const std::string& where) {
  try {
    Model model{
        .network = nn::Network<float>(nn::keras_spec(file.model_config, file.training_config)),
        .weights = {},
        .ignored_metrics = nn::ignored_keras_metrics(file.training_config)};
    for (const store::KerasArray* array : match(model.network.layout(), file, where)) {
      model.weights.insert(model.weights.end(), array->values.begin(), array->values.end());
    }
    return model;
  } catch (const UsageError& error) {
    throw InputError(where, error.what());
  }
}

optim::OptimizerOptions optimizer_of(const store::KerasFile& file, const std::string& where) {
  nn::KerasOptimizer optimizer;
  try {
    optimizer = nn::keras_optimizer(file.training_config);
  } catch (const UsageError& error) {
    throw InputError(where, fmt::format("{}; choose one with --optimizer", error.what()));
  }
  const std::string kind = optimizer.kind;
  OptionsLeft left(std::move(optimizer), where);
  left.ignore({"is_legacy_optimizer", "jit_compile", "ema_momentum", "ema_overwrite_frequency"});
  optim::OptimizerOptions options;
  if (kind == "SGD") {
    options.name = "sgd";
    double nesterov = 0;
    left.take("momentum", options.momentum);
    left.take("nesterov", nesterov);
    options.nesterov = nesterov != 0;
  } else if (kind == "Adam" || kind == "AdamW") {
    options.name = kind == "Adam" ? "adam" : "adamw";
    options.learning_rate = 0.001;
    options.epsilon = 1e-7;
    options.epsilon_hat = true;
    left.take("beta_1", options.beta1);
    left.take("beta_2", options.beta2);
    left.take("epsilon", options.epsilon);
    if (kind == "AdamW") left.take("weight_decay", options.weight_decay);
  } else {
    throw InputError(where, fmt::format("its optimizer {} is not supported: choose sgd, adam or "
                                        "adamw with --optimizer",
                                        kind));
  }
  left.take("lr", options.learning_rate);  // Keras before 2.3
  left.take("learning_rate", options.learning_rate);
  left.expect_none();
  return options;
}

void write_keras_model(const std::filesystem::path& original, const std::filesystem::path& path,
                       std::span<const float> weights) {
  store::KerasFile file = store::read_keras_file(original);
  const nn::Network<float> network(nn::keras_spec(file.model_config, file.training_config));
  const auto arrays = match(network.layout(), file, original.string());
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    const model::Parameter& parameter = network.layout().parameters()[i];
    const auto values = weights.subspan(parameter.offset, parameter.size());
    file.weights[static_cast<std::size_t>(arrays[i] - file.weights.data())].values.assign(
        values.begin(), values.end());
  }
  store::write_keras_file(original, path, file.weights);
}

}  // namespace daig::launcher
