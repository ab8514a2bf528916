#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <daig/core/deadline.hpp>
#include <daig/core/error.hpp>
#include <daig/data/read_shard.hpp>
#include <daig/store/ledger_reader.hpp>
#include <daig/store/model_file.hpp>
#include <daig/store/run_directory.hpp>
#include <daig/train/replay.hpp>

#include "command.hpp"
#include "data_choice.hpp"
#include "json.hpp"
#include "local_training.hpp"
#include "model.hpp"
#include "outcome.hpp"
#include "progress.hpp"
#include "train_settings.hpp"

namespace daig::launcher {
namespace {

namespace fs = std::filesystem;

struct ReplaySettings {
  std::string run;
  DataChoice data;  ///< where the data is now; empty: where the run had it
  bool json = false;
};

/// Weights that the run has left, to compare with.
struct SavedWeights {
  Version version;
  std::uint64_t digest;
  std::string file;  ///< in the run's folder
};

/// The first thing that did not come out as recorded.
struct Difference {
  StepId step;
  std::string file;  ///< whose weights, those after the step, differ; empty: the step's sum does
  std::uint64_t recorded;
  std::uint64_t recomputed;
};

struct ReplayReport {
  std::uint64_t steps = 0;  ///< reproduced, like the batches
  std::uint64_t batches = 0;
  std::uint64_t ledger_steps = 0;
  bool finished = false;
  std::vector<SavedWeights> compared;  ///< all the same
  std::optional<Difference> difference;
  double seconds = 0;
};

TrainSettings settings_of_run(const store::LedgerReader& ledger, const std::string& where) {
  TrainSettings settings = settings_of(ledger.configuration(), where);
  try {
    check(settings);
  } catch (const UsageError& error) {
    throw InputError(where, error.what());  // it is not the user who said so
  }
  return settings;
}

/// The weights that the run began with. (Where it got them from may be gone by now.)
store::SavedModel read_start(const store::RunDirectory& directory) {
  const fs::path path = directory.snapshot(store::RunDirectory::first_version);
  std::error_code unknown;
  if (!fs::exists(path, unknown)) {
    throw InputError(path.string(),
                     "is not there, and a replay starts from the weights that it holds");
  }
  return store::read_model(path);
}

SavedWeights read_weights(const fs::path& path) {
  const store::SavedModel saved = store::read_model(path);
  return {saved.version, store::weights_digest(saved), path.filename().string()};
}

/// All that the run has saved after its start, the last one last.
std::vector<SavedWeights> read_saved(const store::RunDirectory& directory, bool finished,
                                     std::uint64_t ledger_steps) {
  std::vector<SavedWeights> saved;
  for (const store::Snapshot& snapshot : directory.snapshots()) {
    if (snapshot.version == store::RunDirectory::first_version) continue;
    saved.insert(saved.begin(), read_weights(snapshot.path));
    if (saved.front().version != snapshot.version) {
      throw InputError(snapshot.path.string(),
                       fmt::format("holds the weights after {} steps, which is not what its name "
                                   "says",
                                   saved.front().version.value()));
    }
  }
  if (finished) saved.push_back(read_weights(directory.model()));
  for (const SavedWeights& weights : saved) {
    const bool last = finished && &weights == &saved.back();
    const std::uint64_t steps = weights.version.value();
    if (steps <= ledger_steps && (!last || steps == ledger_steps)) continue;
    throw InputError((directory.path() / weights.file).string(),
                     fmt::format("holds the weights after {} steps, and the ledger beside it has "
                                 "{}; they are not of the same run, or steps were lost",
                                 steps, ledger_steps));
  }
  return saved;
}

data::Dataset open_data(const ReplaySettings& settings, const TrainSettings& run,
                        const store::RunPlan& plan) {
  DataChoice choice = run.data;  // what was held back then, and the scale, count now, too
  if (settings.data.given()) {
    choice.dataset = settings.data.dataset;
    choice.data = settings.data.data;
    choice.labels = settings.data.labels;
  }
  choice.test_data.clear();
  choice.test_labels.clear();
  choice.validation_data.clear();
  choice.validation_labels.clear();
  data::Dataset dataset = open(choice).train;
  if (dataset.count() == plan.data.samples()) return dataset;
  throw InputError(dataset.features().name(),
                   fmt::format("has {} samples, and the run was trained on {}", dataset.count(),
                               plan.data.samples()));
}

/// Steps, and compares, until something differs.
ReplayReport compute(store::LedgerReader& ledger, const std::vector<SavedWeights>& saved,
                     train::Replay<RunWorkload>& replay, Progress& progress) {
  ReplayReport report;
  auto next_saved = saved.begin();
  while (const auto record = ledger.next()) {
    const std::uint64_t sum = replay.step(*record);
    if (sum != record->sum_digest) {
      report.difference = {record->step, {}, record->sum_digest, sum};
      return report;
    }
    train::Replica& replica = replay.replica();
    for (; next_saved != saved.end() && next_saved->version == replica.version(); ++next_saved) {
      if (next_saved->digest != replica.digest()) {
        report.difference = {record->step, next_saved->file, next_saved->digest, replica.digest()};
        return report;
      }
      report.compared.push_back(*next_saved);
    }
    ++report.steps;
    report.batches += record->batches.size();
    progress.step_committed(*record);
  }
  return report;
}

ReplayReport replay_run(const ReplaySettings& settings) {
  const TimePoint began = Clock::now();
  // Holds the folder: nobody goes on with the run meanwhile.
  const auto directory = store::RunDirectory::resume(settings.run);
  store::LedgerReader ledger(directory.ledger());
  const TrainSettings run = settings_of_run(ledger, directory.ledger().string());
  std::error_code unknown;
  const bool finished = fs::exists(directory.model(), unknown);
  const std::vector<SavedWeights> saved = read_saved(directory, finished, ledger.steps());
  const store::SavedModel start = read_start(directory);
  const nn::Network<float> network = network_of(start, directory.snapshot(start.version).string());
  const data::Dataset dataset = fit_labels(network, open_data(settings, run, ledger.plan()));
  check_dataset(network, dataset);

  RunWorkload workload(start.spec, run.local);
  train::Options options = run.options;
  options.layout = workload.layout_for_run();
  train::Replay replay(
      workload, options, ledger.plan().data, start.weights,
      [&dataset](const data::ShardPlan& plan, ShardId shard) {
        return data::read_shard(dataset, plan, shard);
      },
      optimizer_state_of(start));
  const bool watched = progress_style(settings.json) == ProgressStyle::rewritten;
  Progress progress(watched ? ProgressStyle::rewritten : ProgressStyle::none, 0, ledger.steps(),
                    ledger.plan().epochs);
  ReplayReport report = compute(ledger, saved, replay, progress);
  report.ledger_steps = ledger.steps();
  report.finished = finished;
  report.seconds = seconds(Clock::now() - began);
  return report;
}

std::string hex(std::uint64_t digest) {
  return fmt::format("{:016x}", digest);
}

std::string text_of(const Difference& difference) {
  const std::string what = difference.file.empty()
                               ? fmt::format("the sum of step {}", difference.step.value())
                               : fmt::format("the weights of {}, after step {}", difference.file,
                                             difference.step.value());
  return fmt::format(
      "FOUND: {}: {} is recorded, {} comes out.\n"
      "All before it is reproduced; what follows was not looked at. (On another kind of processor\n"
      "than the run's, gradients are rounded differently from the first step on.)\n",
      what, hex(difference.recorded), hex(difference.recomputed));
}

std::string text_of(const ReplayReport& report) {
  std::string text = fmt::format("replayed {} of {} steps, {} batches, in {:.2f} s\n", report.steps,
                                 report.ledger_steps, report.batches, report.seconds);
  for (const SavedWeights& same : report.compared) {
    text += fmt::format("{}: the same weights, {}\n", same.file, hex(same.digest));
  }
  if (report.difference) return text + text_of(*report.difference);
  if (report.finished) return text + "The whole run is reproduced, bit for bit.\n";
  return text + "The run is not finished; all that its ledger holds is reproduced, bit for bit.\n";
}

std::string json_of(const ReplayReport& report) {
  std::vector<JsonObject> compared;
  for (const SavedWeights& same : report.compared) {
    compared.emplace_back()
        .add("file", same.file)
        .add("steps", same.version.value())
        .add("digest", hex(same.digest));
  }
  JsonObject json;
  json.add("reproduced", !report.difference)
      .add("finished", report.finished)
      .add("steps", report.steps)
      .add("batches", report.batches)
      .add("ledger_steps", report.ledger_steps)
      .add("compared", compared);
  if (const auto& difference = report.difference) {
    JsonObject first;
    first.add("step", difference->step.value())
        .add("what", difference->file.empty() ? "sum" : "weights");
    if (!difference->file.empty()) first.add("file", difference->file);
    first.add("recorded", hex(difference->recorded)).add("recomputed", hex(difference->recomputed));
    json.add("first_difference", first);
  } else {
    json.add("first_difference", nullptr);
  }
  return json.add("seconds", report.seconds).text();
}

int replay(const ReplaySettings& settings) {
  const ReplayReport report = replay_run(settings);
  say(settings.json ? json_of(report) + "\n" : text_of(report));
  return static_cast<int>(report.difference ? ExitCode::finding : ExitCode::success);
}

}  // namespace

void add_replay_command(CLI::App& app, Action& action) {
  auto settings = std::make_shared<ReplaySettings>();
  CLI::App* command = app.add_subcommand(
      "replay", "Compute a run again from its ledger, and compare sums and weights bit for bit");
  command->add_option("run", settings->run, "the run's folder")->required()->type_name("FOLDER");
  add_data_options(*command, settings->data, TestFiles::none, ScaleOption::absent);
  command->add_flag("--json", settings->json, "one JSON object on stdout");
  command->footer(
      "The data is read from where the run had it, unless told otherwise. Takes as long as all\n"
      "volunteers together took, and the same kind of processor. The exit code is 6 when a step\n"
      "or the weights do not come out as recorded, and the report names the first. A run that is\n"
      "not finished is replayed as far as its ledger goes. Example:\n"
      "  daig replay runs/20250101-120000");
  command->callback([settings, &action] { action = [settings] { return replay(*settings); }; });
}

}  // namespace daig::launcher
