#pragma once

/// Reading a run's events back.

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <daig/metrics/recorder.hpp>

namespace daig::store {

/// An event as the file has it.
struct LoggedEvent {
  double t = 0;  ///< seconds since the attempt began; NaN where the line does not say
  metrics::Event event;

  /// A field as a number, be it whole or not; NaN where there is none, or it is null.
  double number(std::string_view name) const;
};

/// Goes through events.jsonl, line by line, for events of some kinds. The file may be written
/// meanwhile. A line that is no event (cut short by the end of its process, damaged, longer than
/// any event is) is passed over, and so is a field that is neither number, text nor truth value.
///
/// Threads: one at a time. Memory: one line. Cost: a line that does not mention one of the kinds is
/// not parsed.
class EventReader {
 public:
  /// A file that is not there has no events.
  EventReader(const std::filesystem::path& path, std::vector<std::string> kinds);

  /// The next event of these kinds; nothing after the last one. @throws IoError
  std::optional<LoggedEvent> next();

  /// Lines so far that mention a kind, and are no event.
  std::uint64_t damaged() const { return damaged_; }

  /// No event is longer, in bytes.
  static constexpr std::size_t longest_line = 1 << 16;

 private:
  bool read_line();
  bool mentions_a_kind() const;

  std::filesystem::path path_;
  std::vector<std::string> kinds_;
  std::ifstream file_;
  std::string line_;
  std::uint64_t damaged_ = 0;
};

}  // namespace daig::store
