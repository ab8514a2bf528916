#include "coordinate.hpp"

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <span>
#include <utility>

#include <fmt/format.h>

#include <daig/comm/invitation.hpp>
#include <daig/core/deadline.hpp>
#include <daig/core/id.hpp>
#include <daig/data/read_shard.hpp>
#include <daig/metrics/recorder.hpp>
#include <daig/store/audit.hpp>
#include <daig/store/event_log.hpp>
#include <daig/store/keras_file.hpp>
#include <daig/store/ledger.hpp>
#include <daig/store/model_file.hpp>
#include <daig/store/run_directory.hpp>
#include <daig/train/evaluate.hpp>
#include <daig/train/session.hpp>

#include "announce.hpp"
#include "door.hpp"
#include "epoch_watch.hpp"
#include "keras_model.hpp"
#include "local_training.hpp"
#include "outcome.hpp"
#include "progress.hpp"
#include "report.hpp"
#include "snapshot_request.hpp"

namespace daig::launcher {
namespace {

namespace fs = std::filesystem;

/// Which versions are worth a snapshot: as often as was asked for; or else after an epoch, but not
/// soon after the last one, as short epochs would have the coordinator write more than it works.
class SnapshotTimes {
 public:
  explicit SnapshotTimes(const TrainingJob& job)
      : asked_for_(job.settings.snapshot_every),
        epoch_((job.plan.data.batches() + job.plan.k - 1) / job.plan.k) {}

  bool is_due(Version version) {
    const std::uint64_t every = asked_for_ != 0 ? asked_for_ : epoch_;
    if (version.value() % every != 0) return false;
    if (asked_for_ == 0 && Clock::now() - latest_ < least_pause) return false;
    latest_ = Clock::now();
    return true;
  }

 private:
  static constexpr Duration least_pause = std::chrono::seconds(10);

  std::uint64_t asked_for_;  ///< steps; 0: nothing was said
  std::uint64_t epoch_;      ///< steps
  TimePoint latest_ = Clock::now();
};

/// What a run keeps on disk. Belongs to the communication thread of rank 0.
class Records {
 public:
  Records(const TrainingJob& job, const RunManner& manner, int ranks)
      : job_(job),
        directory_(open_directory(manner)),
        ledger_(open_ledger(ranks)),
        events_(directory_.events(), Clock::now()) {}

  const store::RunDirectory& directory() const { return directory_; }
  store::Ledger& ledger() { return ledger_; }
  store::EventLog& events() { return events_; }
  SnapshotRequest& snapshot_request() { return snapshot_request_; }

  /// What the trained model is written back into must still be there then, as it is now.
  void keep_original() const {
    const store::KerasFile file = store::read_keras_file(job_.original);
    store::write_keras_file(job_.original, directory_.original(), file.weights);
  }

  void write_snapshot(const std::vector<float>& weights, const train::OptimizerState& optimizer,
                      Version version) {
    ledger_.sync();  // no snapshot knows more steps than the ledger
    const auto reach = [&](train::Milestone milestone) {
      if (on_milestone_) on_milestone_(milestone, version);
    };
    write(directory_.snapshot(version), weights, optimizer, version,
          [&] { reach(train::Milestone::saving); });
    reach(train::Milestone::saved);
    const std::uint64_t keep = job_.settings.keep_snapshots;
    if (keep != 0) directory_.keep_latest_snapshots(keep);
    snapshot_request_.answer();
  }

  /// The best model so far, where it is wanted.
  void write_best(std::span<const float> weights, Version version) const {
    const fs::path& path = job_.settings.save_best;
    if (path.empty()) return;
    if (job_.original.empty()) return write(path, {weights.begin(), weights.end()}, {}, version);
    write_keras_model(directory_.original(), path, weights, nullptr);
  }

