#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <data/array_files.hpp>

#include <daig/core/error.hpp>
#include <daig/data/dataset.hpp>
#include <daig/data/read_shard.hpp>

BOOST_AUTO_TEST_SUITE(hold_back_test)

using namespace daig;
using namespace daig::data;
using namespace daig::test;

namespace {

Dataset numbered(std::uint64_t samples, std::optional<Scale> scale = std::nullopt) {
  std::vector<std::uint8_t> numbers(samples);
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<std::uint8_t>(i);
  const Bytes file = npy("|u1", fmt::format("({},)", samples), raw(numbers));
  return {open_bytes(file, "x.npy"), open_bytes(file, "y.npy"), scale};
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_last_part_is_held_back_as_keras_does) {
  struct Case {
    std::uint64_t samples;
    double part;
    std::uint64_t rest;  ///< floor(samples * (1 - part)), in Python's doubles
  };
  for (const Case& each : {Case{10, 0.2, 8}, Case{10, 0.25, 7}, Case{10, 0.1, 9}, Case{3, 0.5, 1},
                           Case{200, 0.3, 140}, Case{99, 1.0 / 3, 66}, Case{2, 0.001, 1}}) {
    const auto [train, validation] = hold_back(numbered(each.samples), each.part);
    BOOST_TEST(train.count() == each.rest);
    BOOST_TEST(validation.count() == each.samples - each.rest);
    BOOST_TEST(read_batch(train, 0, 1).classes.front() == 0);
    BOOST_TEST(read_batch(validation, 0, 1).classes.front() ==
               static_cast<std::int32_t>(each.rest));
  }
}

BOOST_AUTO_TEST_CASE(a_part_that_leaves_a_side_empty_is_refused) {
  for (const double part : {0.0, 1.0, -0.1, 1.5, std::numeric_limits<double>::quiet_NaN()}) {
    const std::string text = error_of<UsageError>([&] { hold_back(numbered(10), part); });
    BOOST_TEST(contains(text, "between 0 and 1"), text);
  }
  BOOST_TEST(contains(error_of<UsageError>([] { hold_back(numbered(10), 0.95); }), "to train on"));
  BOOST_TEST(contains(error_of<UsageError>([] { hold_back(numbered(10), 1e-20); }), "to validate"));
}

BOOST_AUTO_TEST_CASE(the_scale_goes_with_every_slice_batch_and_shard) {
  const Dataset plain = numbered(6);
  BOOST_CHECK((plain.scale() == Scale{1, 255}));
  BOOST_TEST(read_batch(plain, 5, 1).features.front() == 5 / 255.0F);
  const Dataset scaled = numbered(6, Scale{1, 10});
  BOOST_TEST(read_batch(scaled.slice(3, 3), 2, 1).features.front() == 0.5F);
  const ShardPlan plan(6, 3, 2);
  const Shard shard = read_shard(scaled, plan, ShardId{1});
  const Shard travelled = Shard::decode({shard.encoded().begin(), shard.encoded().end()});
  BOOST_CHECK((travelled.form().feature_scale == Scale{1, 10}));
  const Batch batch = travelled.batch(plan, 0, Epoch{0}, 1);
  for (std::size_t i = 0; i < batch.samples; ++i) {
    BOOST_TEST(batch.features[i] == static_cast<float>(batch.classes[i]) / 10);
  }
}

BOOST_AUTO_TEST_CASE(the_order_has_a_seed_of_its_own) {
  const ShardPlan plan(200, 100, 1);
  const Shard shard = read_shard(numbered(200), plan, ShardId{0});
  const Batch both = shard.batch(plan, 0, Epoch{3}, 7);
  const Batch same_order = shard.batch(plan, 0, Epoch{3}, {7, 8});
  const Batch same_noise = shard.batch(plan, 0, Epoch{3}, {8, 7});
  BOOST_CHECK(same_order.classes == both.classes);
  BOOST_TEST(same_order.noise_seed != both.noise_seed);
  BOOST_CHECK(same_noise.classes != both.classes);
  BOOST_TEST(same_noise.noise_seed == both.noise_seed);
}

BOOST_AUTO_TEST_SUITE_END()
