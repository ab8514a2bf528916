#pragma once

/// Everything that rank 0 needs for a run, opened and checked.

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <daig/core/id.hpp>
#include <daig/data/dataset.hpp>
#include <daig/model/layout.hpp>
#include <daig/store/run_directory.hpp>
#include <daig/store/run_plan.hpp>
#include <daig/train/task.hpp>

#include "train_settings.hpp"

namespace daig::launcher {

struct TrainingJob {
  TrainSettings settings;  ///< with everything chosen that was left open
  store::RunPlan plan;
  data::Dataset train;
  std::optional<data::Dataset> test;
  std::optional<data::Dataset> validation;  ///< for train::evaluate, at any time, by any thread
  std::string spec;                         ///< of the model, canonical
  std::string title;                        ///< of the model, for people
  /// The Keras file that the model came from and that goes back as; empty for others.
  std::filesystem::path original;
  model::Layout layout;
  std::vector<float> weights;  ///< to start from

  bool resumed = false;
  Version version{0};
  train::OptimizerState optimizer_state;

  std::uint64_t total_steps() const { return (plan.batches() + plan.k - 1) / plan.k; }
  /// What the ledger keeps and the volunteers are told.
  store::Configuration configuration() const;
};

enum class Checks {
  quick,    ///< what can be known without reading the data
  thorough  ///< the first 256 MiB of features, and of labels; the rest, when it is first read
};

/// Opens data and model, and checks that they and the settings fit one another and so many ranks,
/// and that what comes out can be written. Leaves nothing behind.
/// @throws UsageError, InputError, IoError: whatever it is, no work was done yet.
TrainingJob prepare(TrainSettings settings, const RunManner& manner, int ranks, Checks checks);

/// How many ranks the job is to have: as asked for, as the resumed run had, or 4.
int choose_ranks(const RunManner& manner);

/// The folder of a new run that was given none: runs/<date-time>, or the next name that is free. It
/// is made at once, so that no other run takes it. @throws IoError when it cannot be made.
std::filesystem::path fresh_folder();

/// What the run in this folder can go on from.
/// @throws UsageError when it is finished, InputError when there is nothing to go on from, IoError
/// when another process is using the folder.
store::Snapshot snapshot_to_resume(const std::filesystem::path& folder);

/// The ledger of the run to resume. Expects one.
std::filesystem::path resumed_ledger(const RunManner& manner);

}  // namespace daig::launcher
