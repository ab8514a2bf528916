#include <chrono>
#include <cstdlib>
#include <utility>

#include <mpi.h>

#include <daig/comm/growing.hpp>
#include <daig/comm/mpi.hpp>

#include "mpi_call.hpp"
#include "mpi_communicator.hpp"

namespace daig::comm {

MpiEnvironment::MpiEnvironment() {
  if (invitation_) {
    finalize_ = false;
    return;
  }
  int initialised = 0;
  check_mpi(MPI_Initialized(&initialised), "MPI_Initialized");
  int level = MPI_THREAD_SINGLE;
  if (initialised != 0) {
    finalize_ = false;
    check_mpi(MPI_Query_thread(&level), "MPI_Query_thread");
  } else {
    // Where ranks outnumber cores, Open MPI gives the processor away in every call that finds
    // nothing, and a compute thread on the same core then keeps it for milliseconds. No rank of
    // ours blocks inside MPI: Communicator::park decides when to give way, and when to nap.
    ::setenv("OMPI_MCA_mpi_yield_when_idle", "0", 1);
    check_mpi(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &level), "MPI_Init_thread");
  }
  if (level < MPI_THREAD_SERIALIZED) {
    throw UsageError(
        "this MPI was initialised without MPI_THREAD_SERIALIZED, but ranks communicate on a thread "
        "of their own: initialise it with MPI_Init_thread, or let MpiEnvironment do it");
  }
}

MpiEnvironment::~MpiEnvironment() {
  if (finalize_ && !MpiCommunicator::farewell_forgone()) MPI_Finalize();
}

std::unique_ptr<Communicator> MpiEnvironment::world() {
  if (invitation_) {
    return std::make_unique<GrowingCommunicator>(*invitation_,
                                                 Deadline::in(std::chrono::minutes(1)));
  }
  auto founders = std::make_unique<MpiCommunicator>();
  auto door = door_from_environment();
  if (!door) return founders;
  return std::make_unique<GrowingCommunicator>(std::move(founders), *std::move(door));
}

bool MpiEnvironment::launched_as_rank() {
  return std::getenv("OMPI_COMM_WORLD_SIZE") != nullptr || std::getenv(join_variable) != nullptr;
}

}  // namespace daig::comm
