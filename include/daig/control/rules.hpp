#pragma once

/// What the requestor decides about a run, as far as the coordinator must know it.

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include <daig/comm/tag.hpp>
#include <daig/control/policies.hpp>
#include <daig/core/deadline.hpp>
#include <daig/core/error.hpp>

namespace daig::control {

/// Learning rate of a step, of so many in all. Called by the coordinator only.
using LearningRate = std::function<double(std::uint64_t step, std::uint64_t total_steps)>;

/// More would not fit into one message to a volunteer.
inline constexpr std::uint64_t max_tickets_in_hand = 1000;

struct Rules {
  std::uint64_t k = 1;  ///< batches that make a step
  LearningRate learning_rate = [](std::uint64_t, std::uint64_t) { return 0.01; };

  double balance = 0;                  ///< 0: whoever is first; 1: equal shares (share_cap)
  Supply supply = Supply::any_k;       ///< how many tickets a step has
  std::uint64_t max_contributors = 0;  ///< volunteers that may bank in one step; 0: all
  std::uint64_t tickets_in_hand = 2;   ///< one computed, the others waiting: no round trip between
  bool backups = true;                 ///< at the end, overdue tickets are granted a second time

  Duration heartbeat = std::chrono::milliseconds(250);  ///< everybody says something this often
  Duration silence_limit = std::chrono::seconds(2);     ///< a member this silent is expelled
  Duration gather_limit = std::chrono::seconds(60);     ///< for all members to say Hello
  Duration exchange_limit = std::chrono::minutes(5);    ///< for a Load, and for an all-reduce
  Duration leave_limit = std::chrono::seconds(10);  ///< what a leaver has banked then is given up
  Duration lonely_limit = std::chrono::minutes(2);  ///< without any volunteer the run ends

  double norm_factor = 100;   ///< gradients beyond so many times the usual norm are refused
  std::uint64_t strikes = 3;  ///< so often proved wrong, a volunteer is expelled for good

  std::uint64_t seed = 0;
  std::uint64_t shuffle_seed = 0;      ///< of the samples' order
  std::uint64_t settings_digest = 0;   ///< every member's Hello must carry it
  comm::ExchangeId first_exchange{1};  ///< exchanges are numbered from here on
  bool has_dataset = false;            ///< shards can be fetched from the coordinator

  /// @throws UsageError when the rules contradict themselves.
  void check() const;
};

// ---------------------------------------------------------------------------------------------

inline void Rules::check() const {
  if (k == 0) throw UsageError("K is 0: a step needs at least one batch; give K >= 1");
  if (!(balance >= 0 && balance <= 1)) {
    throw UsageError("balance must lie between 0 (pure K-batch-sync) and 1 (equal shares)");
  }
  if (tickets_in_hand == 0 || tickets_in_hand > max_tickets_in_hand) {
    throw UsageError(
        "a volunteer needs at least one ticket in hand, and has no use for more than " +
        std::to_string(max_tickets_in_hand));
  }
  if (heartbeat <= Duration::zero() || heartbeat >= silence_limit) {
    throw UsageError("the heartbeat must be shorter than the silence after which a rank is lost");
  }
  if (!(norm_factor > 1) || strikes == 0) {
    throw UsageError(
        "a gradient is refused beyond some times the usual norm, above 1, and a volunteer goes "
        "after "
        "some such gradients, at least one");
  }
  expects(learning_rate != nullptr, "a learning rate");
}

}  // namespace daig::control
