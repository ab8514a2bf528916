#include "keras_loss.hpp"

#include <map>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include <daig/core/error.hpp>

namespace daig::nn {

using nlohmann::json;

KerasLoss keras_loss(const json& written) {
  const json* loss = &written;
  if (loss->is_array() && loss->size() == 1) loss = &loss->at(0);
  json config = json::object();
  std::string name;
  if (loss->is_string()) {
    name = loss->get<std::string>();
  } else if (loss->is_object() && loss->contains("class_name")) {
    name = loss->at("class_name").is_string() ? loss->at("class_name").get<std::string>() : "";
    config = loss->value("config", json::object());
    if (name == "function" && config.is_string()) name = config.get<std::string>();
  }
  if (!config.is_object()) config = json::object();
  using enum KerasLoss::Kind;
  static const std::map<std::string_view, KerasLoss::Kind> kinds{
      {"categorical_crossentropy", cross_entropy},
      {"CategoricalCrossentropy", cross_entropy},
      {"sparse_categorical_crossentropy", cross_entropy},
      {"SparseCategoricalCrossentropy", cross_entropy},
      {"mse", mean_squared_error},
      {"mean_squared_error", mean_squared_error},
      {"MeanSquaredError", mean_squared_error},
  };
  const auto kind = kinds.find(name);
  if (kind == kinds.end()) {
    throw UsageError(
        fmt::format("the loss {} is not supported: there are categorical and sparse "
                    "categorical cross-entropy, and mean squared error",
                    written.dump()));
  }
  KerasLoss read{kind->second};
  for (const auto& item : config.items()) {
    const std::string& option = item.key();
    const json& value = item.value();
    if (option == "from_logits" && value.is_boolean()) {
      read.of_logits = value.get<bool>();
    } else if (option == "label_smoothing" && value != 0) {
      throw UsageError("the loss's label_smoothing is not supported");
    } else if (option == "ignore_class" && !value.is_null()) {
      throw UsageError("the loss's ignore_class is not supported");
    }
  }
  return read;
}

}  // namespace daig::nn
