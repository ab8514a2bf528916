#pragma once

/// A training run as its ranks see it.

#include <daig/comm/communicator.hpp>

#include "leave_request.hpp"
#include "training_job.hpp"

namespace daig::launcher {

/// Rank 0: announces the job, trains it to the end with the others, keeps ledger, events and
/// snapshots, writes and tests the model, and prints the report. Returns the exit code.
/// @throws what ended the run; the others have been told.
/// A run that is asked to leave keeps its last state in a snapshot, and can be resumed.
int coordinate(comm::Communicator& communicator, TrainingJob job, const RunManner& manner,
               LeaveRequest& leave);

/// All other ranks; one that is asked to leave does so alone. @throws train::RunAborted when rank 0
/// ended the run without a result.
void volunteer(comm::Communicator& communicator, LeaveRequest& leave);

}  // namespace daig::launcher
