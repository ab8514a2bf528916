#pragma once

/// How many ranks of a job start on each host.

#include <vector>

#include "hostfile.hpp"

namespace daig::launcher {

/// How many ranks the hosts have slots for, at most as many as an int can tell.
int room_on(const std::vector<Host>& hosts);

/// The hosts that the ranks start on, in their order, each with as many slots as it gets ranks:
/// every host fills its slots before the next one's turn, as mpirun does it, and ranks beyond all
/// slots are dealt out one by one. Rank 0 is on the first host. So there is never a doubt where a
/// rank is. Expects a host and a rank.
std::vector<Host> place_ranks(const std::vector<Host>& hosts, int ranks);

}  // namespace daig::launcher
