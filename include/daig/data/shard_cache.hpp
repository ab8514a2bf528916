#pragma once

/// The shards that a volunteer keeps.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include <daig/core/id.hpp>
#include <daig/data/shard.hpp>

namespace daig::data {

/// Keeps shards within a budget of memory; the least recently used goes first.
///
/// A shard that somebody holds is not dropped, since that would free nothing; the budget can so be
/// exceeded by shards in use and by a newly inserted one that alone is larger. Any thread: the
/// communication thread inserts while the compute thread finds.
class ShardCache {
 public:
  struct Counts {
    std::uint64_t hits = 0;
    std::uint64_t misses = 0;
  };

  explicit ShardCache(std::size_t budget_bytes) : budget_bytes_(budget_bytes) {}

  /// The shard, now the most recently used; null when it is not here. Counts a hit or a miss.
  std::shared_ptr<const Shard> find(ShardId id);

  /// Keeps a shard, in place of an older one of the same id, and drops others as the budget wants.
  std::shared_ptr<const Shard> insert(Shard shard);

  /// Ids of what is here, most recently used first. Counts nothing.
  std::vector<ShardId> ids() const;
  /// Memory that the kept shards take.
  std::size_t memory_bytes() const;
  Counts counts() const;

 private:
  using Kept = std::list<std::shared_ptr<const Shard>>;

  Kept::iterator place_of(ShardId id);
  void drop_beyond_budget();

  const std::size_t budget_bytes_;
  mutable std::mutex mutex_;
  // A volunteer keeps tens of shards, seldom hundreds: walking the list costs less than a batch.
  Kept kept_;  // most recently used first
  std::size_t memory_bytes_ = 0;
  Counts counts_;
};

// ---------------------------------------------------------------------------------------------

inline std::shared_ptr<const Shard> ShardCache::find(ShardId id) {
  const std::lock_guard lock(mutex_);
  const auto place = place_of(id);
  if (place == kept_.end()) {
    ++counts_.misses;
    return nullptr;
  }
  ++counts_.hits;
  kept_.splice(kept_.begin(), kept_, place);
  return kept_.front();
}

inline std::shared_ptr<const Shard> ShardCache::insert(Shard shard) {
  auto added = std::make_shared<const Shard>(std::move(shard));
  const std::lock_guard lock(mutex_);
  if (const auto older = place_of(added->id()); older != kept_.end()) {
    memory_bytes_ -= (*older)->memory_bytes();
    kept_.erase(older);
  }
  memory_bytes_ += added->memory_bytes();
  kept_.push_front(added);
  drop_beyond_budget();
  return added;
}

inline std::vector<ShardId> ShardCache::ids() const {
  const std::lock_guard lock(mutex_);
  std::vector<ShardId> ids;
  for (const auto& shard : kept_) ids.push_back(shard->id());
  return ids;
}

inline std::size_t ShardCache::memory_bytes() const {
  const std::lock_guard lock(mutex_);
  return memory_bytes_;
}

inline ShardCache::Counts ShardCache::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

inline ShardCache::Kept::iterator ShardCache::place_of(ShardId id) {
  return std::find_if(kept_.begin(), kept_.end(),
                      [id](const auto& shard) { return shard->id() == id; });
}

inline void ShardCache::drop_beyond_budget() {
  auto place = kept_.end();
  while (memory_bytes_ > budget_bytes_ && place != kept_.begin()) {
    --place;
    // Held by the list alone; nobody can take hold of it now, as that needs the mutex.
    if (place->use_count() > 1) continue;
    memory_bytes_ -= (*place)->memory_bytes();
    place = kept_.erase(place);
  }
}

}  // namespace daig::data
