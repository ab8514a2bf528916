#pragma once

/// The text of a schedule, "name:key=value,key=value", in its words.

#include <charconv>
#include <cstddef>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <daig/core/error.hpp>

namespace daig::optim::detail {

/// Options are taken one by one; what is left has no meaning. All throw UsageError.
class ScheduleWords {
 public:
  /// @param text  must stay as long as this
  explicit ScheduleWords(std::string_view text);

  std::string_view text() const { return text_; }
  std::string_view name() const { return name_; }

  /// The value of an option, which lies between the two, or nothing when it is not given.
  template <class Number>
  std::optional<Number> take(std::string_view key, Number low, Number high);
  /// What is left, in the order of the text.
  const std::vector<std::pair<std::string_view, std::string_view>>& rest() const { return rest_; }

  template <class Number>
  Number number(std::string_view key, std::string_view value, Number low, Number high) const;
  /// Expects that nothing is left. @param known  what there would be
  void finish(std::string_view known) const;

 private:
  std::string_view text_;
  std::string_view name_;
  std::vector<std::pair<std::string_view, std::string_view>> rest_;
};

// ---------------------------------------------------------------------------------------------

inline ScheduleWords::ScheduleWords(std::string_view text)
    : text_(text), name_(text.substr(0, text.find(':'))) {
  for (std::string_view rest = text.substr(name_.size()); !rest.empty();) {
    rest.remove_prefix(1);  // the colon, or the comma
    const std::string_view option = rest.substr(0, rest.find(','));
    rest.remove_prefix(option.size());
    const std::size_t equals = option.find('=');
    rest_.emplace_back(option.substr(0, equals),
                       equals == option.npos ? std::string_view() : option.substr(equals + 1));
  }
}

template <class Number>
std::optional<Number> ScheduleWords::take(std::string_view key, Number low, Number high) {
  std::optional<Number> taken;
  for (auto option = rest_.begin(); option != rest_.end();) {
    if (option->first != key) {
      ++option;
      continue;
    }
    taken = number(key, option->second, low, high);
    option = rest_.erase(option);
  }
  return taken;
}

template <class Number>
Number ScheduleWords::number(std::string_view key, std::string_view value, Number low,
                             Number high) const {
  Number parsed{};
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), parsed);
  // The comparison is written so that NaN fails.
  if (error == std::errc() && end == value.data() + value.size() && parsed >= low &&
      parsed <= high) {
    return parsed;
  }
  throw UsageError(fmt::format("schedule '{}': {} is '{}', which is no number from {} to {}", text_,
                               key, value, low, high));
}

inline void ScheduleWords::finish(std::string_view known) const {
  if (rest_.empty()) return;
  throw UsageError(fmt::format("schedule '{}': no option '{}': {} takes {}", text_,
                               rest_.front().first, name_, known));
}

}  // namespace daig::optim::detail
