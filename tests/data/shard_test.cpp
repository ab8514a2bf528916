#include <algorithm>
#include <cstdint>
#include <cstring>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <data/array_files.hpp>

#include <daig/core/error.hpp>
#include <daig/data/shard.hpp>

BOOST_AUTO_TEST_SUITE(shard_test)

using namespace daig;
using namespace daig::data;
using namespace daig::test;

namespace {

constexpr std::uint64_t seed = 11;

/// A shard whose sample i has the features i, i, i and the class i.
Shard numbered(const ShardPlan& plan, ShardId id) {
  const std::uint64_t samples = plan.samples_in(id);
  Shard shard({id, ElementType::i32, LabelKind::classes, samples, {3}, {}});
  std::vector<std::int32_t> features(samples * 3);
  for (std::size_t i = 0; i < features.size(); ++i) features[i] = static_cast<std::int32_t>(i / 3);
  std::memcpy(shard.features_to_fill().data(), features.data(), features.size() * 4);
  for (std::size_t i = 0; i < samples; ++i) {
    shard.classes_to_fill()[i] = static_cast<std::int32_t>(i);
  }
  return shard;
}

Shard regression() {
  Shard shard({ShardId{0}, ElementType::u8, LabelKind::targets, 3, {1, 5}, {2}, {1, 255}});
  for (std::size_t i = 0; i < 15; ++i) shard.features_to_fill()[i] = static_cast<std::byte>(i);
  for (std::size_t i = 0; i < 6; ++i) shard.targets_to_fill()[i] = static_cast<float>(i) / 2;
  return shard;
}

Bytes encoded(const Shard& shard) {
  return {shard.encoded().begin(), shard.encoded().end()};
}

/// The bytes with one scalar replaced.
template <class T>
Bytes with(Bytes bytes, std::size_t at, T value) {
  std::memcpy(bytes.data() + at, &value, sizeof value);
  return bytes;
}

std::string refusal(const Bytes& bytes) {
  const std::string text = error_of<InputError>([&] { Shard::decode(bytes); });
  BOOST_TEST(text != "nothing was thrown");
  return text;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(bytes)

BOOST_AUTO_TEST_CASE(a_shard_that_travelled_is_the_same) {
  const Shard sent = regression();
  const Shard received = Shard::decode(encoded(sent));
  BOOST_CHECK(received.form() == sent.form());
  BOOST_CHECK(std::ranges::equal(received.encoded(), sent.encoded()));
  BOOST_CHECK(std::ranges::equal(received.features(), sent.features()));
  BOOST_CHECK(
      std::ranges::equal(received.targets(), std::vector<float>{0, 0.5F, 1, 1.5F, 2, 2.5F}));
  BOOST_TEST(received.classes().empty());

  const ShardPlan plan(10, 4, 2);
  const Shard classes = Shard::decode(encoded(numbered(plan, ShardId{1})));
  BOOST_TEST(classes.id().value() == 1u);
  BOOST_CHECK(std::ranges::equal(classes.classes(), std::vector<std::int32_t>{0, 1, 2, 3}));
  BOOST_TEST(classes.targets().empty());
}

BOOST_AUTO_TEST_CASE(the_format_is_what_its_description_says) {
  const Bytes expected = to_bytes("DAIGSHRD") + raw<std::uint32_t>({2, 0}) +
                         raw<std::uint8_t>({1, 2, 2, 1}) + raw<std::uint32_t>({0}) +
                         raw<float>({1, 255}) + raw<std::uint64_t>({3, 1, 5, 2}) +
                         raw<std::uint8_t>({0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 0}) +
                         raw<float>({0, 0.5F, 1, 1.5F, 2, 2.5F});
  BOOST_CHECK(encoded(regression()) == expected);
}

BOOST_AUTO_TEST_CASE(memory_counts_the_bytes_and_an_order) {
  BOOST_TEST(regression().memory_bytes() == regression().encoded().size() + 3 * 4);
}

BOOST_AUTO_TEST_CASE(every_truncation_and_any_excess_is_an_error) {
  const Bytes whole = encoded(regression());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    BOOST_TEST_CONTEXT(size) {
      refusal({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)});
    }
  }
  BOOST_TEST(contains(refusal(whole + Bytes(1)), "its header says"));
}

