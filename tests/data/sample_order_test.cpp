#include <algorithm>
#include <set>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <daig/data/sample_order.hpp>

BOOST_AUTO_TEST_SUITE(sample_order_test)

using namespace daig;
using namespace daig::data;

BOOST_AUTO_TEST_CASE(an_order_holds_every_sample_once) {
  for (const std::uint32_t samples : {0U, 1U, 2U, 3U, 100U, 4097U}) {
    std::vector<std::uint32_t> order = sample_order(ShardId{3}, samples, Epoch{1}, 7);
    BOOST_TEST(order.size() == samples);
    std::sort(order.begin(), order.end());
    for (std::uint32_t sample = 0; sample < samples; ++sample) {
      BOOST_REQUIRE(order[sample] == sample);
    }
  }
}

BOOST_AUTO_TEST_CASE(the_same_seed_shard_and_epoch_give_the_same_order_and_others_another) {
  std::set<std::vector<std::uint32_t>> seen;
  for (std::uint32_t shard = 0; shard < 4; ++shard) {
    for (std::uint32_t epoch = 0; epoch < 4; ++epoch) {
      for (std::uint64_t seed : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1} << 32}) {
        const auto order = sample_order(ShardId{shard}, 50, Epoch{epoch}, seed);
        BOOST_CHECK(order == sample_order(ShardId{shard}, 50, Epoch{epoch}, seed));
        BOOST_TEST(seen.insert(order).second);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(the_order_is_part_of_a_run_and_stays_as_it_is) {
  // Another order would make runs of two versions of DAIG differ. The numbers are from a separate
  // program: Philox with key (1, 0), counter (n, epoch 0, shard 0, stream 2), two words a draw.
  const auto order = sample_order(ShardId{0}, 8, Epoch{0}, 1);
  const std::vector<std::uint32_t> known{6, 5, 2, 1, 4, 7, 0, 3};
  BOOST_TEST(order == known, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
