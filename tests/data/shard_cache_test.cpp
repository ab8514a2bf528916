#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <daig/data/shard_cache.hpp>

BOOST_AUTO_TEST_SUITE(shard_cache_test)

using namespace daig;
using namespace daig::data;

namespace {

Shard shard(std::uint32_t id, std::uint64_t samples = 100) {
  return Shard({ShardId{id}, ElementType::u8, LabelKind::classes, samples, {}, {}});
}

const std::size_t one = shard(0).memory_bytes();

std::vector<std::uint32_t> ids(const ShardCache& cache) {
  std::vector<std::uint32_t> numbers;
  for (const ShardId id : cache.ids()) numbers.push_back(id.value());
  return numbers;
}

using Ids = std::vector<std::uint32_t>;

}  // namespace

BOOST_AUTO_TEST_CASE(what_was_inserted_is_found_and_counted) {
  ShardCache cache(3 * one);
  BOOST_CHECK(cache.find(ShardId{1}) == nullptr);
  const auto inserted = cache.insert(shard(1));
  BOOST_CHECK(cache.find(ShardId{1}) == inserted);
  BOOST_CHECK(cache.find(ShardId{1}) == inserted);
  BOOST_CHECK(cache.find(ShardId{2}) == nullptr);
  BOOST_TEST(cache.counts().hits == 2u);
  BOOST_TEST(cache.counts().misses == 2u);
  BOOST_TEST(cache.memory_bytes() == one);
}

BOOST_AUTO_TEST_CASE(the_least_recently_used_goes_first) {
  ShardCache cache(3 * one);
  for (const std::uint32_t id : {1U, 2U, 3U}) cache.insert(shard(id));
  BOOST_CHECK((ids(cache) == Ids{3, 2, 1}));
  cache.find(ShardId{1});
  cache.insert(shard(4));
  BOOST_CHECK((ids(cache) == Ids{4, 1, 3}));
  cache.insert(shard(5, 150));  // larger than one: two must go
  BOOST_CHECK((ids(cache) == Ids{5, 4}));
  BOOST_TEST(cache.memory_bytes() <= 3 * one);
}

BOOST_AUTO_TEST_CASE(a_shard_in_use_is_kept_and_an_unused_one_goes_in_its_place) {
  ShardCache cache(2 * one);
  auto held = cache.insert(shard(1));
  cache.insert(shard(2));
  cache.insert(shard(3));
  BOOST_CHECK((ids(cache) == Ids{3, 1}));
  BOOST_CHECK(cache.find(ShardId{1}) == held);
  held.reset();
  cache.find(ShardId{3});
  cache.insert(shard(4));
  BOOST_CHECK((ids(cache) == Ids{4, 3}));
}

BOOST_AUTO_TEST_CASE(shards_in_use_may_exceed_the_budget_until_they_are_let_go) {
  ShardCache cache(one);
  auto first = cache.insert(shard(1));
  auto second = cache.insert(shard(2));
  BOOST_TEST(cache.memory_bytes() == 2 * one);
  first.reset();
  second.reset();
  cache.insert(shard(3));
  BOOST_CHECK((ids(cache) == Ids{3}));
  BOOST_TEST(cache.memory_bytes() == one);
}

BOOST_AUTO_TEST_CASE(a_shard_larger_than_the_budget_is_kept_alone) {
  ShardCache cache(2 * one);
  cache.insert(shard(1));
  cache.insert(shard(2, 10000));
  BOOST_CHECK((ids(cache) == Ids{2}));
  BOOST_CHECK(cache.find(ShardId{2}) != nullptr);
  cache.insert(shard(3));
  BOOST_CHECK((ids(cache) == Ids{3}));
  ShardCache none(0);
  none.insert(shard(1));
  BOOST_CHECK((ids(none) == Ids{1}));
}

BOOST_AUTO_TEST_CASE(a_newer_shard_of_the_same_id_replaces_the_older) {
  ShardCache cache(10 * one);
  const auto older = cache.insert(shard(1));
  const auto newer = cache.insert(shard(1, 200));
  BOOST_CHECK(cache.find(ShardId{1}) == newer);
  BOOST_TEST(cache.ids().size() == 1u);
  BOOST_TEST(cache.memory_bytes() == newer->memory_bytes());
  BOOST_TEST(older->samples() == 100u);
}

BOOST_AUTO_TEST_CASE(one_thread_inserts_while_another_finds) {
  ShardCache cache(3 * one);
  constexpr std::uint32_t rounds = 2000;
  std::uint64_t wrong = 0;
  {
    const std::jthread inserts([&] {
      for (std::uint32_t round = 0; round < rounds; ++round) cache.insert(shard(round % 5));
    });
    const std::jthread finds([&] {
      for (std::uint32_t round = 0; round < rounds; ++round) {
        const auto found = cache.find(ShardId{round % 5});
        if (found && found->id() != ShardId{round % 5}) ++wrong;
      }
    });
  }
  BOOST_TEST(wrong == 0u);
  BOOST_TEST(cache.counts().hits + cache.counts().misses == rounds);
  cache.insert(shard(9));
  BOOST_TEST(cache.memory_bytes() <= 3 * one);
}

BOOST_AUTO_TEST_SUITE_END()
