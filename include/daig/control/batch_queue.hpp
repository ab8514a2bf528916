#pragma once

/// The batches that nobody holds: what is still to be computed, and who should compute it.

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include <daig/control/message.hpp>
#include <daig/core/error.hpp>
#include <daig/core/id.hpp>
#include <daig/data/shard_plan.hpp>

namespace daig::control {

/// All work of a run, in the order in which it is handed out.
///
/// The earliest epoch with work left is served first; the next one opens as soon as nothing of it
/// is left, so that tickets flow across epoch boundaries. Within an epoch a volunteer gets, in this
/// order: the rest of the shard it is at (its samples are there already); another shard it is at
/// home in; a shard nobody has taken yet; the rest of the shard with most left. A volunteer is at
/// home in the shards that it took last; homes outlast the epoch, and so do the volunteers' caches.
///
/// Cost: take is constant while a volunteer stays in its shard, linear in the shards otherwise.
class BatchQueue {
 public:
  /// `done` is work that was committed before the run was resumed: it is not handed out again.
  /// Expects it to be work of this plan and these epochs.
  BatchQueue(data::ShardPlan plan, Epoch epochs, std::span<const Work> done = {});

  /// The next batch for a volunteer; nothing when all work is handed out.
  std::optional<Work> take(Rank volunteer);

  /// Work that came back unfinished: it goes before everything else of its shard and epoch.
  /// Expects it to have been taken.
  void give_back(Work work);

  /// A volunteer is gone: its shards are nobody's home any more.
  void forget(Rank volunteer);

  /// The shard a volunteer will need once its present one is used up, when at most `left` batches
  /// of that are left: claimed for it, and told once.
  std::optional<ShardId> claim_next(Rank volunteer, std::uint64_t left);

  /// Batches left to take, over all epochs (what was taken may still come back).
  std::uint64_t left() const { return left_; }
  bool empty() const { return left_ == 0; }
  const data::ShardPlan& plan() const { return plan_; }

 private:
  using Pending = std::deque<BatchId>;  ///< of one shard, in slot order
  struct OpenEpoch {
    std::vector<Pending> shards;
    std::uint64_t left = 0;
  };
  struct Place {  ///< where a volunteer works
    ShardId current;
    std::optional<ShardId> next;
  };
  static constexpr Rank nobody{-1};

  void open_next_epoch();
  ShardId choose_shard(const OpenEpoch& epoch, Rank volunteer) const;
  bool worked_on(ShardId shard) const;

  data::ShardPlan plan_;
  Epoch epochs_;
  std::set<Work> done_;
  std::uint64_t left_;
  Epoch next_epoch_{0};
  std::map<Epoch, OpenEpoch> open_;  ///< epochs with work left
  std::vector<Rank> home_;           ///< by shard
  std::map<Rank, Place> places_;
};

// ---------------------------------------------------------------------------------------------

inline BatchQueue::BatchQueue(data::ShardPlan plan, Epoch epochs, std::span<const Work> done)
    : plan_(plan),
      epochs_(epochs),
      done_(done.begin(), done.end()),
      left_(epochs.value() * plan.batches() - done_.size()),
      home_(static_cast<std::size_t>(plan.shards()), nobody) {
  expects(epochs.value() == 0 || plan.batches() <= UINT64_MAX / epochs.value(),
          "epochs whose batches can be counted");
  for (const Work& work : done_) {
    expects(work.epoch < epochs_ && work.batch.value() < plan_.batches(),
            "committed work to be of this plan and these epochs");
  }
  while (open_.empty() && next_epoch_ < epochs_) open_next_epoch();
}

inline std::optional<Work> BatchQueue::take(Rank volunteer) {
  if (open_.empty()) return std::nullopt;
  const auto earliest = open_.begin();
  OpenEpoch& epoch = earliest->second;

  const ShardId shard = choose_shard(epoch, volunteer);
  const auto [place, is_new] = places_.try_emplace(volunteer, Place{shard, {}});
  if (is_new || place->second.current != shard) {
    // A shard that another volunteer is at stays its home; helping out does not move it.
    if (!worked_on(shard)) home_[shard.value()] = volunteer;
    place->second = {shard, {}};
  }
  Pending& pending = epoch.shards[shard.value()];
  const Work work{earliest->first, pending.front()};
  pending.pop_front();
  --left_;
  if (--epoch.left == 0) open_.erase(earliest);
  while (open_.empty() && next_epoch_ < epochs_) open_next_epoch();
  return work;
}

inline void BatchQueue::give_back(Work work) {
  expects(work.epoch < next_epoch_ && work.batch.value() < plan_.batches(),
          "work that was taken to come back");
  auto [at, is_new] = open_.try_emplace(work.epoch);
  if (is_new) at->second.shards.resize(static_cast<std::size_t>(plan_.shards()));
  at->second.shards[plan_.shard_of(work.batch).value()].push_front(work.batch);
  ++at->second.left;
  ++left_;
}

inline void BatchQueue::forget(Rank volunteer) {
  places_.erase(volunteer);
  std::ranges::replace(home_, volunteer, nobody);
}

inline std::optional<ShardId> BatchQueue::claim_next(Rank volunteer, std::uint64_t left) {
  const auto place = places_.find(volunteer);
  if (open_.empty() || place == places_.end() || place->second.next) return std::nullopt;
  const OpenEpoch& epoch = open_.begin()->second;
  if (epoch.shards[place->second.current.value()].size() > left) return std::nullopt;
  for (std::uint32_t shard = 0; shard < plan_.shards(); ++shard) {
    const bool free = home_[shard] == nobody || home_[shard] == volunteer;
    if (free && ShardId{shard} != place->second.current && !epoch.shards[shard].empty()) {
      home_[shard] = volunteer;
      place->second.next = ShardId{shard};
      return ShardId{shard};
    }
  }
  return std::nullopt;
}

inline void BatchQueue::open_next_epoch() {
  OpenEpoch epoch;
  epoch.shards.resize(static_cast<std::size_t>(plan_.shards()));
  for (std::uint64_t id = 0; id < plan_.batches(); ++id) {
    const BatchId batch{id};
    if (done_.contains({next_epoch_, batch})) continue;
    epoch.shards[plan_.shard_of(batch).value()].push_back(batch);
    ++epoch.left;
  }
  if (epoch.left > 0) open_.emplace(next_epoch_, std::move(epoch));
  next_epoch_ = next_epoch_.next();
}

/// Some shard with work left: the epoch has one.
inline ShardId BatchQueue::choose_shard(const OpenEpoch& epoch, Rank volunteer) const {
  const auto place = places_.find(volunteer);
  const auto has_work = [&](ShardId shard) { return !epoch.shards[shard.value()].empty(); };
  if (place != places_.end()) {
    if (has_work(place->second.current)) return place->second.current;
    if (place->second.next && has_work(*place->second.next)) return *place->second.next;
  }
  std::optional<ShardId> untaken;
  std::optional<ShardId> longest;
  for (std::uint32_t id = 0; id < plan_.shards(); ++id) {
    const ShardId shard{id};
    if (!has_work(shard)) continue;
    if (home_[id] == volunteer) return shard;
    if (!untaken && home_[id] == nobody) untaken = shard;
    if (!longest || epoch.shards[id].size() > epoch.shards[longest->value()].size()) {
      longest = shard;
    }
  }
  return untaken ? *untaken : *longest;
}

inline bool BatchQueue::worked_on(ShardId shard) const {
  const Rank home = home_[shard.value()];
  const auto place = places_.find(home);
  return place != places_.end() && place->second.current == shard;
}

}  // namespace daig::control
