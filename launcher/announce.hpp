#pragma once

/// How rank 0 tells the others what the run is about, before the run: they need no files, and no
/// command line either.

#include <daig/comm/communicator.hpp>
#include <daig/store/run_plan.hpp>

#include "outcome.hpp"

namespace daig::launcher {

/// Rank 0: what is trained. Collective with `hear`; ranks that come later are briefed. Cost: one
/// small broadcast.
void announce(comm::Communicator& communicator, const store::Configuration& configuration);

/// Rank 0: nothing will be trained, and why. Collective with `hear`, in place of announce.
void announce_failure(comm::Communicator& communicator, const Outcome& outcome);

/// All other ranks. @throws train::RunAborted with rank 0's outcome when it announces a failure;
/// DeadlineExceeded when it says nothing for so long that it must be gone.
store::Configuration hear(comm::Communicator& communicator);

}  // namespace daig::launcher