  void write(const fs::path& path, const std::vector<float>& weights,
             const train::OptimizerState& optimizer, Version version,
             const std::function<void()>& before_rename = {}) const {
    store::SavedModel saved;
    saved.spec = job_.spec;
    saved.layout = job_.layout;
    saved.weights = weights;
    saved.optimizer.name = job_.settings.options.optimizer.name;
    saved.optimizer.slots = {optimizer.arrays.begin(), optimizer.arrays.end()};
    saved.optimizer.scalars = optimizer.scalars;
    saved.version = version;
    const std::uint64_t epoch = version.value() * job_.plan.k / job_.plan.data.batches();
    saved.epoch = Epoch{static_cast<Epoch::rep>(std::min(epoch, job_.plan.epochs))};
    saved.seed = job_.settings.options.seed;
    store::write_model(path, saved, before_rename);
  }

 private:
  store::RunDirectory open_directory(const RunManner& manner) const {
    if (job_.resumed) return store::RunDirectory::resume(manner.resume);
    return store::RunDirectory::create(manner.run_dir.empty() ? fresh_folder() : manner.run_dir);
  }
  store::Ledger open_ledger(int ranks) const {
    if (job_.resumed) return store::Ledger::resume(directory_.ledger(), job_.version);
    store::Configuration configuration = job_.configuration();
    configuration["ranks"] = fmt::to_string(ranks);
    return store::Ledger::create(directory_.ledger(), configuration);
  }

