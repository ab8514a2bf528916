#pragma once

/// What a FaultyCommunicator does to its rank, and when.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>

#include <daig/comm/tag.hpp>
#include <daig/core/deadline.hpp>
#include <daig/core/error.hpp>
#include <daig/core/id.hpp>
#include <daig/core/random.hpp>

namespace daig::comm {

class FaultyCommunicator;

/// A time of trouble that begins with an operation.
struct Outage {
  std::uint64_t at_operation;
  Duration lasts;  ///< Duration::max(): for ever
};

/// What happens to a rank. Its *operations* are its calls of send, receive, take and park, counted
/// from 0. How many of them pass between two events depends on timing where the rank waits; for a
/// moment of a protocol there is `on_send`.
struct FaultPlan {
  std::uint64_t seed = 0;
  Duration mean_delay{};                                ///< of each send, see send_delay
  std::optional<std::uint64_t> kill_at_operation = {};  ///< the operation no longer happens
  std::optional<Outage> freeze = {};
  std::optional<Outage> cut = {};
  /// Called before each send, in the rank's thread: the place to kill, freeze or cut off a rank
  /// that is just about to send a certain message.
  std::function<void(FaultyCommunicator&, Rank to, Tag, std::span<const std::byte>)> on_send = {};
};

/// For how long the n-th send of a rank (from 0) is held: exponential, a pure function.
Duration send_delay(const FaultPlan& plan, Rank rank, std::uint32_t nth);

// ---------------------------------------------------------------------------------------------

inline Duration send_delay(const FaultPlan& plan, Rank rank, std::uint32_t nth) {
  expects(plan.mean_delay >= Duration::zero(), "a delay that is not negative");
  Random random(plan.seed, Stream::fault, static_cast<std::uint32_t>(rank.value()), nth);
  const std::chrono::duration<double, Duration::period> mean = plan.mean_delay;
  return std::chrono::duration_cast<Duration>(mean * random.exponential(1));
}

}  // namespace daig::comm
