#pragma once

/// JSON for the last line of stdout: written only, never read.

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace daig::launcher {

/// A quoted and escaped string.
std::string json_text(std::string_view text);
/// A number; null for one that JSON cannot hold.
std::string json_number(double value);

/// An object, member by member, in their order.
class JsonObject {
 public:
  JsonObject& add(std::string_view name, std::string_view text) {
    return add_json(name, json_text(text));
  }
  JsonObject& add(std::string_view name, const char* text) {
    return add(name, std::string_view(text));
  }
  JsonObject& add(std::string_view name, double value) {
    return add_json(name, json_number(value));
  }
  JsonObject& add(std::string_view name, bool value) {
    return add_json(name, value ? "true" : "false");
  }
  template <std::integral I>
  JsonObject& add(std::string_view name, I value) {
    return add_json(name, std::to_string(value));
  }
  JsonObject& add(std::string_view name, std::nullptr_t) { return add_json(name, "null"); }
  JsonObject& add(std::string_view name, const JsonObject& object) {
    return add_json(name, object.text());
  }
  JsonObject& add(std::string_view name, const std::vector<JsonObject>& objects);

  /// One line, without a newline.
  std::string text() const { return "{" + members_ + "}"; }

 private:
  JsonObject& add_json(std::string_view name, const std::string& json);

  std::string members_;
};

}  // namespace daig::launcher
