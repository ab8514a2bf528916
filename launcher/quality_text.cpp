#include "quality_text.hpp"

#include <array>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace daig::launcher {
namespace {

std::array<std::pair<std::string_view, std::optional<double>>, 3> judgements(
    const train::Quality& quality) {
  return {{{"accuracy", quality.accuracy},
           {"mse", quality.mean_squared_error},
           {"mae", quality.mean_absolute_error}}};
}

}  // namespace

std::string judgements_of(const train::Quality& quality) {
  std::string text;
  for (const auto& [name, value] : judgements(quality)) {
    if (value) text += fmt::format(", {} {:.4f}", name, *value);
  }
  return text;
}

void add_judgements(JsonObject& json, const train::Quality& quality, std::string_view prefix) {
  for (const auto& [name, value] : judgements(quality)) {
    if (value) json.add(fmt::format("{}{}", prefix, name), *value);
  }
}

}  // namespace daig::launcher