BOOST_AUTO_TEST_CASE(a_damaged_header_is_an_error) {
  const Bytes whole = encoded(regression());
  BOOST_TEST(contains(refusal(with<char>(whole, 0, 'd')), "no shard"));
  BOOST_TEST(contains(refusal(with<std::uint32_t>(whole, 8, 3)), "version 3"));
  BOOST_TEST(contains(refusal(with<std::uint8_t>(whole, 16, 13)), "makes no sense"));   // type
  BOOST_TEST(contains(refusal(with<std::uint8_t>(whole, 16, 0)), "makes no sense"));    // type
  BOOST_TEST(contains(refusal(with<std::uint8_t>(whole, 17, 3)), "makes no sense"));    // kind
  BOOST_TEST(contains(refusal(with<std::uint8_t>(whole, 17, 1)), "makes no sense"));    // classes
  BOOST_TEST(contains(refusal(with<std::uint8_t>(whole, 18, 255)), "ends too early"));  // rank
  BOOST_TEST(contains(refusal(with<std::uint32_t>(whole, 20, 1)), "makes no sense"));   // zero
  BOOST_TEST(contains(refusal(with(whole, 24, 0.0F)), "makes no sense"));               // scale
  BOOST_TEST(contains(refusal(with(whole, 28, 0.0F)), "makes no sense"));
  for (const std::uint64_t absurd :
       {std::uint64_t{0}, std::uint64_t{1} << 32, std::uint64_t{1} << 62, ~std::uint64_t{0}}) {
    BOOST_TEST(contains(refusal(with(whole, 32, absurd)), "makes no sense"));  // samples
  }
  for (const std::size_t extent : {40U, 48U, 56U}) {
    BOOST_TEST(contains(refusal(with(whole, extent, std::uint64_t{0})), "makes no sense"));
    BOOST_TEST(contains(refusal(with(whole, extent, std::uint64_t{1} << 61)), "makes no sense"));
    BOOST_TEST(contains(refusal(with(whole, extent, std::uint64_t{1} << 50)), "its header says"));
  }
}

BOOST_AUTO_TEST_CASE(a_negative_class_is_an_error) {
  Bytes whole = encoded(numbered(ShardPlan(4, 4, 1), ShardId{0}));
  whole = with<std::int32_t>(whole, whole.size() - 4, -1);
  BOOST_TEST(contains(refusal(whole), "negative class -1"));
}

BOOST_AUTO_TEST_CASE(a_form_without_a_layout_breaks_the_contract) {
  const ShardForm good{ShardId{0}, ElementType::u8, LabelKind::classes, 1, {}, {}};
  BOOST_CHECK_NO_THROW(Shard{good});
  ShardForm bad = good;
  bad.samples = 0;
  BOOST_CHECK_THROW(Shard{bad}, ContractViolation);
  bad = good;
  bad.target_shape = {1};
  BOOST_CHECK_THROW(Shard{bad}, ContractViolation);
  bad = good;
  bad.sample_shape = Shape(max_rank, 1);
  BOOST_CHECK_THROW(Shard{bad}, ContractViolation);
}

