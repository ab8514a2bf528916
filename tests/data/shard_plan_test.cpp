#include <cstdint>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <daig/core/random.hpp>
#include <daig/data/shard_plan.hpp>

BOOST_AUTO_TEST_SUITE(shard_plan_test)

using namespace daig;
using namespace daig::data;

namespace {

/// Checks every promise of a plan by going through all of its batches.
void check(const ShardPlan& plan) {
  std::vector<std::uint64_t> slots(plan.shards(), 0);
  std::vector<std::uint64_t> samples(plan.shards(), 0);
  std::uint64_t all = 0;
  std::uint64_t short_batches = 0;
  for (std::uint64_t number = 0; number < plan.batches(); ++number) {
    const BatchId batch{number};
    const ShardId shard = plan.shard_of(batch);
    BOOST_REQUIRE(shard.value() < plan.shards());
    BOOST_REQUIRE(plan.slot_of(batch) == slots[shard.value()]++);
    BOOST_REQUIRE(plan.batch_at(shard, plan.slot_of(batch)) == batch);
    BOOST_REQUIRE(plan.samples_in(batch) > 0);
    samples[shard.value()] += plan.samples_in(batch);
    all += plan.samples_in(batch);
    if (plan.samples_in(batch) != plan.batch_size()) ++short_batches;
  }
  BOOST_TEST(all == plan.samples());
  BOOST_TEST(short_batches <= 1u);
  for (std::uint32_t shard = 0; shard < plan.shards(); ++shard) {
    BOOST_REQUIRE(plan.slots(ShardId{shard}) == slots[shard]);
    BOOST_REQUIRE(plan.samples_in(ShardId{shard}) == samples[shard]);
    BOOST_REQUIRE(samples[shard] > 0);
  }
}

}  // namespace

BOOST_AUTO_TEST_CASE(small_plans_keep_every_promise) {
  for (std::uint64_t samples = 1; samples <= 24; ++samples) {
    for (std::uint64_t size = 1; size <= 9; ++size) {
      for (std::uint64_t shards = 1; shards <= (samples + size - 1) / size; ++shards) {
        BOOST_TEST_CONTEXT(samples << " samples, batches of " << size << ", " << shards) {
          check(ShardPlan(samples, size, shards));
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(drawn_plans_keep_every_promise) {
  constexpr std::uint64_t seed = 20;
  BOOST_TEST_CONTEXT("seed " << seed) {
    Random random(seed, Stream::test);
    for (int round = 0; round < 100; ++round) {
      const std::uint64_t samples = 1 + random.below(5000);
      const std::uint64_t size = 1 + random.below(100);
      const std::uint64_t shards = 1 + random.below((samples + size - 1) / size);
      BOOST_TEST_CONTEXT(samples << " samples, batches of " << size << ", " << shards) {
        check(ShardPlan(samples, size, shards));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_plan_of_nothing_or_of_more_shards_than_batches_breaks_the_contract) {
  BOOST_CHECK_THROW(ShardPlan(0, 1, 1), ContractViolation);
  BOOST_CHECK_THROW(ShardPlan(1, 0, 1), ContractViolation);
  BOOST_CHECK_THROW(ShardPlan(1, 1, 0), ContractViolation);
  BOOST_CHECK_THROW(ShardPlan(10, 4, 4), ContractViolation);
  BOOST_CHECK_NO_THROW(ShardPlan(10, 4, 3));
}

BOOST_AUTO_TEST_CASE(the_greatest_numbers_do_not_overflow) {
  constexpr std::uint64_t most = ~std::uint64_t{0};
  check(ShardPlan(10, most, 1));
  BOOST_TEST(ShardPlan(most, most, 1).batches() == 1u);
  BOOST_TEST(ShardPlan(most, 1, 1).batches() == most);
  BOOST_CHECK_THROW(ShardPlan(most, 1, std::uint64_t{1} << 32), ContractViolation);
}

BOOST_AUTO_TEST_SUITE_END()
