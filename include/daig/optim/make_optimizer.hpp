#pragma once

/// An optimiser from options, as a command line or a configuration brings them.

#include <cmath>
#include <cstddef>
#include <string>
#include <utility>

#include <fmt/format.h>

#include <daig/core/error.hpp>
#include <daig/model/layout.hpp>
#include <daig/optim/adam.hpp>
#include <daig/optim/optimizer.hpp>
#include <daig/optim/selective.hpp>
#include <daig/optim/sgd.hpp>

namespace daig::optim {

struct OptimizerOptions {
  std::string name = "sgd";  ///< "sgd", "adam" or "adamw"
  /// Before the schedule's factor; what the coordinator multiplies and sends along.
  double learning_rate = 0.01;
  double momentum = 0;       ///< sgd
  bool nesterov = false;     ///< sgd
  double beta1 = 0.9;        ///< adam, adamw
  double beta2 = 0.999;      ///< adam, adamw
  double epsilon = 1e-8;     ///< adam, adamw
  bool epsilon_hat = false;  ///< adam, adamw: epsilon as Keras means it
  double weight_decay = 0;   ///< L2 in the gradient; decoupled for adamw
};

/// An optimiser for `size` weights. @throws UsageError naming the option that makes no sense.
inline AnyOptimizer make_optimizer(const OptimizerOptions& options, std::size_t size);
/// The same for weights that lie as the layout says; it moves those that are trained.
inline AnyOptimizer make_optimizer(const OptimizerOptions& options, const model::Layout& layout);

// ---------------------------------------------------------------------------------------------

inline AnyOptimizer make_optimizer(const OptimizerOptions& options, std::size_t size) {
  if (!(options.learning_rate >= 0 && std::isfinite(options.learning_rate))) {
    throw UsageError(fmt::format("learning rate {} makes no sense: it is a number from 0 on",
                                 options.learning_rate));
  }
  if (options.name == "sgd") {
    return AnyOptimizer(Sgd({options.momentum, options.nesterov, options.weight_decay}, size));
  }
  if (options.name != "adam" && options.name != "adamw") {
    throw UsageError(
        fmt::format("no optimiser is called '{}': there are sgd, adam and adamw", options.name));
  }
  if (options.momentum != 0 || options.nesterov) {
    throw UsageError(fmt::format(
        "momentum and nesterov are options of sgd: {} keeps its own means, see beta1 and beta2",
        options.name));
  }
  AdamOptions adam;
  adam.beta1 = options.beta1;
  adam.beta2 = options.beta2;
  adam.epsilon = options.epsilon;
  if (options.epsilon_hat) adam.epsilon_place = AdamOptions::Epsilon::before_correction;
  adam.weight_decay = options.weight_decay;
  if (options.name == "adamw") adam.decay = AdamOptions::Decay::decoupled;
  return AnyOptimizer(Adam(adam, size));
}

inline AnyOptimizer make_optimizer(const OptimizerOptions& options, const model::Layout& layout) {
  AnyOptimizer optimizer = make_optimizer(options, layout.size());
  const bool selective =
      !layout.has_none(model::Role::frozen) || !layout.has_none(model::Role::statistic);
  return selective ? AnyOptimizer(Selective(std::move(optimizer), layout)) : std::move(optimizer);
}

}  // namespace daig::optim
