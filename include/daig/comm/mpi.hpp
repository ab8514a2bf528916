#pragma once

/// The *mpi* backend: ranks that are processes started by mpirun. Link daig::mpi.

#include <memory>
#include <optional>

#include <daig/comm/communicator.hpp>
#include <daig/comm/invitation.hpp>

namespace daig::comm {

/// MPI, from its initialisation to its end. One for a process, made and destroyed by one thread.
///
/// A program that has initialised MPI by itself may still make one: then it is left to that program
/// to finalize.
///
/// A process that the launcher has started to join a job under way is no process of an mpirun: MPI
/// is not initialised in it, and `world` is a GrowingCommunicator.
class MpiEnvironment {
 public:
  /// Initialises MPI so that any one thread at a time may use it (MPI_THREAD_SERIALIZED).
  /// Collective: mpirun starts all ranks together. @throws UsageError when this MPI has no threads.
  MpiEnvironment();
  /// Finalizes MPI, unless told not to. Collective: waits for all ranks, without a deadline. Where
  /// a rank was lost (Communicator::forgo_farewell), it leaves MPI as it is.
  ~MpiEnvironment();
  MpiEnvironment(const MpiEnvironment&) = delete;
  MpiEnvironment& operator=(const MpiEnvironment&) = delete;
  MpiEnvironment(MpiEnvironment&&) = delete;
  MpiEnvironment& operator=(MpiEnvironment&&) = delete;

  /// A communicator of all ranks, apart from every other one: its messages match no others'.
  /// Collective, but for a newcomer, which joins: at most a minute. In a job that may grow, it
  /// grows. It must be destroyed before the environment.
  /// @throws for a newcomer, as GrowingCommunicator's constructor does.
  std::unique_ptr<Communicator> world();

  /// After a rank has died MPI_Finalize may wait for it for ever: leaves without it. The process
  /// should then end by std::_Exit, once what it has written is safe.
  void leave_without_finalize() noexcept { finalize_ = false; }

  /// Whether this process is a rank of a job, started by Open MPI's mpirun or to join one. Usable
  /// before MPI is initialised.
  static bool launched_as_rank();

 private:
  std::optional<Invitation> invitation_ = invitation_from_environment();
  bool finalize_ = true;
};

}  // namespace daig::comm
