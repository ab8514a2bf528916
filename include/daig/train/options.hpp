#pragma once

/// Everything a run can be told. Give all ranks the same; the coordinator's Welcome checks it.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include <fmt/format.h>

#include <daig/control/rules.hpp>
#include <daig/core/deadline.hpp>
#include <daig/core/digest.hpp>
#include <daig/core/error.hpp>
#include <daig/core/id.hpp>
#include <daig/data/sample_order.hpp>
#include <daig/model/layout.hpp>
#include <daig/optim/make_optimizer.hpp>
#include <daig/optim/schedule.hpp>
#include <daig/train/milestone.hpp>

namespace daig::train {

struct Options {
  std::uint64_t k = 4;            ///< batches that make a step
  std::uint64_t batch_size = 64;  ///< samples
  std::uint64_t epochs = 1;
  std::uint64_t shards = 0;            ///< 0: choose
  double balance = 0;                  ///< 0: whoever is first; 1: equal shares of every step
  std::uint64_t max_contributors = 0;  ///< volunteers that may share a step; 0: all
  std::uint64_t seed = 1;
  std::optional<std::uint64_t> shuffle_seed;  ///< of the samples' order alone; nothing: `seed`
  optim::OptimizerOptions optimizer;          ///< with the base learning rate
  /// Of the weights. Empty: they are one array, for all the optimiser cares, and all are trained; a
  /// network with frozen layers or running statistics needs its own here.
  model::Layout layout;
  std::string schedule = "constant";  ///< optim::make_schedule
  bool coordinator_trains = false;    ///< rank 0 computes, too; always so when it is alone

  double norm_factor = 100;  ///< gradients beyond so many times the usual norm are refused

  std::size_t cache_bytes = std::size_t{1} << 29;     ///< for shards, on each volunteer
  int nice = 10;                                      ///< of Session::run's computing threads
  Duration silence_limit = std::chrono::seconds(2);   ///< a volunteer this silent is expelled
  Duration orphan_limit = std::chrono::seconds(30);   ///< without a coordinator a volunteer ends
  Duration gather_limit = std::chrono::seconds(60);   ///< for all ranks to come
  Duration exchange_limit = std::chrono::minutes(5);  ///< for an all-reduce, or to load the weights
  Duration lonely_limit = std::chrono::minutes(2);    ///< without volunteers the run ends
  std::map<Rank, double> slowdown;                    ///< experiments: rank -> factor above 1
  OnMilestone on_milestone;  ///< experiments: told of this rank's own milestones

  /// Who has nothing to say for so long says that it is there.
  Duration heartbeat() const {
    return std::min<Duration>(std::chrono::seconds(1), silence_limit / 8);
  }
  /// What the draws of batches begin with.
  data::Seeds seeds() const { return {shuffle_seed.value_or(seed), seed}; }
  /// What all ranks must agree on, the number of weights included, in one number.
  std::uint64_t digest(std::size_t weights) const;
  /// An optimiser for so many weights. @throws UsageError as optim::make_optimizer.
  optim::AnyOptimizer make_optimizer(std::size_t weights) const;
  /// The part that the coordinator needs. @throws UsageError on a schedule that makes no sense.
  control::Rules rules(std::size_t weights) const;
  /// Whether a rank of a run of this many computes.
  bool trains(Rank rank, int ranks) const {
    return rank != coordinator_rank || coordinator_trains || ranks == 1;
  }
  /// The coordinator, unless it trains: who gets every sum without being in the ring.
  std::optional<Rank> listener(int ranks) const {
    return trains(coordinator_rank, ranks) ? std::nullopt : std::optional(coordinator_rank);
  }
};

// ---------------------------------------------------------------------------------------------

namespace detail {

/// What a layout says of parameters that are not simply trained.
inline std::string treatment(const model::Layout& layout) {
  std::string text;
  for (const model::Parameter& parameter : layout.parameters()) {
    const auto& [l1, l2] = parameter.regularizer;
    if (parameter.role == model::Role::trained && !parameter.regularizer.any()) continue;
    text += fmt::format(" {} {} {} {} {} {}", parameter.offset, parameter.size(),
                        static_cast<int>(parameter.role), parameter.momentum, l1, l2);
  }
  return text;
}

}  // namespace detail

inline std::uint64_t Options::digest(std::size_t weights) const {
  std::string text = fmt::format("{} {} {} {} {} {} {} {} {} {} {}{}", weights, k, batch_size,
                                 epochs, shards, balance, max_contributors, seed, seeds().order,
                                 schedule, coordinator_trains, detail::treatment(layout));
  optim::visit_options(optimizer, [&text](const char* name, const auto& value) {
    text += fmt::format(" {}={}", name, value);
  });
  return daig::digest(std::as_bytes(std::span(text)));
}

inline optim::AnyOptimizer Options::make_optimizer(std::size_t weights) const {
  return optim::make_optimizer(optimizer, layout, weights);
}

inline control::Rules Options::rules(std::size_t weights) const {
  control::Rules rules;
  rules.k = k;
  rules.balance = balance;
  rules.max_contributors = max_contributors;
  rules.seed = seed;
  rules.shuffle_seed = seeds().order;
  // One is computed, and the others cover a round trip of seven service times: where ranks share
  // cores, a coordinator answers only once it has its turn on one, and naps for most of them.
  rules.tickets_in_hand = 8;
  rules.heartbeat = heartbeat();
  rules.silence_limit = silence_limit;
  rules.gather_limit = gather_limit;
  rules.exchange_limit = exchange_limit;
  rules.lonely_limit = lonely_limit;
  rules.norm_factor = norm_factor;
  rules.settings_digest = digest(weights);
  rules.learning_rate = [base = optimizer.learning_rate, factor = optim::make_schedule(schedule)](
                            auto step, auto total) { return base * factor(step, total); };
  return rules;
}

}  // namespace daig::train
