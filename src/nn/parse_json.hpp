#pragma once

/// JSON from outside.

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace daig::nn {

/// Nested no deeper than whatever reads it can go down by recursion.
/// @param what  named in errors. @throws UsageError for text that is no JSON, or is nested absurdly
nlohmann::json parse_json(std::string_view text, std::string_view what);

/// What a person sees of a value; it may be large.
std::string shown(const nlohmann::json& value);

}  // namespace daig::nn
