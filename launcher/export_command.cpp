#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <daig/core/deadline.hpp>
#include <daig/core/error.hpp>
#include <daig/store/keras_file.hpp>
#include <daig/store/ledger.hpp>
#include <daig/store/model_file.hpp>
#include <daig/store/run_directory.hpp>
#include <daig/store/run_plan.hpp>
#include <daig/store/whole_file.hpp>

#include "command.hpp"
#include "json.hpp"
#include "keras_model.hpp"
#include "outcome.hpp"
#include "snapshot_request.hpp"

namespace daig::launcher {
namespace {

namespace fs = std::filesystem;

struct ExportSettings {
  fs::path run;
  fs::path out;
  std::optional<std::uint64_t> step;
  bool now = false;
  double timeout_s = 30;
  bool json = false;
};

struct ExportReport {
  fs::path source;
  bool keras = false;  ///< written as a Keras file, rather than as one of DAIG's
  std::uint64_t step = 0;
  std::uint64_t steps = 0;  ///< that the run is to have
  std::uint64_t epoch = 0;
  std::uint64_t epochs = 0;
};

std::uint64_t steps_of(const store::RunPlan& plan) {
  return (plan.batches() + plan.k - 1) / plan.k;
}

bool is_there(const fs::path& path) {
  std::error_code unknown;
  return fs::exists(path, unknown);
}

/// All states of the model that the folder has, latest first.
std::vector<store::Snapshot> saved_states(const fs::path& run, const store::RunPlan& plan) {
  std::vector<store::Snapshot> states = store::snapshots_in(run);
  const fs::path model = run / store::RunDirectory::model_name;
  if (is_there(model)) states.insert(states.begin(), {Version{steps_of(plan)}, model});
  return states;
}

store::Snapshot choose(const std::vector<store::Snapshot>& states, const ExportSettings& settings) {
  if (states.empty()) {
    throw InputError(settings.run.string(),
                     "there is no snapshot and no model in it yet; a run writes the first snapshot "
                     "at its start: try again in a moment");
  }
  if (!settings.step) return states.front();
  const auto found = std::ranges::find(states, Version{*settings.step}, &store::Snapshot::version);
  if (found != states.end()) return *found;
  constexpr std::size_t most_listed = 20;
  std::vector<std::uint64_t> steps;
  for (const store::Snapshot& state : states) steps.push_back(state.version.value());
  const std::size_t listed = std::min(steps.size(), most_listed);
  throw UsageError(fmt::format(
      "--step {}: {} has the model after these steps: {}{}; choose one of them (daig train "
      "--keep-snapshots keeps more)",
      *settings.step, settings.run.string(),
      fmt::join(steps.begin(), steps.begin() + static_cast<std::ptrdiff_t>(listed), ", "),
      listed < steps.size() ? ", ..." : ""));
}

store::SavedModel read_state(const fs::path& file, const store::Snapshot& state) {
  store::SavedModel saved = store::read_model(file);
  if (saved.version == state.version) return saved;
  throw InputError(state.path.string(),
                   fmt::format("holds the weights after {} steps, and not after {} as it should",
                               saved.version.value(), state.version.value()));
}

/// Reads what is to be written, and writes it. The state is opened but once: a run that goes on may
/// remove it at any time.
store::SavedModel write(const store::Snapshot& state, const fs::path& original,
                        const fs::path& out) {
  store::SavedModel saved;
  if (original.empty()) {
    store::write_whole(out, [&](const fs::path& temporary) {
      std::error_code error;
      fs::copy_file(state.path, temporary, fs::copy_options::overwrite_existing, error);
      if (error) {
        throw IoError(fmt::format("{}: cannot be copied to {}: {}", state.path.string(),
                                  out.string(), error.message()));
      }
      try {
        saved = read_state(temporary, state);
      } catch (const Error&) {
        saved = read_state(state.path, state);  // says the same of the file as people know it
      }
    });
    return saved;
  }
  saved = read_state(state.path, state);
  const Model model = model_of(store::read_keras_file(original), original.string());
  if (!same_arrays(model.network.layout(), saved.layout)) {
    throw InputError(original.string(), fmt::format("is not the model that {} holds the weights of",
                                                    state.path.string()));
  }
  write_keras_model(original, out, saved.weights);
  return saved;
}

ExportReport export_run(const ExportSettings& settings) {
  const fs::path ledger = settings.run / store::RunDirectory::ledger_name;
  const store::RunPlan plan = store::run_plan(store::read_configuration(ledger), ledger.string());
  std::error_code unknown;
  if (fs::equivalent(settings.run, fs::weakly_canonical(settings.out, unknown).parent_path(),
                     unknown)) {
    throw UsageError(fmt::format(
        "--out {}: this is the run's own folder, whose files the run counts on; choose another "
        "place",
        settings.out.string()));
  }
  store::check_writable(settings.out);
  const fs::path kept = settings.run / store::RunDirectory::original_name;
  const fs::path original = is_there(kept) ? kept : fs::path();
  if (settings.now && !is_there(settings.run / store::RunDirectory::model_name)) {
    ask_for_snapshot(settings.run, std::chrono::duration_cast<Duration>(
                                       std::chrono::duration<double>(settings.timeout_s)));
  }

  // A run that goes on removes old snapshots: one may be gone before it is read.
  for (const Deadline enough = Deadline::in(std::chrono::seconds(10)); !enough.expired();) {
    const store::Snapshot state = choose(saved_states(settings.run, plan), settings);
    try {
      const store::SavedModel saved = write(state, original, settings.out);
      return {.source = state.path,
              .keras = !original.empty(),
              .step = saved.version.value(),
              .steps = steps_of(plan),
              .epoch = saved.epoch.value(),
              .epochs = plan.epochs};
    } catch (const Error&) {
      if (is_there(state.path)) throw;
    }
  }
  throw IoError(fmt::format(
      "{}: snapshots are removed faster than they can be read; have the run write fewer "
      "(--snapshot-every) or keep more (--keep-snapshots)",
      settings.run.string()));
}

std::string text_of(const ExportReport& report, const ExportSettings& settings) {
  return fmt::format("{}: the model after step {} of {} (epoch {} of {}), as a {} file, from {}\n",
                     settings.out.string(), report.step, report.steps,
                     std::min(report.epoch + 1, report.epochs), report.epochs,
                     report.keras ? "Keras" : "DAIG model", report.source.string());
}

std::string json_of(const ExportReport& report, const ExportSettings& settings) {
  return JsonObject()
      .add("out", settings.out.string())
      .add("format", report.keras ? "keras" : "daig")
      .add("step", report.step)
      .add("steps", report.steps)
      .add("epoch", report.epoch)
      .add("epochs", report.epochs)
      .add("source", report.source.string())
      .text();
}

int export_model(const ExportSettings& settings) {
  if (settings.now && settings.step) {
    throw UsageError("--now and --step: a fresh snapshot is of the step that the run is at");
  }
  if (!(settings.timeout_s >= 0 && settings.timeout_s <= 1e6)) {
    throw UsageError(
        fmt::format("--timeout {}: give seconds, from 0 to 1000000", settings.timeout_s));
  }
  const ExportReport report = export_run(settings);
  say(settings.json ? json_of(report, settings) + "\n" : text_of(report, settings));
  return 0;
}

}  // namespace

void add_export_command(CLI::App& app, Action& action) {
  auto settings = std::make_shared<ExportSettings>();
  CLI::App* command = app.add_subcommand(
      "export",
      "The model of a run, finished or under way, as a file: Keras's if it came from one");
  command->add_option("run", settings->run, "the run's folder")->required()->type_name("FOLDER");
  command->add_option("--out", settings->out, "where to write it")
      ->required()
      ->type_name("FILE.h5");
  command->add_option("--step", settings->step,
                      "the model after so many steps, if its snapshot is kept [the latest]");
  command->add_flag("--now", settings->now, "ask the run that is under way for a fresh snapshot");
  command->add_option("--timeout", settings->timeout_s, "seconds that --now waits for it")
      ->capture_default_str();
  command->add_flag("--json", settings->json, "one JSON object on stdout");
  command->footer(
      "The run need not stop for it. Examples:\n"
      "  daig export runs/20250101-120000 --out model.h5\n"
      "  daig export runs/20250101-120000 --now --out now.h5\n"
      "  daig export runs/20250101-120000 --step 2000 --out earlier.h5");
  command->callback(
      [settings, &action] { action = [settings] { return export_model(*settings); }; });
}

}  // namespace daig::launcher
