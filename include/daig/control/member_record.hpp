#pragma once

/// What the coordinator knows of a rank that takes part, or is about to.

#include <cstdint>

#include <daig/control/liveness.hpp>
#include <daig/control/policies.hpp>
#include <daig/core/deadline.hpp>

namespace daig::control {

/// How far a rank has come.
enum class Standing {
  expected,  ///< was started with the others, and has not said Hello yet
  waiting,   ///< said Hello, and will be taken in when the next step opens
  loading,   ///< is being sent the weights
  member     ///< in the view
};

struct MemberRecord {
  explicit MemberRecord(Duration now = Duration::zero()) : since(now), liveness(now) {}

  Standing standing = Standing::expected;
  Duration since;  ///< its standing, or its wish to leave
  bool leaving = false;
  bool trains = false;
  bool answered = false;       ///< with Reduced or Bye: what the phase waits for
  std::uint64_t in_hand = 0;   ///< tickets
  std::uint64_t accepted = 0;  ///< batches of the present step
  std::uint64_t strikes = 0;   ///< gradients that were refused, and others found better ones
  ServiceTime service;
  Liveness liveness;
  Duration spoken{};  ///< to it
};

}  // namespace daig::control
