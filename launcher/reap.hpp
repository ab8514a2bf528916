#pragma once

/// Ends what is left of a job that mpirun could not end: a process of a job carries the job's id in
/// its environment, and so do its descendants.

#include <string>
#include <vector>

#include <daig/core/deadline.hpp>

#include "hostfile.hpp"

namespace daig::launcher {

inline constexpr const char* job_variable = "DAIG_JOB";
/// The subcommand that does it on another machine: daig reap JOB_ID
inline constexpr const char* reap_command = "reap";

/// The subcommand that asks ranks to leave on another machine: daig dismiss JOB_ID RANK...
inline constexpr const char* dismiss_command = "dismiss";

/// 32 hex digits that no other job has.
std::string fresh_job_id();

/// Ends this user's processes of the job on this machine, this process excepted: politely first,
/// and by force those that have not ended within the patience. Returns how many there were.
/// Cost: reads /proc once or twice when there are none.
int reap(const std::string& job_id, Duration patience);

/// Asks these of mpirun's ranks to leave, as far as they run on this machine: SIGTERM for each
/// rank's own process, not for what it has started. Waits for nothing. Returns how many there were.
/// Cost: reads /proc once.
int dismiss(const std::string& job_id, const std::vector<int>& ranks);

/// Runs `daig reap` on all these machines at the same time, through the remote shell, and waits
/// until all have answered or the patience is over. A machine that cannot be reached is passed
/// over, with a word in the log at level debug.
void reap_on(const std::vector<Host>& hosts, const std::string& job_id, Duration patience);

}  // namespace daig::launcher
