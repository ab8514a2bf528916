#pragma once

/// Where a member stands in the protocol: the moments at which experiments let it die.

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
  committed   ///< has applied the step
};

inline constexpr std::array<std::string_view, 8> milestone_names{
    "hello", "loading", "fetching", "computing", "banked", "ring", "reduced", "committed"};

/// The milestone of this name, if there is one.
inline std::optional<Milestone> milestone_named(std::string_view name) {
  for (std::size_t i = 0; i < milestone_names.size(); ++i) {
    if (milestone_names[i] == name) return static_cast<Milestone>(i);
  }
  return std::nullopt;
}

/// Told of each milestone that a member reaches, with the version of its weights then.
using OnMilestone = std::function<void(Milestone, Version)>;

}  // namespace daig::train
