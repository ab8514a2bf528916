#include "keras_metrics.hpp"

#include <algorithm>
#include <cctype>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include <daig/core/error.hpp>
#include <daig/nn/keras_metrics.hpp>

#include "parse_json.hpp"

namespace daig::nn {
namespace {

using nlohmann::json;

constexpr std::size_t longest_name = 60;

/// A metric's name of a function or a class; short, as a file may hold anything.
std::string metric_name(const json& metric) {
  if (metric.is_string()) return metric.get<std::string>().substr(0, longest_name);
  if (!metric.is_object()) return "?";
  const json config = metric.value("config", json());
  const auto text = [](const json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  std::string name = text(metric, "class_name");
  if (name == "function" && config.is_string()) name = config.get<std::string>();
  if (name == "MeanMetricWrapper" && config.is_object()) name = text(config, "fn");  // Keras 2
  // Of classes, "Accuracy" is about outputs that equal their targets.
  if (name == "Accuracy") name = "Accuracy()";
  if (name == "BinaryAccuracy" && config.is_object() &&
      config.value("threshold", json(0.5)) != 0.5) {
    name = "BinaryAccuracy(threshold=...)";
  }
  return name.substr(0, longest_name);
}

/// The names of all metrics, in lists or by outputs as they may be.
void collect(const json& metrics, std::set<std::string>& names) {
  if (metrics.is_null()) return;
  const bool by_output = metrics.is_object() && !metrics.contains("class_name");
  if (!metrics.is_array() && !by_output) {
    names.insert(metric_name(metrics));
    return;
  }
  for (const json& metric : metrics) collect(metric, names);
}

std::set<std::string> all_names(const json& training) {
  std::set<std::string> names;
  if (!training.is_object()) return names;
  for (const char* key : {"metrics", "weighted_metrics"}) {
    const auto found = training.find(key);
    if (found != training.end()) collect(*found, names);
  }
  return names;
}

/// The one name of a metric that is computed here; empty for others.
std::string_view known_name(std::string_view name) {
  static const std::map<std::string_view, std::string_view> known{
      {"binary_accuracy", "binary_accuracy"},
      {"BinaryAccuracy", "binary_accuracy"},
      {"categorical_accuracy", "categorical_accuracy"},
      {"CategoricalAccuracy", "categorical_accuracy"},
      {"sparse_categorical_accuracy", "categorical_accuracy"},
      {"SparseCategoricalAccuracy", "categorical_accuracy"},
      {"mean_squared_error", "mse"},
      {"MeanSquaredError", "mse"},
      {"mse", "mse"},
      {"MSE", "mse"},
      {"mean_absolute_error", "mae"},
      {"MeanAbsoluteError", "mae"},
      {"mae", "mae"},
      {"MAE", "mae"}};
  std::string lower(name);
  std::ranges::transform(lower, lower.begin(), [](unsigned char letter) {
    return static_cast<char>(std::tolower(letter));
  });
  if (lower == "accuracy" || lower == "acc") return "accuracy";
  const auto found = known.find(name);
  return found == known.end() ? std::string_view() : found->second;
}

}  // namespace

std::vector<std::string> ignored_keras_metrics(std::string_view training_config) {
  if (training_config.empty()) return {};
  std::vector<std::string> ignored;
  for (const std::string& name :
       all_names(parse_json(training_config, "the Keras model's training_config"))) {
    if (known_name(name).empty()) ignored.push_back(name);
  }
  return ignored;
}

json known_metrics(const json& training) {
  std::set<std::string_view> known;
  for (const std::string& name : all_names(training)) known.insert(known_name(name));
  known.erase(std::string_view());
  json list = json::array();
  for (const std::string_view name : known) list.push_back(std::string(name));
  return list;
}

Metrics make_metrics(const json& known, Accuracy natural, const Shape& output) {
  Metrics metrics{natural};
  if (!known.is_array()) throw UsageError("a Keras model's spec has metrics that are no list");
  const bool one_output = output.empty() || output.back() == 1;
  for (const json& name : known) {
    if (name == "mse") {
      metrics.squared_error = true;
    } else if (name == "mae") {
      metrics.absolute_error = true;
    } else if (name == "binary_accuracy") {
      metrics.accuracy = Accuracy::binary;
    } else if (name == "categorical_accuracy" || (name == "accuracy" && !one_output)) {
      metrics.accuracy = Accuracy::categorical;
    } else if (name == "accuracy" && natural != Accuracy::none) {
      metrics.accuracy = Accuracy::binary;
    } else if (name != "accuracy") {
      throw UsageError("a Keras model's spec names a metric that is not known");
    }
  }
  // By rows, as the largest of all outputs together would mean nothing.
  if (metrics.accuracy == Accuracy::categorical && output.size() != 1) {
    metrics.accuracy = natural == Accuracy::binary ? Accuracy::binary : Accuracy::none;
  }
  return metrics;
}

}  // namespace daig::nn
