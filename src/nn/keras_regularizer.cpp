#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "keras_options.hpp"
#include "parse_json.hpp"

namespace daig::nn {
namespace {

using nlohmann::json;

/// What Keras takes where no number is given.
constexpr double usual = 0.01;

[[noreturn]] void refuse(const LayerConfig& layer, const char* option, const json& written) {
  layer.refuse(
      fmt::format("{} is {}: there are L1, L2 and L1L2, with l1 and l2 as numbers from 0 on",
                  option, shown(written)));
}

}  // namespace

model::Regularizer regularizer_option(LayerConfig& layer, const char* option) {
  const json* written = layer.find(option);
  if (written == nullptr) return {};
  if (*written == "l1" || *written == "L1") return {usual, 0};
  if (*written == "l2" || *written == "L2") return {0, usual};
  if (*written == "l1_l2") return {usual, usual};
  const auto is_whole = [&] {
    return written->is_object() && written->contains("class_name") && written->contains("config") &&
           written->at("config").is_object();
  };
  if (!is_whole()) refuse(layer, option, *written);
  const json& kind = written->at("class_name");
  if (kind != "L1" && kind != "L2" && kind != "L1L2") refuse(layer, option, *written);
  model::Regularizer regularizer;
  for (const auto& [name, value] : written->at("config").items()) {
    if (value.is_null()) continue;
    const bool makes_sense =
        value.is_number() && value.get<double>() >= 0 && std::isfinite(value.get<double>());
    if (!makes_sense || (name != "l1" && name != "l2")) refuse(layer, option, *written);
    (name == "l1" ? regularizer.l1 : regularizer.l2) = value.get<double>();
  }
  return regularizer;
}

}  // namespace daig::nn
