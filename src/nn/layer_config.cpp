#include "layer_config.hpp"

#include <cmath>
#include <cstdint>

#include <fmt/format.h>

#include <daig/core/error.hpp>

#include "list_activations.hpp"
#include "parse_json.hpp"

namespace daig::nn {
namespace {

using nlohmann::json;

constexpr std::size_t largest_count = std::size_t{1} << 31;

bool is_count(const json& value) {
  return value.is_number_integer() &&
         (value.is_number_unsigned() || value.get<std::int64_t>() > 0) &&
         value.get<std::uint64_t>() >= 1 && value.get<std::uint64_t>() <= largest_count;
}

}  // namespace

bool is_sample_shape(const Shape& shape) {
  std::size_t values = 1;
  for (const std::size_t extent : shape) {
    if (extent == 0 || extent >= largest_count / values) return false;
    values *= extent;
  }
  return true;
}

LayerConfig::LayerConfig(const json& layer) {
  const auto is_whole = [&] {
    if (!layer.is_object()) return false;
    const auto kind = layer.find("class_name");
    const auto config = layer.find("config");
    return kind != layer.end() && kind->is_string() && config != layer.end() && config->is_object();
  };
  if (!is_whole()) {
    throw UsageError("a layer without a class_name and a config: " + shown(layer));
  }
  kind_ = layer.at("class_name").get<std::string>();
  config_ = &layer.at("config");
  const auto outside = layer.find("name");  // Keras 3's functional models repeat it there
  name_ = word("name", outside != layer.end() && outside->is_string() ? outside->get<std::string>()
                                                                      : std::string());
  ignore({"batch_input_shape", "batch_shape", "input_shape"});
  check_dtype();
  trainable_ = flag("trainable", true);
}

/// A name, or in Keras 3 a policy: {"class_name": "DTypePolicy", "config": {"name": "float32"}}. An
/// input may be said to be integers, which come as floats here.
void LayerConfig::check_dtype() {
  const json* dtype = find("dtype");
  if (dtype == nullptr) return;
  const json* name = dtype;
  if (dtype->is_object() && dtype->contains("config") && dtype->at("config").is_object()) {
    name = &dtype->at("config");
    if (name->contains("name")) name = &name->at("name");
  }
  if (*name == "float32") return;
  if (kind_ == "InputLayer" && (*name == "int32" || *name == "int64")) return;
  refuse(fmt::format("dtype is {}: models are trained in float32", shown(*dtype)));
}

void LayerConfig::refuse(std::string_view what) const {
  throw UsageError(fmt::format("layer '{}' ({}): {}", name_, kind_, what));
}

void LayerConfig::refuse_value(const char* option, std::string_view what) const {
  const auto found = config_->find(option);
  refuse(
      fmt::format("{} is {}{}", option, found == config_->end() ? "missing" : shown(*found), what));
}

const json* LayerConfig::find(const char* option) {
  read_.insert(option);
  const auto found = config_->find(option);
  return found == config_->end() || found->is_null() ? nullptr : &*found;
}

const json& LayerConfig::get(const char* option) {
  if (const json* value = find(option)) return *value;
  refuse(fmt::format("{} is missing", option));
}

const json& LayerConfig::object(const char* option) {
  const json& value = get(option);
  if (!value.is_object()) refuse(fmt::format("{} is {}, and no object", option, shown(value)));
  return value;
}

bool LayerConfig::has(const char* option) const {
  const auto found = config_->find(option);
  return found != config_->end() && !found->is_null();
}

void LayerConfig::regularize(const std::string& parameter, const model::Regularizer& regularizer) {
  if (regularizer.any()) regularizers_[parameter] = regularizer;
}

std::size_t LayerConfig::count(const char* option) {
  const json& value = get(option);
  if (!is_count(value)) refuse(fmt::format("{} is {}, and no count", option, shown(value)));
  return value.get<std::size_t>();
}

std::array<std::size_t, 2> LayerConfig::counts(const char* option) {
  const json& value = get(option);
  if (is_count(value)) return {value.get<std::size_t>(), value.get<std::size_t>()};
  if (!value.is_array() || value.size() != 2 || !is_count(value[0]) || !is_count(value[1])) {
    refuse(fmt::format("{} is {}, and no pair of counts", option, shown(value)));
  }
  return {value[0].get<std::size_t>(), value[1].get<std::size_t>()};
}

double LayerConfig::real(const char* option) {
  const json& value = get(option);
  if (!value.is_number()) refuse(fmt::format("{} is {}, and no number", option, shown(value)));
  return value.get<double>();
}

bool LayerConfig::flag(const char* option, bool when_missing) {
  const json* value = find(option);
  if (value == nullptr) return when_missing;
  if (!value->is_boolean()) {
    refuse(fmt::format("{} is {}, neither true nor false", option, shown(*value)));
  }
  return value->get<bool>();
}

std::string LayerConfig::word(const char* option, std::string_view when_missing) {
  const json* value = find(option);
  if (value == nullptr) return std::string(when_missing);
  if (!value->is_string()) refuse(fmt::format("{} is {}, and no word", option, shown(*value)));
  return value->get<std::string>();
}

/// Keras 3 writes some functions as {"class_name": "function", "config": "relu", ...}.
std::optional<std::string> LayerConfig::function_name(const char* option) {
  const json* value = find(option);
  if (value == nullptr) return std::nullopt;
  const json* text = value;
  if (value->is_object() && value->contains("class_name") && value->contains("config") &&
      value->at("class_name") == "function") {
    text = &value->at("config");
  }
  return text->is_string() ? std::optional(text->get<std::string>()) : std::nullopt;
}

Activation LayerConfig::activation(const char* option) {
  if (find(option) == nullptr) return Activation::linear;
  const auto written = function_name(option);
  const auto known = written ? activation_named(*written) : std::nullopt;
  if (!known) refuse_value(option, ": of activations, there are " + list_activations({}));
  return *known;
}

Shape LayerConfig::sample_shape(const char* option) {
  const json& value = get(option);
  if (!value.is_array() || value.size() < 2) {
    refuse(fmt::format("{} is {}, and no shape of batches", option, shown(value)));
  }
  Shape shape;
  for (std::size_t i = 1; i < value.size(); ++i) {
    if (!is_count(value[i])) {
      refuse(fmt::format("{} is {}: all extents of a sample must be known", option, shown(value)));
    }
    shape.push_back(value[i].get<std::size_t>());
  }
  if (!is_sample_shape(shape)) {
    refuse(fmt::format("{} is {}: a sample is absurdly large", option, shown(value)));
  }
  return shape;
}

void LayerConfig::only(const char* option, const json& value) {
  const json* found = find(option);
  if (found == nullptr || *found == value) return;
  refuse(fmt::format("{} is {}, which is not supported{}", option, shown(*found),
                     value.is_null() ? "" : fmt::format("; only {} is", shown(value))));
}

void LayerConfig::ignore(std::initializer_list<const char*> options) {
  for (const char* option : options) read_.insert(option);
}

void LayerConfig::finish() const {
  for (const auto& [option, value] : config_->items()) {
    if (value.is_null() || read_.contains(option)) continue;
    refuse(fmt::format("the option {} ({}) is not known", option, shown(value)));
  }
}

}  // namespace daig::nn
