#pragma once

/// Where a rank stands in the protocol: the moments at which experiments let it die.

#include <array>
#include <cstddef>
#include <functional>
#include <optional>
#include <string_view>

#include <daig/core/id.hpp>

namespace daig::train {

enum class Milestone {
  hello,      ///< has said Hello, and waits for the weights
  loading,    ///< the weights are on their way to it
  fetching,   ///< has asked for a shard
  computing,  ///< has tickets on its desk
  banked,     ///< a gradient of its was accepted
  ring,       ///< is in the all-reduce: has sent a part of its sum
  reduced,    ///< has the sum, and has said so
  committed,  ///< has applied the step
  // Of the coordinator alone:
  agreed,    ///< has told all to commit the step, and not yet written it down
  recorded,  ///< the step is in the ledger
  saving,    ///< a snapshot is written, under a temporary name
  saved      ///< the snapshot has its name
};

inline constexpr std::array<std::string_view, 12> milestone_names{
    "hello",   "loading",   "fetching", "computing", "banked", "ring",
    "reduced", "committed", "agreed",   "recorded",  "saving", "saved"};

/// Whether no other rank reaches it.
constexpr bool is_of_coordinator(Milestone milestone) {
  return milestone >= Milestone::agreed;
}

/// The milestone of this name, if there is one.
inline std::optional<Milestone> milestone_named(std::string_view name) {
  for (std::size_t i = 0; i < milestone_names.size(); ++i) {
    if (milestone_names[i] == name) return static_cast<Milestone>(i);
  }
  return std::nullopt;
}

/// Told of each milestone that a rank reaches, with the version of its weights then; for a step
/// that is committed, of the weights that it started from.
using OnMilestone = std::function<void(Milestone, Version)>;

}  // namespace daig::train
