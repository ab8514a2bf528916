#include "json.hpp"

#include <cmath>

#include <fmt/format.h>

namespace daig::launcher {

std::string json_text(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      quoted += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      quoted += c;
    }
  }
  return quoted + "\"";
}

std::string json_number(double value) {
  return std::isfinite(value) ? fmt::format("{}", value) : "null";
}

JsonObject& JsonObject::add(std::string_view name, const std::vector<JsonObject>& objects) {
  std::string list;
  for (const JsonObject& object : objects) list += (list.empty() ? "" : ", ") + object.text();
  return add_json(name, "[" + list + "]");
}

JsonObject& JsonObject::add_json(std::string_view name, const std::string& json) {
  members_ += (members_.empty() ? "" : ", ") + json_text(name) + ": " + json;
  return *this;
}

}  // namespace daig::launcher
