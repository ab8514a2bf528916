#include "start_training.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>

#include <fmt/format.h>

#include <daig/comm/in_process.hpp>
#include <daig/comm/mpi.hpp>
#include <daig/comm/self.hpp>
#include <daig/core/error.hpp>
#include <daig/core/log.hpp>
#include <daig/train/member.hpp>

#include "announce.hpp"
#include "coordinate.hpp"
#include "outcome.hpp"
#include "progress.hpp"
#include "supervisor.hpp"

namespace daig::launcher {
namespace {

/// Tells rank 0 that the launcher has read all labels and data already.
constexpr const char* checked_variable = "DAIG_CHECKED";

/// Rank 0 before it coordinates: what fails here must end the others as well.
TrainingJob prepare_or_tell(comm::Communicator& communicator, const TrainSettings& settings,
                            const RunManner& manner) {
  try {
    if (manner.ranks && *manner.ranks != communicator.size()) {
      throw UsageError(fmt::format("-n {}: mpirun has started {} ranks; leave -n out",
                                   *manner.ranks, communicator.size()));
    }
    const Checks checks =
        std::getenv(checked_variable) == nullptr ? Checks::thorough : Checks::quick;
    return prepare(settings, manner, communicator.size(), checks);
  } catch (...) {
    announce_failure(communicator, outcome_of(std::current_exception()));
    throw;
  }
}

int train_as_rank(comm::Communicator& communicator, const TrainSettings& settings,
                  const RunManner& manner) {
  log::set_rank(communicator.rank());
  if (communicator.rank() == coordinator_rank) {
    return coordinate(communicator, prepare_or_tell(communicator, settings, manner), manner);
  }
  volunteer(communicator);
  return 0;
}

/// This process is one of mpirun's. Only rank 0 speaks of errors, but for those who lost it.
int train_under_mpirun(const TrainSettings& settings, const RunManner& manner) {
  comm::MpiEnvironment environment;
  const auto world = environment.world();
  try {
    return train_as_rank(*world, settings, manner);
  } catch (const train::RunAborted& aborted) {
    if (world->rank() == coordinator_rank) complain(aborted.what());
    std::fflush(nullptr);
    std::_Exit(static_cast<int>(aborted.exit_code()));
  } catch (...) {
    const Outcome outcome = outcome_of(std::current_exception());
    const bool lost = world->rank() != coordinator_rank && outcome.code == ExitCode::peer;
    if (lost) log::error("{}", outcome.text);
    if (world->rank() == coordinator_rank) complain(outcome.text);
    std::fflush(nullptr);
    std::_Exit(static_cast<int>(outcome.code));  // some rank may be dead: MPI_Finalize would wait
  }
}

int train_in_threads(TrainingJob job, int ranks, const RunManner& manner) {
  int code = 0;
  comm::run_in_process(ranks, [&](comm::Communicator& communicator) {
    if (communicator.rank() == coordinator_rank) {
      code = coordinate(communicator, std::move(job), manner);
    } else {
      volunteer(communicator);
    }
  });
  return code;
}

int train_by_mpirun(int ranks, const RunManner& manner, const std::vector<std::string>& words) {
  Job job;
  job.ranks = ranks;
  job.program = {std::filesystem::read_symlink("/proc/self/exe").string()};
  job.program.insert(job.program.end(), words.begin(), words.end());
  if (!manner.hostfile.empty()) job.hosts = read_hostfile(manner.hostfile);
  const bool terminal = progress_style(manner.quiet) == ProgressStyle::rewritten;
  job.environment = {{terminal_variable, terminal ? "1" : "0"}, {checked_variable, "1"}};
  if (const char* level = std::getenv("DAIG_LOG")) job.environment.emplace_back("DAIG_LOG", level);
  const JobEnd end = supervise(job, {.grace = std::chrono::seconds(10)});
  if (const std::string remark = end.remark(); !remark.empty()) complain(remark);
  return end.exit_code();
}

}  // namespace

int start_training(const TrainSettings& settings, const RunManner& manner,
                   const std::vector<std::string>& words) {
  if (comm::MpiEnvironment::launched_by_mpirun()) return train_under_mpirun(settings, manner);
  if (manner.in_process && !manner.hostfile.empty()) {
    throw UsageError("--in-process and --hostfile: threads of one process are on one machine");
  }
  const int ranks = choose_ranks(manner);
  {
    TrainingJob job = prepare(settings, manner, ranks, Checks::thorough);
    if (ranks == 1) {
      comm::SelfCommunicator alone;
      return coordinate(alone, std::move(job), manner);
    }
    if (manner.in_process) return train_in_threads(std::move(job), ranks, manner);
  }
  return train_by_mpirun(ranks, manner, words);
}

}  // namespace daig::launcher
