#pragma once

/// A job whose coordinator may die: it is started again.

#include <functional>
#include <string>

#include "elasticity.hpp"
#include "supervisor.hpp"

namespace daig::launcher {

/// The variable that tells every rank which attempt it belongs to: 1, 2, ...
inline constexpr const char* attempt_variable = "DAIG_ATTEMPT";

/// A job that can be started more than once.
struct RestartableJob {
  /// The job of an attempt. Where there is a list of hosts, how many ranks it has and where is
  /// chosen by that, when it starts: hosts may have come and gone meanwhile.
  std::function<Job(int attempt)> job;
  Elasticity elasticity;
  /// Where the next attempt goes on, as in "from step 120"; empty: nobody knows.
  /// @throws Error when it cannot go on.
  std::function<std::string()> place;
};

/// Supervises the job, and starts it again, at most so many times, when the coordinator or mpirun
/// was lost (JobEnd::loss), the start hung, or a host was lost at the start of a later attempt,
/// which leaves out the hosts that do not answer by then. The pause before is 1 s, and twice as
/// long each time, at most 30 s; a signal ends it, and the job. Nothing of an attempt is left when
/// the next one starts. Says on stderr what happened; returns the job's exit code. The limit of a
/// start is that of the job's elasticity. Threads: as supervise. @throws as supervise and `job` do.
int run_job(const RestartableJob& restartable, Supervision how, int restarts);

/// Expects a number of restarts that makes sense. @throws UsageError when it does not.
void check_restarts(int restarts);

/// Seconds of the option --grace as time. @throws UsageError when they make no sense.
Duration grace_of(double seconds);

}  // namespace daig::launcher
