#pragma once

/// What the command line of `daig train` says of the optimiser.

#include <optional>
#include <string>

#include "train_settings.hpp"

namespace CLI {
class App;
}

namespace daig::launcher {

/// As it was written; what was not, has the default of the optimiser, or a Keras file's value.
struct OptimizerWords {
  std::optional<std::string> optimizer = {};
  std::optional<std::string> schedule = {};
  std::optional<double> learning_rate = {};
  std::optional<double> momentum = {};
  std::optional<double> beta1 = {};
  std::optional<double> beta2 = {};
  std::optional<double> epsilon = {};
  std::optional<double> rho = {};
  std::optional<double> initial_accumulator = {};
  std::optional<double> weight_decay = {};
  std::optional<double> clip_value = {};
  std::optional<double> clip_norm = {};
  std::optional<double> global_clip_norm = {};
  bool nesterov = false;
  bool amsgrad = false;
  bool centered = false;
  bool decoupled_decay = false;
};

/// @param group  of the help text
void add_optimizer_options(CLI::App& command, OptimizerWords& words, const char* group);

/// The optimiser as asked for, or as the Keras file has it that is the model, or with the defaults
/// that suit it. @throws UsageError for a word that the optimiser has no use for, and as
/// optimizer_of.
void choose_optimizer(const OptimizerWords& words, TrainSettings& settings);

}  // namespace daig::launcher
