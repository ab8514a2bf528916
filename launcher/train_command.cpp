#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include <daig/core/error.hpp>

#include "command.hpp"
#include "optimizer_words.hpp"
#include "start_training.hpp"

namespace daig::launcher {
namespace {

/// What the options are read into before they are made sense of.
struct TrainWords {
  TrainSettings settings;
  RunManner manner;
  OptimizerWords optimizer;
  std::string contribution = "gradient";
  std::optional<std::uint64_t> total_tasks;
  std::optional<std::uint64_t> local_epochs;
  std::optional<double> outer_rate;
  std::optional<double> outer_momentum;
  std::vector<std::string> slow;
  std::vector<std::string> die;
  std::uint64_t cache_mb = 512;
  double silence_limit_s = 2;
  double orphan_limit_s = 30;
  double exchange_limit_s = 300;
  double lonely_limit_s = 120;
};

constexpr const char* examples = R"(Examples:
  daig train --dataset fashion-mnist -n 4
  daig train --data x.npy --labels y.npy --model mlp:20-64-3 --k 8 --epochs 10 --out model.h5
  daig train --dataset fashion-mnist --optimizer adam --schedule constant --in-process
  daig train --data 'x-*.npy' --labels all.npz:y --scale 1/255 --validation-split 0.1
  daig train --model cnn.h5 --data x.npy --labels y.npy --epochs 3 --out trained.h5
  daig train --resume runs/20250101-120000

Rank 0 coordinates: with -n 4, three volunteers train. Under a foreign mpirun (mpirun -n 4 daig
train ...) each process is one rank.

When the coordinator or mpirun was killed, or the start hung, the run goes on from its last
snapshot, on the hosts that are listed and answer by then: a new attempt, as with --resume. Not so
with --in-process, with -n 1 and under a foreign mpirun. Signals: see daig --help.

)";

template <class Number>
Number parse(const std::string& word, std::string_view text) {
  Number value{};
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && stop == text.data() + text.size()) return value;
  throw UsageError(fmt::format("--slow {}: write RANK:FACTOR, as in --slow 2:4.5", word));
}

Duration duration_of(const char* option, double given_s) {
  if (!(given_s >= 0 && given_s <= 1e6)) {
    throw UsageError(fmt::format("{} {}: give seconds, from 0 to 1000000", option, given_s));
  }
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(given_s));
}

/// With local epochs, what was said of batches and of the optimiser is meant for these.
void choose_contribution(const TrainWords& words, TrainSettings& settings) {
  const auto refuse_local = [](const char* option, bool given) {
    if (!given) return;
    throw UsageError(fmt::format("{} is for --contribution weights", option));
  };
  if (words.contribution == "gradient") {
    refuse_local("--total-tasks", words.total_tasks.has_value());
    refuse_local("--local-epochs", words.local_epochs.has_value());
    refuse_local("--outer-lr", words.outer_rate.has_value());
    refuse_local("--outer-momentum", words.outer_momentum.has_value());
    return;
  }
  if (words.contribution != "weights") {
    throw UsageError(
        fmt::format("--contribution {}: there are gradient and weights", words.contribution));
  }
  train::Options& options = settings.options;
  if (words.optimizer.schedule) {
    throw UsageError("--schedule: local epochs go at one rate; give --lr alone");
  }
  if (options.shards != 0) {
    throw UsageError("--shards: with --contribution weights a task is a shard; say --total-tasks");
  }
  LocalTraining& local = settings.local;
  local.on = true;
  local.total_tasks = words.total_tasks.value_or(0);
  local.epochs = words.local_epochs.value_or(1);
  local.batch_size = options.batch_size;
  local.optimizer = options.optimizer;
  options.optimizer = {};
  options.optimizer.name = "sgd";
  options.optimizer.learning_rate = words.outer_rate.value_or(1);
  options.optimizer.momentum = words.outer_momentum.value_or(0);
  options.schedule = "constant";
  settings.keras_state = false;
}

