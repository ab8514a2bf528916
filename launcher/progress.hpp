#pragma once

/// How far a run is, for a person who watches it.

#include <cstdint>
#include <set>
#include <string>

#include <daig/core/deadline.hpp>
#include <daig/metrics/recorder.hpp>

namespace daig::launcher {

enum class ProgressStyle {
  none,       ///< nobody watches
  rewritten,  ///< one line, written over and over: a terminal
  lines       ///< a line now and then: a file or a pipe
};

/// What this process's stdout calls for. Under mpirun it is a pipe in any case; the launcher has
/// then said in DAIG_TERMINAL whether its own is a terminal.
ProgressStyle progress_style(bool quiet);
inline constexpr const char* terminal_variable = "DAIG_TERMINAL";

/// Prints "step 120/1173  epoch 1/5  loss 0.532  48210 samples/s  3 volunteers  12 s left".
///
/// Cost: a line ten times a second (rewritten) or every five seconds (lines), and the last one.
class Progress : public metrics::Recorder {
 public:
  /// @param done  steps that were committed before this attempt
  Progress(ProgressStyle style, std::uint64_t done, std::uint64_t steps, std::uint64_t epochs);
  /// Ends the rewritten line.
  ~Progress() override;

  void step_committed(const metrics::StepRecord& step) override;

  /// The line itself. @param elapsed_s  since this attempt began
  std::string line(double elapsed_s) const;

 private:
  ProgressStyle style_;
  std::uint64_t first_;  ///< step of this attempt
  std::uint64_t steps_;
  std::uint64_t epochs_;
  TimePoint began_ = Clock::now();
  TimePoint shown_{};
  bool open_ = false;  ///< the rewritten line is not ended

  std::uint64_t done_;
  std::uint64_t samples_ = 0;
  std::uint64_t epoch_ = 0;
  std::set<Rank> volunteers_;  ///< that banked something since the last line
  double shown_loss_ = 0;      ///< sum, and samples, since the last line
  std::uint64_t shown_samples_ = 0;
};

}  // namespace daig::launcher
