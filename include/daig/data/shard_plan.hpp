#pragma once

/// How a dataset is cut: which samples belong to which shard, which batch to which shard.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>

#include <daig/core/error.hpp>
#include <daig/core/id.hpp>

namespace daig::data {

/// Deals blocks of batch_size consecutive samples to the shards in turn, like cards: block j goes
/// to shard j mod S. A shard so holds samples from all over the dataset (files are often sorted by
/// label), is read in long pieces, and all shards but one hold whole batches only.
///
/// The batch with id b is slot b / S of shard b mod S. Which of the shard's samples stand in a slot
/// changes with every epoch (data/shard.hpp).
class ShardPlan {
 public:
  /// Expects samples, batch_size and shards to be positive, shards <= number of batches, and
  /// shards < 2^32.
  ShardPlan(std::uint64_t samples, std::uint64_t batch_size, std::uint64_t shards);

  std::uint64_t samples() const { return samples_; }
  std::uint64_t batch_size() const { return batch_size_; }
  std::uint64_t shards() const { return shards_; }
  /// Batches of one epoch.
  std::uint64_t batches() const { return (samples_ - 1) / batch_size_ + 1; }

  ShardId shard_of(BatchId batch) const {
    return ShardId{static_cast<std::uint32_t>(batch.value() % shards_)};
  }
  std::uint64_t slot_of(BatchId batch) const { return batch.value() / shards_; }
  BatchId batch_at(ShardId shard, std::uint64_t slot) const {
    return BatchId{slot * shards_ + shard.value()};
  }
  /// Batches in one shard.
  std::uint64_t slots(ShardId shard) const {
    return (batches() - shard.value() + shards_ - 1) / shards_;
  }
  /// Samples in one shard.
  std::uint64_t samples_in(ShardId shard) const;
  /// Samples in one batch: batch_size, but for one batch of the epoch.
  std::uint64_t samples_in(BatchId batch) const;

  friend bool operator==(const ShardPlan&, const ShardPlan&) = default;

 private:
  std::uint64_t samples_;
  std::uint64_t batch_size_;
  std::uint64_t shards_;
};

// ---------------------------------------------------------------------------------------------

inline ShardPlan::ShardPlan(std::uint64_t samples, std::uint64_t batch_size, std::uint64_t shards)
    : samples_(samples), batch_size_(batch_size), shards_(shards) {
  expects(samples > 0 && batch_size > 0 && shards > 0, "a positive number of everything");
  expects(shards <= batches(), "no more shards than batches");
  expects(shards <= std::numeric_limits<ShardId::rep>::max(), "as many shards as a ShardId names");
}

inline std::uint64_t ShardPlan::samples_in(BatchId batch) const {
  return std::min(batch_size_, samples_ - batch.value() * batch_size_);
}

inline std::uint64_t ShardPlan::samples_in(ShardId shard) const {
  const std::uint64_t last = slots(shard) - 1;
  return last * batch_size_ + samples_in(batch_at(shard, last));
}

}  // namespace daig::data