/// Gives the words their meaning.
TrainSettings settings_of(const TrainWords& words) {
  TrainSettings settings = words.settings;
  train::Options& options = settings.options;
  choose_optimizer(words.optimizer, settings);
  choose_contribution(words, settings);
  if (words.cache_mb > (std::uint64_t{1} << 30)) {
    throw UsageError(fmt::format("--cache-mb {}: no machine has so much", words.cache_mb));
  }
  options.cache_bytes = static_cast<std::size_t>(words.cache_mb) << 20;
  options.silence_limit = duration_of("--silence-limit", words.silence_limit_s);
  options.orphan_limit = duration_of("--orphan-limit", words.orphan_limit_s);
  options.exchange_limit = duration_of("--exchange-limit", words.exchange_limit_s);
  options.lonely_limit = duration_of("--lonely-limit", words.lonely_limit_s);
  for (const std::string& word : words.slow) {
    const std::string_view text = word;
    const auto colon = text.find(':');
    if (colon == text.npos) throw UsageError("--slow " + word + ": write RANK:FACTOR");
    options.slowdown[Rank{parse<int>(word, text.substr(0, colon))}] =
        parse<double>(word, text.substr(colon + 1));
  }
  for (const std::string& word : words.die) settings.deaths.insert(parse_death(word));
  return settings;
}

/// Options that a run keeps: a resumed one has them from its ledger.
void add_kept_options(CLI::App& command, TrainWords& words) {
  TrainSettings& settings = words.settings;
  train::Options& options = settings.options;
  options.epochs = 5;
  add_data_options(command, settings.data, TestFiles::may_be_given);

  const auto add = [&](const char* name, auto& value, const char* what, const char* group) {
    return command.add_option(name, value, what)->group(group);
  };
  add("--model", settings.model, "a spec, a model file to go on from, or a Keras model",
      "Model and training")
      ->type_name("SPEC|FILE.h5")
      ->capture_default_str();
  const char* training = "Model and training";
  add("--k,--task-size", options.k, "batches, or tasks, that make a step", training)
      ->capture_default_str();
  add("--batch-size", options.batch_size, "samples of a batch", training)->capture_default_str();
  add("--epochs", options.epochs, "passes over the dataset", training)->capture_default_str();
  add_optimizer_options(command, words.optimizer, training);
  add("--seed", options.seed, "of weights and shuffling", training)->capture_default_str();
  add("--shuffle-seed", options.shuffle_seed, "of the samples' order alone [--seed]", training);

  const char* sharing = "Sharing out the work";
  add("--shards", options.shards,
      "pieces of the dataset that travel [8 for each rank, of 64 MB at most]", sharing);
  add("--balance", options.balance, "0: whoever is first; 1: equal shares of every step", sharing)
      ->capture_default_str();
  command.add_flag("--coordinator-trains", options.coordinator_trains, "rank 0 computes, too")
      ->group(sharing);
  add("--cache-mb", words.cache_mb, "memory for shards, each volunteer's", sharing)
      ->capture_default_str();
  add("--nice", options.nice, "of what computes: as nice(1), other programs go first", sharing)
      ->check(CLI::Range(0, 19))
      ->capture_default_str();
  add("--slow", words.slow, "experiments: slow a rank down; may be given again", sharing)
      ->type_name("RANK:FACTOR")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  add("--snapshot-every", settings.snapshot_every, "steps [after an epoch, 10 s apart or more]",
      sharing);
  add("--keep-snapshots", settings.keep_snapshots,
      "how many of the latest snapshots stay, for daig export --step; 0: all", sharing)
      ->capture_default_str();

  add("--max-contributors", options.max_contributors, "volunteers that share a step [all]",
      sharing);

  const char* local = "Local epochs (--contribution weights)";
  add("--contribution", words.contribution,
      "gradient: of a batch; weights: how far they have moved in local epochs over a task", local)
      ->type_name("gradient|weights")
      ->capture_default_str();
  add("--total-tasks", words.total_tasks, "pieces that an epoch is cut into [8 for each rank]",
      local);
  add("--local-epochs", words.local_epochs, "passes of a volunteer over its task [1]", local);
  add("--outer-lr", words.outer_rate, "part of the mean movement that a step makes [1]", local);
  add("--outer-momentum", words.outer_momentum, "of the steps [0]", local);

  const char* epochs = "Epoch by epoch";
  add("--early-stop", settings.early_stop,
      "ends the run after so many epochs in which the validation loss, or without validation data "
      "the training loss, has not fallen",
      epochs)
      ->type_name("EPOCHS");
  add("--min-delta", settings.min_delta, "what it has to fall by, at least", epochs)
      ->capture_default_str();
  add("--save-best", settings.save_best, "the model after the best epoch so far", epochs)
      ->type_name("FILE.h5");
  add("--history", settings.history, "a table of all epochs, with commas", epochs)
      ->type_name("FILE.csv");

  const char* faults = "When volunteers fail";
  add("--silence-limit", words.silence_limit_s,
      "seconds: a volunteer this silent is expelled, and its work goes to others", faults)
      ->capture_default_str();
  add("--orphan-limit", words.orphan_limit_s,
      "seconds: a volunteer that does not hear of the coordinator for so long ends itself", faults)
      ->capture_default_str();
  add("--exchange-limit", words.exchange_limit_s,
      "seconds: whoever takes longer for an all-reduce, or to load the weights, is expelled",
      faults)
      ->capture_default_str();
  add("--lonely-limit", words.lonely_limit_s,
      "seconds: for so long the run waits for a volunteer when there is none", faults)
      ->capture_default_str();
  add("--die", words.die,
      "experiments: a rank dies at a point of the protocol: hello, loading, fetching, computing, "
      "banked, ring, reduced, committed; rank 0 also at agreed, recorded, saving, saved; may be "
      "given again",
      faults)
      ->type_name("RANK:POINT:STEP")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  add("--norm-factor", options.norm_factor,
      "a gradient with a norm so many times the run's usual one is refused", faults)
      ->capture_default_str();
}

