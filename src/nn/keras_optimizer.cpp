#include <algorithm>

#include <fmt/format.h>

#include <daig/core/error.hpp>
#include <daig/nn/keras_optimizer.hpp>

#include "parse_json.hpp"

namespace daig::nn {

using nlohmann::json;

namespace {

bool is_object(const json& written) {
  return written.is_object() && written.contains("class_name") &&
         written["class_name"].is_string() && written.contains("config") &&
         written["config"].is_object();
}

bool are_numbers(const json& value) {
  return value.is_array() &&
         std::ranges::all_of(value, [](const json& item) { return item.is_number(); });
}

/// Takes what is a number, or several. Returns whether it is.
bool take(KerasObject& object, const std::string& option, const json& value) {
  if (value.is_number()) {
    object.options[option] = value.get<double>();
  } else if (value.is_boolean()) {
    object.options[option] = value.get<bool>() ? 1 : 0;
  } else if (are_numbers(value)) {
    object.lists[option] = value.get<std::vector<double>>();
  } else {
    return option == "name" || value.is_null();
  }
  return true;
}

[[noreturn]] void refuse(const std::string& what, const std::string& option, const json& value) {
  throw UsageError(fmt::format("{}: {} = {} is not supported", what, option, value.dump()));
}

KerasObject schedule_of(const json& written) {
  KerasObject schedule{written["class_name"].get<std::string>(), {}, {}};
  for (const auto& item : written["config"].items()) {
    if (take(schedule, item.key(), item.value())) continue;
    refuse("the learning-rate schedule " + schedule.kind, item.key(), item.value());
  }
  return schedule;
}

}  // namespace

KerasOptimizer keras_optimizer(std::string_view training_config) {
  const json training = parse_json(training_config, "the Keras model's training_config");
  const json written = training.is_object() ? training.value("optimizer_config", json()) : json();
  if (!is_object(written)) {
    throw UsageError("the Keras model's training_config describes no optimizer");
  }
  KerasOptimizer optimizer;
  optimizer.kind = written["class_name"].get<std::string>();
  // Keras 2.11 to 2.15 registered their own optimizers as others register theirs: "Custom>Adam".
  constexpr std::string_view registered = "Custom>";
  if (optimizer.kind.starts_with(registered)) optimizer.kind.erase(0, registered.size());
  for (const auto& item : written["config"].items()) {
    const json& value = item.value();
    if (item.key() == "learning_rate" && is_object(value)) {
      optimizer.schedule = schedule_of(value);
    } else if (!take(optimizer, item.key(), value)) {
      refuse("the optimizer " + optimizer.kind, item.key(), value);
    }
  }
  return optimizer;
}

}  // namespace daig::nn
