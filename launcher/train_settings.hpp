#pragma once

/// What a training run is told, and the same as the ledger keeps it and as volunteers are told it.

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include <daig/store/run_plan.hpp>
#include <daig/train/milestone.hpp>
#include <daig/train/options.hpp>

#include "data_choice.hpp"
#include "elasticity.hpp"
#include "local_training.hpp"

namespace daig::launcher {

/// An experiment: a rank ends itself at a point of the protocol, as by SIGKILL.
struct Death {
  train::Milestone milestone;
  std::uint64_t step = 0;  ///< of its weights then, or later

  friend bool operator==(const Death&, const Death&) = default;
};

/// What is trained, on what, and how: what a resumed run has to go on with.
struct TrainSettings {
  DataChoice data;
  std::string model = "mlp:784-256-128-10";  ///< a spec, or a model file to go on from
  train::Options options;
  /// The optimiser is the Keras file's own, which goes on from its state in the file.
  bool keras_state = false;
  LocalTraining local;               ///< what the optimiser of `options` then is for, see there
  std::uint64_t early_stop = 0;      ///< epochs without a gain before the run ends; 0: never
  double min_delta = 0;              ///< a gain in the loss is more than that
  std::filesystem::path history;     ///< a table of the epochs; empty: none
  std::filesystem::path save_best;   ///< the model of the best epoch; empty: none
  std::uint64_t snapshot_every = 0;  ///< steps; 0: after an epoch, 10 s apart or more
  std::uint64_t keep_snapshots = 2;  ///< the latest ones; 0: all
  std::map<Rank, Death> deaths;
  std::filesystem::path out;  ///< empty: only into the run's folder
};

/// Where and how it runs and shows: may differ from attempt to attempt.
struct RunManner {
  Elasticity elasticity;          ///< ranks empty: 4, or as many as the resumed run had
  bool in_process = false;        ///< ranks are threads of this process
  std::filesystem::path run_dir;  ///< empty: a fresh one under runs/, see fresh_folder
  std::filesystem::path resume;   ///< empty: a new run
  bool json = false;
  bool quiet = false;
  double grace_s = 30;  ///< under mpirun: for rank 0 to end when it is told to
  int restarts = 3;     ///< under mpirun: when the coordinator was killed
};

/// @throws UsageError naming the option that makes no sense by itself.
void check(const TrainSettings& settings);

/// Reads RANK:MILESTONE:STEP. @throws UsageError when it is something else.
std::pair<Rank, Death> parse_death(const std::string& word);

/// The options of one rank, with what befalls it alone.
train::Options options_of(const TrainSettings& settings, Rank rank);

/// Whether anybody has to know what each epoch came to.
bool watches_epochs(const TrainSettings& settings);

/// As text, by name; settings_of reads it back.
store::Configuration configuration_of(const TrainSettings& settings);
/// @param where  named in errors. @throws InputError when something is missing or makes no sense.
TrainSettings settings_of(const store::Configuration& configuration, const std::string& where);

}  // namespace daig::launcher
