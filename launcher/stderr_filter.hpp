#pragma once

/// What a job writes to stderr, as a person should read it.

#include <string>
#include <string_view>

namespace daig::launcher {

/// Takes out what Open MPI's daemons say and nobody needs: harmless lines (is_harmless), and, once
/// the job runs, the page of advice about a host that was lost, in whose place there is one line of
/// ours. Everything else passes, line by line: what ranks say, and mpirun's other pages.
class StderrFilter {
 public:
  /// Takes the next piece, which may begin and end anywhere; returns what there is to show now.
  std::string take(std::string_view piece);
  /// What is held back, at the end.
  std::string rest();

  /// From now on a host that is lost is no reason to advise: the job goes on. Before, it means that
  /// the job could not be started, and the page says why that may be.
  void job_runs() { job_runs_ = true; }
  /// Whether a page told of a host that is lost, or could not be reached.
  bool lost_host() const { return lost_host_; }

  static constexpr const char* lost_host_line =
      "daig: warning: lost contact with a host (or it could not be reached); the job goes on "
      "without it\n";

 private:
  std::string take_line(std::string_view line);

  std::string line_;  ///< that has not ended
  std::string rule_;  ///< a line of dashes: the next one tells whether a page to hide begins
  bool hides_ = false;
  bool job_runs_ = false;
  bool lost_host_ = false;
};

}  // namespace daig::launcher
