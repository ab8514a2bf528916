#pragma once

/// What an optimiser can be told, as a command line or a configuration brings it.

#include <string>

namespace daig::optim {

struct OptimizerOptions {
  /// "sgd", "adam", "adamw", "nadam", "rmsprop", "adagrad" or "adamax"
  std::string name = "sgd";
  /// Before the schedule's factor; what the coordinator multiplies and sends along.
  double learning_rate = 0.01;
  double momentum = 0;             ///< sgd, rmsprop
  bool nesterov = false;           ///< sgd
  double beta1 = 0.9;              ///< adam, adamw, nadam, adamax
  double beta2 = 0.999;            ///< adam, adamw, nadam, adamax
  double epsilon = 1e-8;           ///< all but sgd
  bool epsilon_hat = false;        ///< adam, adamw: epsilon as Keras means it
  double weight_decay = 0;         ///< L2 in the gradient, or decoupled
  bool decoupled_decay = false;    ///< as always for adamw; all of Keras's optimisers
  bool amsgrad = false;            ///< adam, adamw
  double rho = 0.9;                ///< rmsprop
  bool centered = false;           ///< rmsprop
  double initial_accumulator = 0;  ///< adagrad
  bool epsilon_outside = false;    ///< rmsprop, adagrad: as in PyTorch, and Keras before 2.11
  double schedule_decay = 1;       ///< nadam
  bool momentum_of_steps = false;  ///< sgd: the velocity includes the rate, as in Keras
  double clip_value = 0;           ///< 0: no clipping; so for the next two, and one at most is set
  double clip_norm = 0;            ///< of each parameter's array
  double global_clip_norm = 0;
};

/// Shows every option to `visit`, by name: the one list of them.
template <class Options, class Visit>
void visit_options(Options& options, Visit&& visit) {
  visit("optimizer", options.name);
  visit("learning_rate", options.learning_rate);
  visit("momentum", options.momentum);
  visit("nesterov", options.nesterov);
  visit("beta1", options.beta1);
  visit("beta2", options.beta2);
  visit("epsilon", options.epsilon);
  visit("epsilon_hat", options.epsilon_hat);
  visit("weight_decay", options.weight_decay);
  visit("decoupled_decay", options.decoupled_decay);
  visit("amsgrad", options.amsgrad);
  visit("rho", options.rho);
  visit("centered", options.centered);
  visit("initial_accumulator", options.initial_accumulator);
  visit("epsilon_outside", options.epsilon_outside);
  visit("schedule_decay", options.schedule_decay);
  visit("momentum_of_steps", options.momentum_of_steps);
  visit("clip_value", options.clip_value);
  visit("clip_norm", options.clip_norm);
  visit("global_clip_norm", options.global_clip_norm);
}

}  // namespace daig::optim