void add_manner_options(CLI::App& command, TrainWords& words) {
  RunManner& manner = words.manner;
  const char* group = "Where it runs, what it leaves";
  const auto add = [&](const char* name, auto& value, const char* what) {
    return command.add_option(name, value, what)->group(group);
  };
  add("-n,--ranks", manner.elasticity.ranks,
      "ranks, the coordinator among them [4; all that the list of machines has room for]");
  command.add_flag("--in-process", manner.in_process, "ranks are threads: no mpirun")->group(group);
  add_elasticity_options(command, manner.elasticity, group);
  add("--out", words.settings.out, "the trained model, besides model.h5 in the run's folder")
      ->type_name("FILE.h5");
  add("--run-dir", manner.run_dir, "the run's folder [a fresh runs/<date-time>]")
      ->type_name("FOLDER");
  add("--resume", manner.resume, "go on with a run that was stopped, from its last snapshot")
      ->type_name("FOLDER");
  add("--grace", manner.grace_s, "seconds that a run has to end when it is told to")
      ->capture_default_str();
  add("--restarts", manner.restarts,
      "how often it goes on by itself when the coordinator was killed")
      ->capture_default_str();
  command.add_flag("--json", manner.json, "the last line of stdout is one JSON object")
      ->group(group);
  command.add_flag("--quiet", manner.quiet, "no progress, only the result")->group(group);
}

/// @throws UsageError when a resumed run is told what it knows from its ledger.
void check_resume(const CLI::App& command, const std::vector<const CLI::Option*>& kept,
                  const RunManner& manner) {
  if (manner.resume.empty()) return;
  for (const CLI::Option* option : kept) {
    if (option->count() == 0) continue;
    throw UsageError(
        fmt::format("--resume and {}: a resumed run has it from its ledger; leave {} "
                    "out of {}",
                    option->get_name(), option->get_name(), command.get_name()));
  }
  if (!manner.run_dir.empty()) {
    throw UsageError("--resume and --run-dir: a resumed run stays in its folder");
  }
}

}  // namespace

void add_train_command(CLI::App& app, Action& action, const std::vector<std::string>& line) {
  auto words = std::make_shared<TrainWords>();
  CLI::App* command = app.add_subcommand("train", "Train a model on a dataset, on several ranks");
  add_kept_options(*command, *words);
  const CLI::App* read_only = command;
  std::vector<const CLI::Option*> kept = read_only->get_options(
      [](const CLI::Option* option) { return !option->check_name("--help"); });
  add_manner_options(*command, *words);
  command->footer(std::string(examples) + elasticity_help);
  command->callback([=, &action] {
    action = [=] {
      check_resume(*command, kept, words->manner);
      return start_training(settings_of(*words), words->manner, line);
    };
  });
}

}  // namespace daig::launcher
