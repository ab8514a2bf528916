#pragma once

/// The program by which commands are run on other machines: ssh, or what Open MPI is told to use.

#include <string>
#include <vector>

#include <daig/core/deadline.hpp>

#include "hostfile.hpp"

namespace daig::launcher {

/// The subcommand that stands between mpirun and it: daig remote-shell AGENT... HOST COMMAND...
inline constexpr const char* remote_shell_command = "remote-shell";

/// The words before the host's name. @param setting  OMPI_MCA_plm_rsh_agent: agents with a colon
/// between them, of which the first that is installed counts; empty for Open MPI's own "ssh : rsh"
std::vector<std::string> remote_shell(const std::string& setting);
/// The same for what the environment says.
std::vector<std::string> remote_shell();

/// What mpirun is told to use in its place: `daig remote-shell`, and where that is not installed (a
/// host that starts further hosts), the agent itself.
std::string guarded_remote_shell(const std::vector<std::string>& agent);

/// The words that run a command on a host without asking anybody anything; given up when the host
/// does not answer for so long. Expects a remote shell.
std::vector<std::string> remote_line(const std::string& host,
                                     const std::vector<std::string>& command, Duration patience);

/// Runs a command on all these hosts at the same time, and waits until all have answered or the
/// patience is over. Returns its exit codes, or the remote shell's; 137 where there was no answer.
std::vector<int> run_on(const std::vector<Host>& hosts, const std::vector<std::string>& command,
                        Duration patience);

/// Those of the hosts that answer in time. @param hosts  of which the first is this machine
std::vector<Host> reachable(const std::vector<Host>& hosts, Duration patience);

/// Runs the remote shell and returns its exit code; a failure a moment late. When a host goes down,
/// mpirun ends the whole job if the first it hears of it is that the remote shell failed, and
/// goes on with the others if it has seen its connection break before.
int run_remote_shell(const std::vector<std::string>& words);

}  // namespace daig::launcher
