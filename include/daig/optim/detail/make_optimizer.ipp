// The bodies of optim/make_optimizer.hpp.

#pragma once

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <daig/core/error.hpp>
#include <daig/core/inline.hpp>
#include <daig/optim/adagrad.hpp>
#include <daig/optim/adam.hpp>
#include <daig/optim/adamax.hpp>
#include <daig/optim/clipping.hpp>
#include <daig/optim/make_optimizer.hpp>
#include <daig/optim/nadam.hpp>
#include <daig/optim/rmsprop.hpp>
#include <daig/optim/selective.hpp>
#include <daig/optim/sgd.hpp>

namespace daig::optim {

namespace detail {

/// @throws UsageError for an option that only other optimisers have.
DAIG_INLINE void check_options_fit(const OptimizerOptions& options) {
  const std::string& name = options.name;
  const bool sgd = name == "sgd";
  const bool rmsprop = name == "rmsprop";
  const bool adam = name == "adam" || name == "adamw";
  const auto refuse = [&](const char* what, const char* whose) {
    throw UsageError(fmt::format("{} is an option of {}: {} does without", what, whose, name));
  };
  if (options.momentum != 0 && !sgd && !rmsprop) refuse("momentum", "sgd and rmsprop");
  if (options.nesterov && !sgd) refuse("nesterov", "sgd");
  if (options.amsgrad && !adam) refuse("amsgrad", "adam and adamw");
  if (options.centered && !rmsprop) refuse("centered", "rmsprop");
}

/// The one that the name says, without clipping.
DAIG_INLINE AnyOptimizer make_plain_optimizer(const OptimizerOptions& options, std::size_t size) {
  const auto decay =
      options.decoupled_decay || options.name == "adamw" ? WeightDecay::decoupled : WeightDecay::l2;
  if (options.name == "sgd") {
    const auto velocity = options.momentum_of_steps ? SgdOptions::Velocity::of_steps
                                                    : SgdOptions::Velocity::of_gradients;
    return AnyOptimizer(
        Sgd({options.momentum, options.nesterov, options.weight_decay, decay, velocity}, size));
  }
  if (options.name == "adam" || options.name == "adamw") {
    AdamOptions adam;
    adam.beta1 = options.beta1;
    adam.beta2 = options.beta2;
    adam.epsilon = options.epsilon;
    if (options.epsilon_hat) adam.epsilon_place = AdamOptions::Epsilon::before_correction;
    adam.weight_decay = options.weight_decay;
    adam.decay = decay;
    adam.amsgrad = options.amsgrad;
    return AnyOptimizer(Adam(adam, size));
  }
  if (options.name == "nadam") {
    return AnyOptimizer(Nadam({options.beta1, options.beta2, options.epsilon,
                               options.schedule_decay, options.weight_decay, decay},
                              size));
  }
  if (options.name == "rmsprop") {
    const auto place = options.epsilon_outside ? RmspropOptions::Epsilon::outside_root
                                               : RmspropOptions::Epsilon::inside_root;
    return AnyOptimizer(Rmsprop({options.rho, options.momentum, options.epsilon, place,
                                 options.centered, options.weight_decay, decay},
                                size));
  }
  if (options.name == "adagrad") {
    const auto place = options.epsilon_outside ? AdagradOptions::Epsilon::outside_root
                                               : AdagradOptions::Epsilon::inside_root;
    return AnyOptimizer(Adagrad(
        {options.initial_accumulator, options.epsilon, place, options.weight_decay, decay}, size));
  }
  if (options.name == "adamax") {
    return AnyOptimizer(
        Adamax({options.beta1, options.beta2, options.epsilon, options.weight_decay, decay}, size));
  }
  throw UsageError(
      fmt::format("no optimiser is called '{}': there are sgd, adam, adamw, nadam, rmsprop, "
                  "adagrad and adamax",
                  options.name));
}

DAIG_INLINE AnyOptimizer make_optimizer(const OptimizerOptions& options, std::vector<Range> arrays,
                                        std::size_t size) {
  if (!(options.learning_rate >= 0 && std::isfinite(options.learning_rate))) {
    throw UsageError(fmt::format("learning rate {} makes no sense: it is a number from 0 on",
                                 options.learning_rate));
  }
  AnyOptimizer plain = make_plain_optimizer(options, size);
  check_options_fit(options);
  const ClippingOptions clipping{options.clip_value, options.clip_norm, options.global_clip_norm};
  if (!clipping.clips()) return plain;
  return AnyOptimizer(Clipping(clipping, std::move(arrays), size, std::move(plain)));
}

}  // namespace detail

DAIG_INLINE AnyOptimizer make_optimizer(const OptimizerOptions& options, std::size_t size) {
  return detail::make_optimizer(options, {{0, size}}, size);
}

DAIG_INLINE AnyOptimizer make_optimizer(const OptimizerOptions& options,
                                        const model::Layout& layout) {
  std::vector<Range> arrays;
  for (const model::Parameter& parameter : layout.parameters()) {
    if (parameter.role != model::Role::trained) continue;
    arrays.push_back({parameter.offset, parameter.size()});
  }
  const bool selective =
      !layout.has_none(model::Role::frozen) || !layout.has_none(model::Role::statistic);
  AnyOptimizer optimizer = detail::make_optimizer(options, std::move(arrays), layout.size());
  return selective ? AnyOptimizer(Selective(std::move(optimizer), layout)) : std::move(optimizer);
}

DAIG_INLINE AnyOptimizer make_optimizer(const OptimizerOptions& options,
                                        const model::Layout& layout, std::size_t size) {
  if (layout.size() == 0) return make_optimizer(options, size);
  expects(layout.size() == size, "a layout of all the weights");
  return make_optimizer(options, layout);
}

}  // namespace daig::optim
