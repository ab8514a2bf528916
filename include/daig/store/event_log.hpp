#pragma once

/// The run's events for programs: one JSON object a line, appended as things happen.

#include <filesystem>
#include <string_view>

#include <daig/core/deadline.hpp>
#include <daig/metrics/recorder.hpp>

namespace daig::store {

/// Writes events.jsonl (docs/formats.md). Every line stands for itself: {"event": what, "t":
/// seconds since `began`, ...the fields}. A number that JSON cannot hold becomes null.
///
/// Threads: any; a line is one write, so lines never mix. Cost: one system call an event.
class EventLog : public metrics::Recorder {
 public:
  /// Opens for appending, after what earlier attempts wrote. @throws IoError
  EventLog(const std::filesystem::path& path, TimePoint began);
  EventLog(const EventLog&) = delete;
  EventLog& operator=(const EventLog&) = delete;
  EventLog(EventLog&&) = delete;
  EventLog& operator=(EventLog&&) = delete;
  ~EventLog() override;

  /// @throws IoError when a line cannot be written.
  void step_committed(const metrics::StepRecord& step) override;
  /// Expects no field named "event" or "t". @throws IoError
  void event(std::string_view kind, const metrics::Fields& fields) override;

 private:
  void append(std::string line);

  std::filesystem::path path_;
  TimePoint began_;
  int file_;
};

}  // namespace daig::store
