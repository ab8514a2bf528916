#include "optimizer_words.hpp"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <daig/core/error.hpp>
#include <daig/store/keras_file.hpp>

#include "keras_optimizer.hpp"

namespace daig::launcher {
namespace {

/// @throws UsageError for a word that only other optimisers have a use for.
void check_words(const OptimizerWords& words, const std::string& optimizer) {
  struct Use {
    bool given;
    const char* word;
    std::vector<std::string_view> optimizers;
  };
  const std::vector<std::string_view> adam_like{"adam", "adamw", "nadam", "adamax"};
  for (const Use& use :
       {Use{words.momentum.has_value(), "--momentum", {"sgd", "rmsprop"}},
        Use{words.nesterov, "--nesterov", {"sgd"}},
        Use{words.beta1.has_value(), "--beta1", adam_like},
        Use{words.beta2.has_value(), "--beta2", adam_like},
        Use{words.epsilon.has_value(),
            "--epsilon",
            {"adam", "adamw", "nadam", "adamax", "rmsprop", "adagrad"}},
        Use{words.rho.has_value(), "--rho", {"rmsprop"}},
        Use{words.centered, "--centered", {"rmsprop"}},
        Use{words.amsgrad, "--amsgrad", {"adam", "adamw"}},
        Use{words.initial_accumulator.has_value(), "--initial-accumulator", {"adagrad"}}}) {
    if (!use.given || std::ranges::find(use.optimizers, optimizer) != use.optimizers.end()) {
      continue;
    }
    throw UsageError(fmt::format("{}: is an option of {}, and the optimiser is {}; leave it out",
                                 use.word, fmt::join(use.optimizers, ", "), optimizer));
  }
}

/// What was written, on top of the defaults.
void take_words(const OptimizerWords& words, optim::OptimizerOptions& optimizer) {
  const auto take = [](const std::optional<double>& word, double& option) {
    option = word.value_or(option);
  };
  take(words.learning_rate, optimizer.learning_rate);
  take(words.momentum, optimizer.momentum);
  take(words.beta1, optimizer.beta1);
  take(words.beta2, optimizer.beta2);
  take(words.epsilon, optimizer.epsilon);
  take(words.rho, optimizer.rho);
  take(words.initial_accumulator, optimizer.initial_accumulator);
  take(words.weight_decay, optimizer.weight_decay);
  optimizer.nesterov |= words.nesterov;
  optimizer.amsgrad |= words.amsgrad;
  optimizer.centered |= words.centered;
  optimizer.decoupled_decay |= words.decoupled_decay;
  if (words.clip_value || words.clip_norm || words.global_clip_norm) {  // they exclude each other
    optimizer.clip_value = words.clip_value.value_or(0);
    optimizer.clip_norm = words.clip_norm.value_or(0);
    optimizer.global_clip_norm = words.global_clip_norm.value_or(0);
  }
}

}  // namespace

void add_optimizer_options(CLI::App& command, OptimizerWords& words, const char* group) {
  const auto add = [&](const char* name, auto& value, const char* what) {
    command.add_option(name, value, what)->group(group);
  };
  const auto add_flag = [&](const char* name, bool& value, const char* what) {
    command.add_flag(name, value, what)->group(group);
  };
  add("--optimizer", words.optimizer,
      "sgd, adam, adamw, nadam, rmsprop, adagrad or adamax [sgd; a Keras model's own, which goes "
      "on "
      "from its state in the file]");
  add("--lr", words.learning_rate,
      "learning rate [0.1 for sgd, else 0.001; a Keras optimizer's own]");
  add("--schedule", words.schedule,
      "constant, cosine[:warmup=STEPS,final=PART] or step:every=STEPS[,factor=F]; Keras's are "
      "exponential:every=,factor=, inverse:rate=, polynomial:steps=, cosine:steps= and "
      "piecewise:STEP=F,... [cosine; constant for a Keras optimizer, or its own]");
  add("--momentum", words.momentum,
      "of sgd and rmsprop [0.9 for sgd, 0 for rmsprop; a Keras optimizer's own]");
  add_flag("--nesterov", words.nesterov, "look ahead with sgd's momentum");
  add("--beta1", words.beta1, "of adam, adamw, nadam and adamax [0.9]");
  add("--beta2", words.beta2, "of adam, adamw, nadam and adamax [0.999]");
  add("--epsilon", words.epsilon, "of all but sgd [1e-8; a Keras optimizer's own]");
  add("--rho", words.rho, "of rmsprop [0.9]");
  add_flag("--centered", words.centered, "rmsprop divides by the spread of the gradients");
  add_flag("--amsgrad", words.amsgrad, "adam and adamw divide by the largest gradients so far");
  add("--initial-accumulator", words.initial_accumulator, "of adagrad [0]");
  add("--weight-decay", words.weight_decay, "pulls weights towards 0 [0]");
  add_flag(
      "--decoupled-decay", words.decoupled_decay,
      "weight decay beside the gradient, not in it, as adamw and Keras's optimizers always have "
      "it");
  add("--clip-value", words.clip_value, "brings each number of a gradient below this [0: no]");
  add("--clip-norm", words.clip_norm, "brings the norm of each array of a gradient below this");
  add("--global-clip-norm", words.global_clip_norm, "brings a gradient's norm below this");
}

void choose_optimizer(const OptimizerWords& words, TrainSettings& settings) {
  optim::OptimizerOptions& optimizer = settings.options.optimizer;
  settings.options.schedule = "cosine";
  settings.keras_state = !words.optimizer && store::is_keras_file(settings.model);
  if (settings.keras_state) {
    KerasTraining training = optimizer_of(store::read_keras_texts(settings.model), settings.model);
    optimizer = std::move(training.optimizer);
    settings.options.schedule = std::move(training.schedule);
  } else {
    optimizer.name = words.optimizer.value_or("sgd");
    const bool sgd = optimizer.name == "sgd";
    optimizer.learning_rate = sgd ? 0.1 : 0.001;
    optimizer.momentum = sgd ? 0.9 : 0.0;
  }
  check_words(words, optimizer.name);
  take_words(words, optimizer);
  if (words.schedule) settings.options.schedule = *words.schedule;
}

}  // namespace daig::launcher
