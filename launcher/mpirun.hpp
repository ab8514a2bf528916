#pragma once

/// The line that starts a job, as mpirun wants it.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hostfile.hpp"

namespace daig::launcher {

/// What a job is: so many ranks of one program, and where they run.
struct Job {
  int ranks = 4;
  std::vector<std::string> program;                              ///< and its arguments
  std::vector<Host> hosts;                                       ///< empty: this machine alone
  std::vector<std::pair<std::string, std::string>> environment;  ///< set on every rank
  /// Names of variables that every rank gets from mpirun's own environment: secrets, which are not
  /// to be read in a list of processes.
  std::vector<std::string> inherited;
  /// What starts rank 0 in the program's stead, the program following; empty: nothing does.
  std::vector<std::string> rank_0_starter;
  std::string remote_shell;  ///< what starts daemons on other hosts; empty: Open MPI's choice
};

/// The variables that are set on every rank: the job's, and one that keeps BLAS from multiplying
/// threads by ranks.
std::vector<std::pair<std::string, std::string>> environment_of_ranks(const Job& job);

/// mpirun's arguments, mpirun itself first. Rank 0 lands on this machine, a rank's death does not
/// end the others, and ranks may outnumber processors and give way while they wait.
std::vector<std::string> mpirun_line(const Job& job, bool as_root);

/// The same for a person to read, or for a shell.
std::string shell_text(const std::vector<std::string>& line);

/// A line that means nothing: what every Open MPI 4 daemon prints when a rank has ended early, how
/// many more pages about a lost host mpirun could have printed, that a remote shell was quick to
/// start (it had set its own process group before mpirun could), and that a rank could not read the
/// memory of one that is dead.
bool is_harmless(std::string_view line);

/// Whether the system would find such a program.
bool is_program(const std::string& name);

/// Expects a program that the system would find. @throws InputError when there is none.
void check_program(const std::string& name, std::string_view advice);

}  // namespace daig::launcher
