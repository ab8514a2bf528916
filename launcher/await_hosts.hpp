#pragma once

/// The wait for hosts before an attempt at a job.

#include <optional>
#include <variant>
#include <vector>

#include "elasticity.hpp"
#include "signal_watch.hpp"

namespace daig::launcher {

/// What an attempt starts on.
struct StartingHosts {
  std::vector<Host> listed;    ///< all that can be started on; this machine first
  std::vector<Host> founders;  ///< where the ranks go, as in place_ranks
};

/// Whether hosts are asked if they are there. At the first attempt one that is not is bad input.
enum class Unreachable { counted, left_out };

/// Waits until the list has room for --min-ranks ranks, and for as many as the program needs
/// (Elasticity::least), and for a list at all. Returns the signal
/// that was sent meanwhile, if one was.
/// Cost: with left_out, `true` through the remote shell on all other hosts at once, 5 s at most.
/// @throws DeadlineExceeded when there is no room within the limit, InputError when the hostfile is
/// none.
std::variant<StartingHosts, int> await_hosts(HostListWatch& watch, const Elasticity& elasticity,
                                             Unreachable unreachable, const SignalWatch& signals);

}  // namespace daig::launcher
