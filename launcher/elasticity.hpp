#pragma once

/// How many ranks a job has, at its start and later, and on which hosts: what `run` and `train` are
/// told.

#include <optional>
#include <string>

#include <daig/core/deadline.hpp>

#include "growth.hpp"
#include "host_list_watch.hpp"

namespace CLI {
class App;
}

namespace daig::launcher {

struct Elasticity {
  std::optional<int> ranks;  ///< at the start
  std::optional<int> min_ranks;
  std::optional<int> max_ranks;
  std::string hostfile;
  std::string discover;
  int least = 1;  ///< ranks without which the program cannot begin; not from the command line
  double discover_every_s = 5;
  double wait_limit_s = 600;
  double start_limit_s = 60;

  /// Whether there is a list of hosts, which may change: then the job may grow.
  bool has_list() const { return !hostfile.empty() || !discover.empty(); }
  /// Whether the program was said to let newcomers in.
  bool asks_for_growth() const { return !discover.empty() || min_ranks || max_ranks; }
  /// Expects a list.
  HostListSource source() const;
  GrowthLimits limits() const;
  /// How many ranks start in so much room, where there is a list.
  int ranks_to_start(int room) const;
  Duration wait_limit() const;
  Duration start_limit() const;
};

/// Adds the options but for -n. @param group  of the help
void add_elasticity_options(CLI::App& command, Elasticity& elasticity, const std::string& group);

/// @throws UsageError when the options contradict each other.
void check(const Elasticity& elasticity);

/// What `--help` says of them, below.
extern const char* const elasticity_help;

}  // namespace daig::launcher
