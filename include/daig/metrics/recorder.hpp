#pragma once

/// Facts of a run, told to whoever wants to keep them: the ledger, the event log, a test.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <daig/metrics/step_record.hpp>

namespace daig::metrics {

/// One named value of an event; 64-bit digests and the like go as text.
struct Field {
  std::string name;
  std::variant<std::int64_t, double, bool, std::string> value;
};
using Fields = std::vector<Field>;

/// Something worth keeping that happened.
struct Event {
  std::string kind;  ///< snake_case, e.g. "member_lost"
  Fields fields;     ///< their names likewise; "event" and "t" are taken
};

/// A sink of facts. It overrides what it wants; a plain Recorder forgets everything.
///
/// Threads: called by one thread, the coordinator's. What a sink throws ends the run: facts that
/// cannot be kept are no accounts.
class Recorder {
 public:
  Recorder() = default;
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;
  Recorder(Recorder&&) = delete;
  Recorder& operator=(Recorder&&) = delete;
  virtual ~Recorder() = default;

  /// Once for every step, in the order of steps, after all members committed it.
  virtual void step_committed(const StepRecord& step);

  /// Anything else worth keeping, e.g. "member_lost" with the field "rank". The kind and the names
  /// are snake_case; "event" and "t" are taken.
  virtual void event(std::string_view kind, const Fields& fields);
};

/// Passes everything on, in the order in which the sinks were added. Does not own them.
class RecorderList : public Recorder {
 public:
  void add(Recorder& sink) { sinks_.push_back(&sink); }

  void step_committed(const StepRecord& step) override;
  void event(std::string_view kind, const Fields& fields) override;

 private:
  std::vector<Recorder*> sinks_;
};

// ---------------------------------------------------------------------------------------------

inline void Recorder::step_committed(const StepRecord& /*step*/) {}
inline void Recorder::event(std::string_view /*kind*/, const Fields& /*fields*/) {}

inline void RecorderList::step_committed(const StepRecord& step) {
  for (Recorder* sink : sinks_) sink->step_committed(step);
}
inline void RecorderList::event(std::string_view kind, const Fields& fields) {
  for (Recorder* sink : sinks_) sink->event(kind, fields);
}

}  // namespace daig::metrics
