#include <algorithm>
#include <limits>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <daig/core/error.hpp>
#include <daig/store/event_reader.hpp>

namespace daig::store {

namespace {

using Json = nlohmann::ordered_json;

constexpr double none = std::numeric_limits<double>::quiet_NaN();

std::optional<metrics::Field> field_of(const std::string& name, const Json& value) {
  if (value.is_boolean()) return metrics::Field{name, value.get<bool>()};
  if (value.is_number_float()) return metrics::Field{name, value.get<double>()};
  if (value.is_number_unsigned() && !std::in_range<std::int64_t>(value.get<std::uint64_t>())) {
    return metrics::Field{name, value.get<double>()};
  }
  if (value.is_number_integer()) return metrics::Field{name, value.get<std::int64_t>()};
  if (value.is_string()) return metrics::Field{name, value.get<std::string>()};
  if (value.is_null()) return metrics::Field{name, none};
  return std::nullopt;
}

/// Nothing for a line that is no event.
std::optional<LoggedEvent> parse(const std::string& line) {
  const Json json = Json::parse(line, nullptr, false);
  if (!json.is_object() || !json.contains("event") || !json["event"].is_string()) {
    return std::nullopt;
  }
  LoggedEvent logged{none, {json["event"].get<std::string>(), {}}};
  for (const auto& [name, value] : json.items()) {
    if (name == "event") continue;
    if (name == "t") {
      if (value.is_number()) logged.t = value.get<double>();
      continue;
    }
    if (auto field = field_of(name, value)) logged.event.fields.push_back(std::move(*field));
  }
  return logged;
}

}  // namespace

double LoggedEvent::number(std::string_view name) const {
  const auto found = std::ranges::find(event.fields, name, &metrics::Field::name);
  if (found == event.fields.end()) return none;
  if (const auto* whole = std::get_if<std::int64_t>(&found->value)) {
    return static_cast<double>(*whole);
  }
  const auto* real = std::get_if<double>(&found->value);
  return real == nullptr ? none : *real;
}

EventReader::EventReader(const std::filesystem::path& path, std::vector<std::string> kinds)
    : path_(path), kinds_(std::move(kinds)), file_(path, std::ios::binary) {}

std::optional<LoggedEvent> EventReader::next() {
  while (read_line()) {
    if (!mentions_a_kind()) continue;
    std::optional<LoggedEvent> logged = parse(line_);
    if (!logged) {
      ++damaged_;
    } else if (std::ranges::find(kinds_, logged->event.kind) != kinds_.end()) {
      return logged;
    }
  }
  return std::nullopt;
}

/// False at the end. Keeps no more than an event's length of a line, and one byte.
bool EventReader::read_line() {
  line_.clear();
  if (!file_.is_open()) return false;
  constexpr int end = std::char_traits<char>::eof();
  try {
    std::streambuf& bytes = *file_.rdbuf();
    int byte = bytes.sbumpc();
    if (byte == end) return false;
    for (; byte != end && byte != '\n'; byte = bytes.sbumpc()) {
      if (line_.size() <= longest_line) line_.push_back(static_cast<char>(byte));
    }
    return true;
  } catch (const std::ios_base::failure& failure) {
    throw IoError(
        fmt::format("{}: events cannot be read: {}", path_.string(), failure.code().message()));
  }
}

bool EventReader::mentions_a_kind() const {
  return std::ranges::any_of(kinds_, [this](const std::string& kind) {
    return line_.find('"' + kind + '"') != std::string::npos;
  });
}

}  // namespace daig::store
