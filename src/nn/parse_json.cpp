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

}  // namespace daig::nn
