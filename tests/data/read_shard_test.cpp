#include <cstdint>
#include <limits>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <data/array_files.hpp>

#include <daig/core/error.hpp>
#include <daig/data/read_shard.hpp>

BOOST_AUTO_TEST_SUITE(read_shard_test)

using namespace daig;
using namespace daig::data;
using namespace daig::test;

namespace {

/// Sample i has the features 2 i and 2 i + 1 and the class i.
Dataset numbered(std::size_t samples) {
  std::vector<double> features(2 * samples);
  std::iota(features.begin(), features.end(), 0.0);
  std::vector<std::int64_t> labels(samples);
  std::iota(labels.begin(), labels.end(), 0);
  return {open_bytes(npy("<f8", fmt::format("({}, 2, 1)", samples), raw(features)), "x.npy"),
          open_bytes(npy("<i8", fmt::format("({},)", samples), raw(labels)), "y.npy")};
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_shards_of_a_plan_deal_out_the_whole_dataset) {
  const Dataset dataset = numbered(103);
  for (const std::uint64_t shards : {1U, 2U, 7U, 11U}) {
    const ShardPlan plan(103, 10, shards);
    std::map<std::int32_t, int> seen;
    for (std::uint32_t id = 0; id < shards; ++id) {
      const Shard shard = read_shard(dataset, plan, ShardId{id});
      BOOST_TEST(shard.id().value() == id);
      BOOST_TEST(shard.samples() == plan.samples_in(ShardId{id}));
      BOOST_CHECK(shard.form().feature_type == ElementType::f64);
      BOOST_TEST(to_text(shard.form().sample_shape) == "(2, 1)");
      const auto* features = reinterpret_cast<const double*>(shard.features().data());
      for (std::size_t i = 0; i < shard.samples(); ++i) {
        const std::int32_t sample = shard.classes()[i];
        ++seen[sample];
        BOOST_REQUIRE(features[2 * i] == 2 * sample);
        BOOST_REQUIRE(features[2 * i + 1] == 2 * sample + 1);
        // Blocks of ten go to the shards in turn.
        BOOST_REQUIRE(static_cast<std::uint64_t>(sample / 10) % shards == id);
      }
    }
    BOOST_TEST(seen.size() == 103u);
    for (const auto& [sample, times] : seen) BOOST_REQUIRE(times == 1);
  }
}

BOOST_AUTO_TEST_CASE(targets_come_along) {
  const Dataset dataset(open_bytes(npy("|u1", "(3, 4)", Bytes(12))),
                        open_bytes(npy("<f4", "(3, 2)", raw<float>({1, 2, 3, 4, 5, 6}))));
  const Shard shard = read_shard(dataset, ShardPlan(3, 1, 2), ShardId{0});
  BOOST_CHECK(shard.form().target_shape == Shape{2});
  BOOST_CHECK(std::ranges::equal(shard.targets(), std::vector<float>{1, 2, 5, 6}));
}

BOOST_AUTO_TEST_CASE(numbers_and_labels_are_checked_where_they_are_read) {
  std::vector<float> features(20, 1);
  features[13] = std::numeric_limits<float>::quiet_NaN();
  const Dataset bad_feature(open_bytes(npy("<f4", "(10, 2)", raw(features)), "x.npy"),
                            open_bytes(npy("|u1", "(10,)", Bytes(10))));
  const ShardPlan plan(10, 2, 2);
  BOOST_CHECK_NO_THROW(read_shard(bad_feature, plan, ShardId{0}));
  BOOST_TEST(error_of<InputError>([&] {
               read_shard(bad_feature, plan, ShardId{1});
             }).starts_with("x.npy: element 1 of sample 6 is nan"));

  std::vector<std::int32_t> labels(10, 0);
  labels[4] = -1;
  const Dataset bad_label(open_bytes(npy("<f4", "(10, 2)", Bytes(80))),
                          open_bytes(npy("<i4", "(10,)", raw(labels)), "y.npy"));
  BOOST_TEST(error_of<InputError>([&] {
               read_shard(bad_label, plan, ShardId{0});
             }).starts_with("y.npy: the label of sample 4 is -1"));
}

BOOST_AUTO_TEST_CASE(another_dataset_s_plan_and_an_unknown_shard_break_the_contract) {
  const Dataset dataset = numbered(10);
  BOOST_CHECK_THROW(read_shard(dataset, ShardPlan(11, 2, 2), ShardId{0}), ContractViolation);
  BOOST_CHECK_THROW(read_shard(dataset, ShardPlan(10, 2, 2), ShardId{2}), ContractViolation);
}

BOOST_AUTO_TEST_SUITE_END()