BOOST_AUTO_TEST_CASE(filling_the_other_kind_of_labels_breaks_the_contract) {
  Shard shard = regression();
  BOOST_CHECK_THROW(shard.classes_to_fill(), ContractViolation);
  Shard other = numbered(ShardPlan(4, 4, 1), ShardId{0});
  BOOST_CHECK_THROW(other.targets_to_fill(), ContractViolation);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(batches)

BOOST_AUTO_TEST_CASE(over_an_epoch_every_sample_comes_exactly_once_with_its_label) {
  for (const auto& [samples, size, shards] :
       {std::array{1, 1, 1}, std::array{10, 4, 1}, std::array{10, 4, 3}, std::array{12, 4, 3},
        std::array{1000, 7, 5}, std::array{64, 64, 1}, std::array{65, 64, 2}}) {
    const ShardPlan plan(static_cast<std::uint64_t>(samples), static_cast<std::uint64_t>(size),
                         static_cast<std::uint64_t>(shards));
    for (std::uint32_t id = 0; id < plan.shards(); ++id) {
      const Shard shard = numbered(plan, ShardId{id});
      for (std::uint32_t epoch = 0; epoch < 3; ++epoch) {
        BOOST_TEST_CONTEXT(samples << " samples, batches of " << size << ", shard " << id << " of "
                                   << shards << ", epoch " << epoch << ", seed " << seed) {
          std::vector<std::int32_t> seen;
          Batch batch;
          for (std::uint64_t slot = 0; slot < plan.slots(ShardId{id}); ++slot) {
            shard.batch(plan, slot, Epoch{epoch}, seed, batch);
            BOOST_TEST(batch.samples == plan.samples_in(plan.batch_at(ShardId{id}, slot)));
            BOOST_TEST(batch.sample_size == 3u);
            BOOST_TEST(batch.features.size() == batch.samples * 3);
            BOOST_REQUIRE(batch.classes.size() == batch.samples);
            for (std::size_t i = 0; i < batch.features.size(); ++i) {
              BOOST_REQUIRE(batch.features[i] == static_cast<float>(batch.classes[i / 3]));
            }
            seen.insert(seen.end(), batch.classes.begin(), batch.classes.end());
          }
          std::sort(seen.begin(), seen.end());
          BOOST_CHECK(std::ranges::equal(seen, shard.classes()));
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(every_batch_of_every_epoch_has_noise_of_its_own) {
  const ShardPlan plan(40, 10, 2);
  std::set<std::uint64_t> seen;
  for (const std::uint32_t number : {0U, 1U}) {
    const Shard of = numbered(plan, ShardId{number});
    for (const std::uint64_t slot : {0U, 1U}) {
      for (const std::uint32_t epoch : {0U, 1U, 2U}) {
        for (const std::uint64_t of_run : {0U, 1U, 2U}) {
          seen.insert(of.batch(plan, slot, Epoch{epoch}, of_run).noise_seed);
        }
      }
    }
  }
  BOOST_TEST(seen.size() == 2 * 2 * 3 * 3);
}

BOOST_AUTO_TEST_CASE(a_batch_depends_on_seed_and_epoch_and_on_nothing_else) {
  const ShardPlan plan(100, 10, 1);
  const Shard shard = numbered(plan, ShardId{0});
  const Shard copy = Shard::decode(encoded(shard));
  const auto classes = [&](const Shard& of, std::uint32_t epoch, std::uint64_t with_seed) {
    return of.batch(plan, 3, Epoch{epoch}, with_seed).classes;
  };
  const auto first = classes(shard, 0, seed);
  BOOST_CHECK(first != classes(shard, 1, seed));
  BOOST_CHECK(first != classes(shard, 0, seed + 1));
  BOOST_CHECK(first == classes(shard, 0, seed));  // after other epochs and seeds
  BOOST_CHECK(first == classes(copy, 0, seed));   // on another volunteer
}

BOOST_AUTO_TEST_CASE(a_batch_of_regression_holds_scaled_bytes_and_targets) {
  const ShardPlan plan(3, 2, 1);
  const Shard shard = regression();
  std::set<float> seen;
  for (const std::uint64_t slot : {0U, 1U}) {
    const Batch batch = shard.batch(plan, slot, Epoch{0}, seed);
    BOOST_TEST(batch.classes.empty());
    BOOST_TEST(batch.target_size == 2u);
    for (std::size_t i = 0; i < batch.samples; ++i) {
      const float sample = batch.targets[2 * i];  // sample s has the targets s and s + 0.5
      BOOST_TEST(batch.targets[2 * i + 1] == sample + 0.5F);
      for (std::size_t k = 0; k < 5; ++k) {
        BOOST_TEST(batch.features[5 * i + k] == (5 * sample + static_cast<float>(k)) / 255.0F);
      }
      BOOST_TEST(seen.insert(sample).second);
    }
  }
  BOOST_TEST(seen.size() == 3u);
}

BOOST_AUTO_TEST_CASE(a_batch_is_refilled_in_its_own_memory) {
  const ShardPlan plan(10, 4, 1);
  const Shard shard = numbered(plan, ShardId{0});
  Batch batch = shard.batch(plan, 0, Epoch{0}, seed);
  const float* memory = batch.features.data();
  for (const std::uint64_t slot : {1U, 2U, 0U}) {  // slot 2 holds two samples
    shard.batch(plan, slot, Epoch{0}, seed, batch);
    BOOST_TEST(batch.features.data() == memory);
    BOOST_CHECK(batch.classes == shard.batch(plan, slot, Epoch{0}, seed).classes);
  }
}

BOOST_AUTO_TEST_CASE(a_shard_of_another_plan_is_an_error) {
  const Shard shard = numbered(ShardPlan(10, 4, 1), ShardId{0});
  const std::string text =
      error_of<InputError>([&] { shard.batch(ShardPlan(12, 4, 1), 0, Epoch{0}, seed); });
  BOOST_TEST(text.starts_with("shard 0 holds 10 samples"), text);
  const Shard second = numbered(ShardPlan(8, 4, 2), ShardId{1});
  BOOST_CHECK_THROW(second.batch(ShardPlan(4, 4, 1), 0, Epoch{0}, seed), InputError);
  BOOST_CHECK_THROW(shard.batch(ShardPlan(10, 4, 1), 3, Epoch{0}, seed), ContractViolation);
}

BOOST_AUTO_TEST_CASE(threads_may_make_batches_of_one_shard_at_once) {
  const ShardPlan plan(500, 10, 1);
  const Shard shard = numbered(plan, ShardId{0});
  std::vector<std::vector<std::int32_t>> made(4);
  {
    std::vector<std::jthread> threads;
    for (std::uint32_t number = 0; number < made.size(); ++number) {
      threads.emplace_back([&, number] {
        for (std::uint32_t epoch = 0; epoch < 20; ++epoch) {
          const Batch batch = shard.batch(plan, epoch, Epoch{epoch % 3 + number % 2}, seed);
          made[number].insert(made[number].end(), batch.classes.begin(), batch.classes.end());
        }
      });
    }
  }
  BOOST_CHECK(made[0] == made[2]);
  BOOST_CHECK(made[1] == made[3]);
  BOOST_CHECK(made[0] != made[1]);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE_END()
