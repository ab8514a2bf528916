#pragma once

/// Sees one attempt at a job through: from mpirun's start to its end, whatever happens between.

#include <chrono>
#include <optional>
#include <string>

#include <daig/core/deadline.hpp>

#include "growing_job.hpp"
#include "mpirun.hpp"
#include "signal_watch.hpp"

namespace daig::launcher {

/// How a job ended.
struct JobEnd {
  std::optional<int> rank_0;    ///< exit code of rank 0, 128 + n when signal n killed it
  int mpirun = 0;               ///< mpirun's own, likewise
  std::optional<int> signal;    ///< what the launcher was told to end the job with
  bool rank_0_ran = false;      ///< its program was started
  bool lost_host = false;       ///< mpirun lost contact with one, or could not reach it
  std::string hung_start = {};  ///< how far it came within the limit, when it was ended for that

  /// The job's: 128 + n when the launcher was told to end it; else rank 0's verdict. Where rank 0
  /// never gave one, mpirun's, but never 0.
  int exit_code() const;
  /// What took the coordinator away although nobody had told it to end, as in "the coordinator was
  /// ended by signal 9"; empty when it ended by itself, or was told to, or never was there.
  std::string loss() const;
  /// What a person should know beyond what the ranks printed; empty when there is nothing.
  std::string remark() const;
};

/// What tells that an attempt's start is over.
enum class StartSign {
  program,  ///< rank 0's program was started
  up,       ///< it says so itself (tell_up)
  door      ///< it lets newcomers in
};

struct Supervision {
  Duration grace{};          ///< how long rank 0 may go on when it has been told to end
  Duration farewell{};       ///< how long the others may go on when rank 0 has ended
  bool reads_input = false;  ///< whether rank 0 reads the launcher's standard input
  Duration start_limit = std::chrono::seconds(60);  ///< and a second for each host
  StartSign start_sign = StartSign::program;
};

/// Starts mpirun and waits for its end.
///
/// The first SIGINT, SIGTERM or SIGHUP goes to rank 0 alone, as SIGTERM: it ends the others. When
/// it has not within the grace, and with the second signal at once, mpirun is ended, and with it
/// all ranks. So it is when rank 0 was killed, or has ended and the others have not within the
/// farewell. SIGUSR1 goes to all ranks. What mpirun writes to stderr goes to stderr (StderrFilter).
///
/// An attempt whose start is not over within the limit is ended: a rank that died in MPI_Init, or a
/// daemon that never came, would let the others wait for ever.
///
/// With a supply of hosts the job may grow (GrowingJob): then job.hosts has just the slots that the
/// ranks fill. Newcomers have the same farewell as the other ranks.
///
/// Every rank has DAIG_JOB in its environment. Where mpirun did not end the job by itself, all that
/// is left of it, here and on the job's other hosts, is ended (reap.hpp): up to 10 s more. mpirun
/// dies with the launcher.
///
/// Threads: one at a time, and no other thread may run that could take the signals.
/// @throws InputError when there is no mpirun, IoError when the system does not let it be started.
JobEnd supervise(const Job& job, const Supervision& how, const SignalWatch& signals,
                 const GrowthSupply* supply = nullptr);

}  // namespace daig::launcher
