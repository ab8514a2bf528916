#include "parse_json.hpp"

#include <fmt/format.h>

#include <daig/core/error.hpp>

namespace daig::nn {

using nlohmann::json;

json parse_json(std::string_view text, std::string_view what) {
  constexpr int deepest = 100;  // no real model comes near it
  const auto check_depth = [&](int depth, json::parse_event_t, const json&) {
    if (depth > deepest) throw UsageError(fmt::format("{} is nested absurdly deeply", what));
    return true;
  };
  try {
    return json::parse(text, check_depth);
  } catch (const json::exception&) {
    throw UsageError(fmt::format("{} is no JSON", what));
  }
}

std::string shown(const json& value) {
  constexpr std::size_t most = 60;
  const std::string text = value.dump(-1, ' ', true, json::error_handler_t::replace);
  return text.size() <= most ? text : text.substr(0, most) + "...";
}

}  // namespace daig::nn
