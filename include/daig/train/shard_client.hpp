#pragma once

/// The volunteer's side of shard distribution: asks for shards, receives them, keeps them.

#include <cstddef>
#include <deque>
#include <memory>
#include <set>
#include <span>
#include <vector>

#include <fmt/format.h>

#include <daig/comm/communicator.hpp>
#include <daig/control/message.hpp>
#include <daig/core/id.hpp>
#include <daig/data/shard.hpp>
#include <daig/data/shard_cache.hpp>
#include <daig/train/pieces.hpp>

namespace daig::train {

/// Belongs to the communication thread. Shards come from the coordinator in the order in which it
/// offers them, in pieces on the data plane.
/// Memory: the cache's budget, plus what is on its way (at most one shard, as a rule).
class ShardClient {
 public:
  ShardClient(comm::Communicator& communicator, comm::Tag tag, std::size_t cache_bytes)
      : communicator_(communicator), tag_(tag), cache_(cache_bytes) {}

  /// The shard, if it is here.
  std::shared_ptr<const data::Shard> find(ShardId shard) { return cache_.find(shard); }

  /// True when the coordinator must be asked for it; false when it is here or asked for.
  bool must_fetch(ShardId shard);

  /// The coordinator announces a shard; one that is here already comes all the same.
  /// @throws PeerLost when its size is absurd.
  void on(const control::ShardOffer& offer);

  /// What was asked for and not offered will not come: the coordinator has forgotten this
  /// volunteer.
  void ask_again() { asked_.clear(); }

  /// Pieces are under way, which MPI moves on only when it is asked.
  bool busy() const { return !incoming_.empty(); }

  /// Receives what has come; true when a shard became whole.
  bool poll();

  const data::ShardCache& cache() const { return cache_; }

 private:
  struct Incoming {
    ShardId shard;
    std::vector<std::byte> bytes;
    std::deque<comm::Transfer> pieces;
  };

  comm::Communicator& communicator_;
  comm::Tag tag_;
  data::ShardCache cache_;
  std::set<ShardId> asked_;
  std::deque<Incoming> incoming_;
};

// ---------------------------------------------------------------------------------------------

inline bool ShardClient::must_fetch(ShardId shard) {
  if (cache_.find(shard) || asked_.contains(shard)) return false;
  asked_.insert(shard);
  return true;
}

inline void ShardClient::on(const control::ShardOffer& offer) {
  if (offer.bytes == 0 || offer.bytes > max_shard_bytes) {
    throw PeerLost(fmt::format("the coordinator offers shard {} with {} bytes, which cannot be",
                               offer.shard.value(), offer.bytes));
  }
  Incoming& incoming = incoming_.emplace_back();
  incoming.shard = offer.shard;
  incoming.bytes.resize(static_cast<std::size_t>(offer.bytes));
  for (const auto piece : pieces_of(std::span<std::byte>(incoming.bytes))) {
    incoming.pieces.push_back(communicator_.receive(coordinator_rank, tag_, piece));
  }
}

inline bool ShardClient::poll() {
  bool whole = false;
  while (!incoming_.empty()) {
    Incoming& first = incoming_.front();
    while (!first.pieces.empty() && first.pieces.front().done()) first.pieces.pop_front();
    if (!first.pieces.empty()) break;
    cache_.insert(data::Shard::decode(std::move(first.bytes)));
    asked_.erase(first.shard);
    incoming_.pop_front();
    whole = true;
  }
  return whole;
}

}  // namespace daig::train
