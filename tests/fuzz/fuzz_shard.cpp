/// Shards from outside: what is accepted is the very bytes, and every sample is in one batch of an
/// epoch.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <daig/data/shard.hpp>

#include "array_check.hpp"

using namespace daig;
using namespace daig::data;

namespace {

void check_batches(const Shard& shard) {
  constexpr std::uint64_t batch_size = 3;
  // A plan in which this shard has these samples, whatever its id: as the only one, if it is 0.
  const ShardPlan plan(shard.samples(), batch_size, 1);
  Batch batch;
  std::uint64_t seen = 0;
  for (std::uint64_t slot = 0; slot < plan.slots(ShardId{0}); ++slot) {
    shard.batch(plan, slot, Epoch{1}, 2, batch);
    test::require(batch.features.size() == batch.samples * batch.sample_size);
    test::require(batch.classes.size() == batch.samples ||
                  batch.targets.size() == batch.samples * batch.target_size);
    test::require(std::all_of(batch.classes.begin(), batch.classes.end(),
                              [](std::int32_t label) { return label >= 0; }));
    seen += batch.samples;
  }
  test::require(seen == shard.samples());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(input, size));
  try {
    const Shard shard = Shard::decode({bytes.begin(), bytes.end()});
    test::require(std::ranges::equal(shard.encoded(), bytes));
    test::require(Shard(shard.form()).encoded().size() == size);
    check_batches(shard);  // refuses, and so must, a shard that is not of its plan
  } catch (const InputError&) {
  }
  return 0;
}
