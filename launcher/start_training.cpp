#include "start_training.hpp"

#include <algorithm>
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
#include <daig/store/run_directory.hpp>
#include <daig/train/leave_on_signal.hpp>
#include <daig/train/member.hpp>

#include "announce.hpp"
#include "coordinate.hpp"
#include "outcome.hpp"
#include "process.hpp"
#include "progress.hpp"
#include "restarts.hpp"

namespace daig::launcher {
namespace {

namespace fs = std::filesystem;

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
                  const RunManner& manner, LeaveRequest& leave) {
  log::set_rank(communicator.rank());
  if (communicator.rank() == coordinator_rank) {
    return coordinate(communicator, prepare_or_tell(communicator, settings, manner), manner, leave);
  }
  volunteer(communicator, leave);
  return 0;
}

/// This process is one of mpirun's. Only rank 0 speaks of errors, but for those who lost it.
int train_under_mpirun(const TrainSettings& settings, const RunManner& manner) {
  LeaveRequest leave;
  const train::LeaveOnSignal signals([&] { leave.make(); });
  comm::MpiEnvironment environment;
  const auto world = environment.world();
  try {
    return train_as_rank(*world, settings, manner, leave);
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
  LeaveRequest leave;
  const train::LeaveOnSignal signals([&] { leave.make(); });
  int code = 0;
  comm::run_in_process(ranks, [&](comm::Communicator& communicator) {
    if (communicator.rank() == coordinator_rank) {
      code = coordinate(communicator, std::move(job), manner, leave);
    } else {
      LeaveRequest nobody;  // the coordinator ends the run for all
      volunteer(communicator, nobody);
    }
  });
  return code;
}

/// A training run as a job for mpirun: its first attempt, and those that go on from a snapshot.
class MpirunTraining {
 public:
  /// @param words  of the command line
  MpirunTraining(int ranks, const TrainSettings& settings, const RunManner& manner,
                 const std::vector<std::string>& words)
      : ranks_(ranks),
        settings_(settings),
        manner_(manner),
        words_(words),
        resumes_(!manner.resume.empty()),
        folder_(resumes_ ? manner.resume : manner.run_dir) {
    if (!folder_.empty()) return;
    folder_ = fresh_folder();
    fresh_ = true;
    words_.insert(words_.end(), {"--run-dir", folder_.string()});
  }

  int run() {
    const Duration grace = grace_of(manner_.grace_s);
    const int code = run_job(
        {.job = [this](int attempt) { return job(attempt); }, .place = [this] { return place(); }},
        {.grace = grace, .farewell = std::min<Duration>(grace, std::chrono::seconds(10))},
        manner_.restarts);
    if (fresh_) {  // what was made for nothing is empty, and only then goes
      std::error_code not_empty;
      fs::remove(folder_, not_empty);
      fs::remove(folder_.parent_path(), not_empty);
    }
    return code;
  }

 private:
  Job job(int attempt) const {
    Job job;
    job.ranks = ranks_;
    job.program = {own_path()};
    const std::vector<std::string> words = attempt > 1 && resumes_ ? words_to_resume() : words_;
    job.program.insert(job.program.end(), words.begin(), words.end());
    if (!manner_.hostfile.empty()) job.hosts = read_hostfile(manner_.hostfile);
    const bool terminal = progress_style(manner_.quiet) == ProgressStyle::rewritten;
    job.environment = {{terminal_variable, terminal ? "1" : "0"}, {checked_variable, "1"}};
    if (const char* level = std::getenv("DAIG_LOG")) {
      job.environment.emplace_back("DAIG_LOG", level);
    }
    return job;
  }

  /// The settings are in the ledger; how it runs is as before.
  std::vector<std::string> words_to_resume() const {
    std::vector<std::string> words{"train", "--resume", folder_.string()};
    if (!settings_.out.empty()) words.insert(words.end(), {"--out", settings_.out.string()});
    if (manner_.json) words.emplace_back("--json");
    if (manner_.quiet) words.emplace_back("--quiet");
    return words;
  }

  std::string place() {
    std::error_code unknown;
    if (!fs::exists(folder_ / store::RunDirectory::ledger_name, unknown)) {
      // Nothing was begun: RunDirectory::create would refuse a folder where something was.
      resumes_ = false;
      return "from the start";
    }
    const Version version = snapshot_to_resume(folder_).version;
    resumes_ = true;
    return fmt::format("from step {}", version.value());
  }

  int ranks_;
  const TrainSettings& settings_;
  const RunManner& manner_;
  std::vector<std::string> words_;  ///< of the first attempt
  bool resumes_;
  fs::path folder_;
  bool fresh_ = false;  ///< the folder was chosen here
};

}  // namespace

int start_training(const TrainSettings& settings, const RunManner& manner,
                   const std::vector<std::string>& words) {
  if (comm::MpiEnvironment::launched_as_rank()) return train_under_mpirun(settings, manner);
  if (manner.in_process && !manner.hostfile.empty()) {
    throw UsageError("--in-process and --hostfile: threads of one process are on one machine");
  }
  static_cast<void>(grace_of(manner.grace_s));
  check_restarts(manner.restarts);
  const int ranks = choose_ranks(manner);
  {
    TrainingJob job = prepare(settings, manner, ranks, Checks::thorough);
    if (ranks == 1) {
      LeaveRequest leave;
      const train::LeaveOnSignal signals([&] { leave.make(); });
      comm::SelfCommunicator alone;
      return coordinate(alone, std::move(job), manner, leave);
    }
    if (manner.in_process) return train_in_threads(std::move(job), ranks, manner);
  }
  return MpirunTraining(ranks, settings, manner, words).run();
}

}  // namespace daig::launcher
