#include <fmt/format.h>

#include <daig/core/error.hpp>
#include <daig/nn/keras_optimizer.hpp>

#include "parse_json.hpp"

namespace daig::nn {

using nlohmann::json;

KerasOptimizer keras_optimizer(std::string_view training_config) {
  const json training = parse_json(training_config, "the Keras model's training_config");
  const json written = training.is_object() ? training.value("optimizer_config", json()) : json();
  const json kind = written.is_object() ? written.value("class_name", json()) : json();
  const json config = written.is_object() ? written.value("config", json()) : json();
  if (!kind.is_string() || !config.is_object()) {
    throw UsageError("the Keras model's training_config describes no optimizer");
  }
  KerasOptimizer optimizer{kind.get<std::string>(), {}};
  for (const auto& item : config.items()) {
    const json& value = item.value();
    if (item.key() == "name" || value.is_null()) continue;
    if (value.is_number()) {
      optimizer.options[item.key()] = value.get<double>();
    } else if (value.is_boolean()) {
      optimizer.options[item.key()] = value.get<bool>() ? 1 : 0;
    } else {
      throw UsageError(fmt::format("the optimizer {}: {} = {} is not supported", optimizer.kind,
                                   item.key(), value.dump()));
    }
  }
  return optimizer;
}

}  // namespace daig::nn
