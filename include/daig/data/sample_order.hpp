#pragma once

/// In which order an epoch goes through a shard's samples.

#include <cstdint>
#include <numeric>
#include <vector>

#include <daig/core/id.hpp>
#include <daig/core/random.hpp>

namespace daig::data {

/// What the random draws of a run's batches begin with.
struct Seeds {
  std::uint64_t order = 0;  ///< of the samples
  std::uint64_t noise = 0;  ///< of the model's random layers

  Seeds() = default;
  /// One for both. Implicit: most runs have no more.
  Seeds(std::uint64_t both) : order(both), noise(both) {}  // NOLINT(google-explicit-constructor)
  Seeds(std::uint64_t of_order, std::uint64_t of_noise) : order(of_order), noise(of_noise) {}
};

/// The shard's samples, each once, shuffled by (seed, shard, epoch): the same on every volunteer,
/// another one in every epoch. Slot i of the shard is places [i * batch_size, (i + 1) *
/// batch_size).
///
/// Cost: some 20 ns and 4 bytes a sample.
inline std::vector<std::uint32_t> sample_order(ShardId shard, std::uint32_t samples, Epoch epoch,
                                               std::uint64_t seed) {
  std::vector<std::uint32_t> order(samples);
  std::iota(order.begin(), order.end(), std::uint32_t{0});
  Random random(seed, Stream::shuffle, shard.value(), epoch.value());
  shuffle(order, random);
  return order;
}

}  // namespace daig::data
