#pragma once

/// What a run was asked to do, as the ledger keeps it: the part of the configuration that the
/// accounts are checked against.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include <daig/data/shard_plan.hpp>

namespace daig::store {

/// Facts of a run as text, by name. `run_plan` says which ones every run has; a program adds what
/// it wants ("spec", "seed", "ranks", ...).
using Configuration = std::map<std::string, std::string>;

/// Epochs of batches, K to a step.
struct RunPlan {
  data::ShardPlan data;
  std::uint64_t epochs;
  std::uint64_t k;

  /// Batches of all epochs: what is to be committed, each exactly once.
  std::uint64_t batches() const { return epochs * data.batches(); }

  friend bool operator==(const RunPlan&, const RunPlan&) = default;
};

/// Takes the plan from the keys samples, batch_size, shards, epochs and k.
/// @param where  named in errors, e.g. the ledger's path
/// @throws InputError when a key is missing, is no positive number, or the numbers make no plan.
RunPlan run_plan(const Configuration& configuration, std::string_view where);

/// The five keys of a plan; the other way round.
Configuration configuration_of(const RunPlan& plan);

}  // namespace daig::store