  const TrainingJob& job_;
  train::OnMilestone on_milestone_ = options_of(job_.settings, coordinator_rank).on_milestone;
  store::RunDirectory directory_;
  store::Ledger ledger_;
  store::EventLog events_;
  SnapshotRequest snapshot_request_{directory_.path()};
};

/// How many batches there are of each epoch.
std::map<Epoch, std::uint64_t> count_by_epoch(const std::vector<store::PlannedBatch>& batches) {
  std::map<Epoch, std::uint64_t> counts;
  for (const store::PlannedBatch& batch : batches) ++counts[batch.epoch];
  return counts;
}

/// @param done    committed before
/// @param epochs  null where nobody follows them
train::Task task_of(const TrainingJob& job, Records& records,
                    const std::vector<store::PlannedBatch>& done, metrics::Recorder& recorder,
                    EpochWatch* epochs) {
  train::Task task;
  task.weights = job.weights;
  task.samples = job.train.count();
  task.read_shard = [dataset = job.train](const data::ShardPlan& plan, ShardId shard) {
    return data::read_shard(dataset, plan, shard);
  };
  task.version = job.version;
  for (const store::PlannedBatch& batch : done) task.done.push_back({batch.epoch, batch.batch});
  task.optimizer_state = job.optimizer_state;
  task.recorder = &recorder;
  task.on_version = [&records, epochs,
                     times = SnapshotTimes(job)](train::Replica& replica) mutable {
    if (epochs != nullptr) epochs->on_version(replica.weights(), replica.version());
    if (!times.is_due(replica.version()) && !records.snapshot_request().is_there()) return;
    records.write_snapshot(*replica.weights(), train::save(replica.optimizer_state()),
                           replica.version());
  };
  return task;
}

/// Writes the model, tests it, and audits the run.
TrainReport finish(const TrainingJob& job, Records& records, const train::Result& result,
                   nn::Network<float>& network, const EpochWatch* epochs) {
  records.ledger().sync();
  const fs::path model = records.directory().model();
  records.write(model, result.weights, result.optimizer_state, result.version);
  const fs::path out = job.settings.out.empty() ? model : job.settings.out;
  if (out != model && job.original.empty()) {
    records.write(out, result.weights, result.optimizer_state, result.version);
  } else if (out != model) {
    const KerasProgress progress{job.settings.options.optimizer, result.optimizer_state,
                                 result.version.value()};
    write_keras_model(records.directory().original(), out, result.weights,
                      job.settings.keras_state ? &progress : nullptr);
  }
  const auto quality_on = [&](const std::optional<data::Dataset>& part) {
    std::optional<train::Quality> quality;
    if (part) quality = train::evaluate(network, result.weights, *part);
    return quality;
  };
  std::optional<train::Quality> validation;
  if (epochs != nullptr) validation = epochs->validation_of(result.version);
  if (!validation) validation = quality_on(job.validation);
  return {.test = quality_on(job.test),
          .validation = validation,
          .best_epoch = epochs == nullptr ? 0 : epochs->best_epoch(),
          .samples = result.samples,
          .seconds = result.seconds,
          .audit = store::audit(records.directory().path()),
          .run_dir = records.directory().path(),
          .model = model,
          .out = out};
}

}  // namespace

int coordinate(comm::Communicator& communicator, TrainingJob job, const RunManner& manner,
               LeaveRequest& leave) {
  // Alone it trains, and goes on when others come: they and the ledger have to know.
  if (communicator.size() == 1 && !job.resumed && comm::door_from_environment()) {
    job.settings.options.coordinator_trains = true;
  }
  std::optional<Records> records;
  try {
    records.emplace(job, manner, communicator.size());
    if (!job.resumed) {
      if (!job.original.empty()) records->keep_original();
      records->write_snapshot(job.weights, job.optimizer_state, Version{0});
    }
  } catch (...) {
    announce_failure(communicator, outcome_of(std::current_exception()));
    throw;
  }
  announce(communicator, job.configuration());

  const ProgressStyle style = progress_style(manner.quiet);
  if (style != ProgressStyle::none) {
    say(fmt::format("{} {}: {} samples, {} batches, K = {}, {} rank{}; run {}\n",
                    job.resumed ? "resuming" : "training", job.title, job.train.count(),
                    job.plan.batches(), job.plan.k, communicator.size(),
                    communicator.size() == 1 ? "" : "s", records->directory().path().string()));
  }
  RunWorkload workload(job.spec, job.settings.local);
  train::Options options = options_of(job.settings, coordinator_rank);
  options.layout = workload.layout_for_run();
  train::Session session(communicator, options, job.weights.size());
  train::Result result;
  const std::vector<store::PlannedBatch> done = records->ledger().committed_batches();
  std::optional<EpochWatch> epochs;
  if (watches_epochs(job.settings)) {
    epochs.emplace(job, count_by_epoch(done),
                   job.resumed ? read_epochs(records->directory().events(), job.version)
                               : std::vector<EpochRecord>(),
                   records->events(),
                   EpochWatch::Actions{[&](std::span<const float> weights, Version version) {
                                         records->write_best(weights, version);
                                       },
                                       [&session] { session.leave(); }});
  }
  {
    Progress progress(style, job.version.value(), job.total_steps(), job.plan.epochs);
    metrics::RecorderList recorders;
    recorders.add(records->ledger());
    recorders.add(records->events());
    recorders.add(progress);
    if (epochs) recorders.add(*epochs);
    session.set_up(task_of(job, *records, done, recorders, epochs ? &*epochs : nullptr));
    const LeaveRequest::Listener listener(leave, session);
    result = session.run(workload);
  }
  shut_own_door();  // what is left to do takes nobody else
  if (epochs) epochs->finish();
  const bool ended_early = !result.complete && epochs && epochs->has_stopped();
  if (ended_early) records->ledger().end_early();
  if (!result.complete && !ended_early) {
    records->write_snapshot(result.weights, result.optimizer_state, result.version);
    const std::string folder = records->directory().path().string();
    complain(fmt::format("stopped after step {} of {}; to go on: daig train --resume {}",
                         result.version.value(), job.total_steps(), folder));
    return static_cast<int>(ExitCode::stopped);
  }
  const TrainReport report =
      finish(job, *records, result, workload.network(), epochs ? &*epochs : nullptr);
  if (style != ProgressStyle::none || !manner.json) say(text_of(report));
  if (manner.json) say(json_of(report) + "\n");
  return static_cast<int>(report.audit.clean() ? ExitCode::success : ExitCode::finding);
}

void volunteer(comm::Communicator& communicator, LeaveRequest& leave) {
  const store::Configuration configuration = hear(communicator);
  const TrainSettings settings = settings_of(configuration, "rank 0's announcement");
  RunWorkload workload(configuration.at("spec"), settings.local);
  train::Options options = options_of(settings, communicator.rank());
  options.layout = workload.layout_for_run();
  train::Session session(communicator, options, workload.network().layout().size());
  const LeaveRequest::Listener listener(leave, session);
  static_cast<void>(session.run(workload));
}

}  // namespace daig::launcher
