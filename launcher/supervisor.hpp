#pragma once

/// Sees a job through: from mpirun's start to its end, whatever happens between.

#include <optional>
#include <string>

#include <daig/core/deadline.hpp>

#include "mpirun.hpp"

namespace daig::launcher {

/// How a job ended.
struct JobEnd {
  std::optional<int> rank_0;  ///< exit code of rank 0, 128 + n when signal n killed it
  int mpirun = 0;             ///< mpirun's own, likewise
  std::optional<int> signal;  ///< what the launcher was told to end the job with

  /// The job's: 128 + n when the launcher was told to end it; else rank 0's verdict. Where rank 0
  /// never gave one, mpirun's, but never 0.
  int exit_code() const;
  /// What a person should know beyond what the ranks printed; empty when there is nothing.
  std::string remark() const;
};

struct Supervision {
  Duration grace{};          ///< how long the others may go on when rank 0 has ended
  bool reads_input = false;  ///< whether rank 0 reads the launcher's standard input
};

/// Starts mpirun and waits for its end. Passes SIGINT, SIGTERM, SIGHUP and SIGUSR1 on to it, and
/// what it writes to stderr on to stderr, less the harmless lines. When rank 0 has ended and the
/// others have not within the grace, ends mpirun. mpirun dies with the launcher.
///
/// Threads: one at a time, and no other thread may run that could take the signals.
/// @throws InputError when there is no mpirun, IoError when the system does not let it be started.
JobEnd supervise(const Job& job, const Supervision& how);

}  // namespace daig::launcher
