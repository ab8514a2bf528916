#include "training_job.hpp"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <limits>
#include <system_error>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <daig/core/error.hpp>
#include <daig/core/log.hpp>
#include <daig/optim/schedule.hpp>
#include <daig/store/keras_file.hpp>
#include <daig/store/ledger.hpp>
#include <daig/store/model_file.hpp>
#include <daig/store/run_directory.hpp>

#include "keras_model.hpp"
#include "keras_optimizer.hpp"
#include "keras_state.hpp"
#include "model.hpp"

namespace daig::launcher {
namespace {

namespace fs = std::filesystem;

constexpr int default_ranks = 4;
constexpr int most_ranks = 100'000;
constexpr std::uint64_t most_shards = std::numeric_limits<ShardId::rep>::max();

/// Where the weights come from.
struct Start {
  nn::Network<float> network;
  std::vector<float> weights;
  Version version{0};
  train::OptimizerState optimizer_state = {};
};

/// A Keras model as its file leaves it: where the optimiser is the file's own, it goes on from its
/// state, and its schedule from the step that it had come to.
Start keras_start(TrainSettings& settings, Checks checks) {
  const store::KerasFile file = store::read_keras_file(settings.model);
  Model model = model_of(file, settings.model);
  if (checks == Checks::thorough) warn_of_metrics(model, settings.model);
  Start start{std::move(model.network), std::move(model.weights)};
  if (!settings.keras_state) return start;
  const model::Layout& layout = start.network.layout();
  const optim::OptimizerOptions& optimizer = settings.options.optimizer;
  const FoundState found = find_state(
      file, trained_arrays(layout, match_arrays(layout, file, settings.model)), optimizer);
  settings.keras_state = found.state.has_value();
  if (found.state) {
    start.optimizer_state = found.state->read(file, layout, optimizer);
    std::string& schedule = settings.options.schedule;
    if (schedule == optimizer_of(file, settings.model).schedule) {
      schedule = optim::schedule_from(schedule, found.state->iterations());
    }
  } else if (found.is_strange && checks == Checks::thorough) {  // else it was said already
    log::warning("{}: the optimizer's state in it is not understood: the optimizer starts afresh",
                 settings.model);
  }
  return start;
}

Start fresh_start(TrainSettings& settings, Checks checks) {
  std::error_code unknown;
  if (!settings.model.starts_with("mlp:")) {
    if (!fs::exists(settings.model, unknown)) {
      throw InputError(settings.model,
                       "there is no such model file, and it is no spec such as mlp:784-128-10");
    }
    if (store::is_keras_file(settings.model)) return keras_start(settings, checks);
    Model model = load_model(settings.model);
    if (checks == Checks::thorough) warn_of_metrics(model, settings.model);
    return {std::move(model.network), std::move(model.weights)};
  }
  nn::Network<float> network(settings.model);
  std::vector<float> weights(network.layout().size());
  network.initialise(weights, settings.options.seed);
  return {std::move(network), std::move(weights)};
}

Start resumed_start(const fs::path& folder, const TrainSettings& settings) {
  const store::Snapshot snapshot = snapshot_to_resume(folder);
  store::SavedModel saved = store::read_model(snapshot.path);
  Start start{network_of(saved, snapshot.path.string()), std::move(saved.weights), saved.version,
              optimizer_state_of(saved)};
  if (saved.optimizer.name != settings.options.optimizer.name) {
    throw InputError(snapshot.path.string(),
                     fmt::format("was made with the optimiser '{}', and the run has '{}'",
                                 saved.optimizer.name, settings.options.optimizer.name));
  }
  return start;
}

/// The Keras file that a fresh run is given, or that a resumed one has kept.
fs::path original_of(const TrainSettings& settings, const RunManner& manner) {
  if (manner.resume.empty()) {
    return store::is_keras_file(settings.model) ? fs::path(settings.model) : fs::path();
  }
  const fs::path kept = manner.resume / store::RunDirectory::original_name;
  std::error_code unknown;
  return fs::exists(kept, unknown) ? kept : fs::path();
}

void check_ranks(int ranks, const TrainSettings& settings, std::uint64_t batches) {
  if (ranks < 1 || ranks > most_ranks) {
    throw UsageError(fmt::format("-n {}: a run has 1 to {} ranks", ranks, most_ranks));
  }
  const int trainers = ranks - (ranks > 1 && !settings.options.coordinator_trains ? 1 : 0);
  if (static_cast<std::uint64_t>(trainers) > batches) {
    throw UsageError(
        fmt::format("-n {}: {} volunteers for {} batches of {} samples; choose fewer ranks, or a "
                    "smaller --batch-size",
                    ranks, trainers, batches, settings.options.batch_size));
  }
  for (const auto& [rank, factor] : settings.options.slowdown) {
    if (rank.value() < ranks) continue;
    throw UsageError(
        fmt::format("--slow {}:{}: there are ranks 0 to {}", rank.value(), factor, ranks - 1));
  }
}

/// Eight shards a rank: the faster volunteers can take over whole shards of the slower ones. More
/// where they would be large: rank 0 has several in memory at a time, and so have volunteers.
std::uint64_t choose_shards(const data::Dataset& train, int ranks) {
  constexpr std::uint64_t most_bytes = std::uint64_t{64} << 20;
  const std::uint64_t label_bytes = sizeof(float) * train.labels().sample_size();
  const std::uint64_t sample_bytes = train.features().sample_bytes() + label_bytes;
  const std::uint64_t samples_a_shard = std::max<std::uint64_t>(most_bytes / sample_bytes, 1);
  return std::max<std::uint64_t>(8 * static_cast<std::uint64_t>(ranks),
                                 (train.count() - 1) / samples_a_shard + 1);
}

/// Where nothing is yet, a file can be made if it can be made in the nearest folder that there is.
void check_can_make(const fs::path& folder) {
  std::error_code unknown;
  fs::path nearest = fs::absolute(folder);
  while (!fs::exists(nearest, unknown) && nearest.has_relative_path()) {
    nearest = nearest.parent_path();
  }
  store::check_writable(nearest / "daig-was-here");
}

void check_outputs(const TrainSettings& settings, const RunManner& manner) {
  for (const fs::path& path : {settings.out, settings.history, settings.save_best}) {
    if (!path.empty()) store::check_writable(path);
  }
  if (!manner.resume.empty()) return store::check_writable(manner.resume / "model.h5");
  const fs::path folder = manner.run_dir.empty() ? fs::path("runs") : manner.run_dir;
  std::error_code unknown;
  if (fs::exists(folder / store::RunDirectory::ledger_name, unknown)) {
    throw UsageError(
        fmt::format("--run-dir {}: it holds a run already; choose another folder, or "
                    "--resume it",
                    folder.string()));
  }
  check_can_make(folder);
}

/// As many samples of an array as a thorough look reads: it has to end soon, however large the
/// array is, and whatever is wrong farther behind is found when its shard is read.
std::uint64_t samples_to_check(const data::ArraySource& array) {
  constexpr std::uint64_t most_bytes = std::uint64_t{256} << 20;
  return std::clamp<std::uint64_t>(most_bytes / array.sample_bytes(), 1, array.count());
}

/// Everything about one part of the data; a thorough look reads it. Its labels become what the
/// network's loss takes.
void check_part(const nn::Network<float>& network, data::Dataset& part, Checks checks) {
  check_features(network, part.features());
  part = fit_labels(network, part);
  if (checks == Checks::quick) return;
  check_labels(network, part.slice(0, samples_to_check(part.labels())));
  const std::uint64_t some = samples_to_check(part.features());
  check_values(network, part.slice(0, some).features(), part.scale());
  data::check_finite(part.features(), 0, some);
}

}  // namespace

store::Configuration TrainingJob::configuration() const {
  store::Configuration configuration = configuration_of(settings);
  for (auto& [name, value] : store::configuration_of(plan)) configuration[name] = value;
  configuration["spec"] = spec;
  for (const auto& [name, path] :
       {std::pair("out", settings.out), std::pair("history", settings.history),
        std::pair("save_best", settings.save_best)}) {
    if (!path.empty()) configuration[name] = fs::absolute(path).string();
  }
  return configuration;
}

int choose_ranks(const RunManner& manner) {
  if (manner.elasticity.ranks) return *manner.elasticity.ranks;
  if (manner.resume.empty()) return default_ranks;
  const store::Configuration known = store::read_configuration(resumed_ledger(manner));
  const auto ranks = known.find("ranks");
  return ranks == known.end() ? default_ranks : std::atoi(ranks->second.c_str());
}

fs::path fresh_folder() {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  const std::string name = fmt::format("runs/{:%Y%m%d-%H%M%S}", fmt::localtime(now));
  fs::path folder = name;
  std::error_code error;
  fs::create_directories(folder.parent_path(), error);
  for (int i = 2; !error && !fs::create_directory(folder, error) && !error; ++i) {
    folder = fmt::format("{}-{}", name, i);
  }
  if (error) {
    throw IoError(
        fmt::format("{}: the run's folder cannot be made: {}", folder.string(), error.message()));
  }
  return folder;
}

store::Snapshot snapshot_to_resume(const fs::path& folder) {
  const auto directory = store::RunDirectory::resume(folder);
  std::error_code unknown;
  if (fs::exists(directory.model(), unknown)) {
    throw UsageError(fmt::format("{}: this run is finished; its model is {}", folder.string(),
                                 directory.model().string()));
  }
  if (auto snapshot = directory.latest_snapshot()) return *std::move(snapshot);
  throw InputError(folder.string(), "holds no snapshot to go on from; start the run again");
}

fs::path resumed_ledger(const RunManner& manner) {
  const fs::path ledger = manner.resume / store::RunDirectory::ledger_name;
  std::error_code unknown;
  if (fs::is_regular_file(ledger, unknown)) return ledger;
  throw InputError(manner.resume.string(), "holds no run to resume: there is no ledger in it");
}

/// A task is a shard, and all of it one batch.
void cut_tasks(TrainSettings& settings, std::uint64_t samples, int ranks) {
  std::uint64_t& tasks = settings.local.total_tasks;
  if (tasks == 0) tasks = std::min(8 * static_cast<std::uint64_t>(ranks), samples);
  if (tasks > std::min(samples, most_shards)) {
    throw UsageError(fmt::format("--total-tasks {}: {} samples make {} tasks at most", tasks,
                                 samples, std::min(samples, most_shards)));
  }
  settings.options.batch_size = (samples + tasks - 1) / tasks;
  settings.options.shards = (samples - 1) / settings.options.batch_size + 1;
}

TrainingJob prepare(TrainSettings settings, const RunManner& manner, int ranks, Checks checks) {
  const bool resumed = !manner.resume.empty();
  std::optional<std::uint64_t> begun;  // samples
  if (resumed) {
    const fs::path ledger = resumed_ledger(manner);
    const fs::path out = settings.out;
    const store::Configuration known = store::read_configuration(ledger);
    settings = settings_of(known, ledger.string());
    begun = store::run_plan(known, ledger.string()).data.samples();
    if (!out.empty()) settings.out = out;
  }
  check(settings);
  settings.data = made_absolute(settings.data);
  data::DatasetSplits data = open(settings.data);
  train::Options& options = settings.options;
  const std::uint64_t samples = data.train.count();
  if (begun.value_or(samples) != samples) {
    throw InputError(data.train.features().name(),
                     fmt::format("has {} samples to train on, and the run was begun with {}; put "
                                 "the data back as it was",
                                 samples, *begun));
  }
  if (settings.local.on && !resumed) cut_tasks(settings, samples, ranks);
  if (options.batch_size > samples) {
    throw UsageError(fmt::format("--batch-size {}: {} has only {} samples", options.batch_size,
                                 data.train.features().name(), samples));
  }
  const std::uint64_t batches = (samples + options.batch_size - 1) / options.batch_size;
  check_ranks(ranks, settings, batches);
  if (options.shards == 0) options.shards = choose_shards(data.train, ranks);
  options.shards = std::min({options.shards, batches, most_shards});

  const fs::path original = original_of(settings, manner);
  Start start = resumed ? resumed_start(manner.resume, settings) : fresh_start(settings, checks);
  check_part(start.network, data.train, checks);
  if (data.test) check_part(start.network, *data.test, checks);
  if (data.validation) check_part(start.network, *data.validation, checks);
  check_outputs(settings, manner);
  const store::RunPlan plan{data::ShardPlan(samples, options.batch_size, options.shards),
                            options.epochs, options.k};
  return {.settings = settings,
          .plan = plan,
          .train = std::move(data.train),
          .test = std::move(data.test),
          .validation = std::move(data.validation),
          .spec = start.network.spec(),
          .title = start.network.title(),
          .original = original,
          .layout = start.network.layout(),
          .weights = std::move(start.weights),
          .resumed = resumed,
          .version = start.version,
          .optimizer_state = std::move(start.optimizer_state)};
}

}  // namespace daig::launcher
