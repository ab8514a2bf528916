#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <daig/control/batch_queue.hpp>
#include <daig/core/random.hpp>

BOOST_AUTO_TEST_SUITE(batch_queue_test)

using namespace daig;
using namespace daig::control;
using data::ShardPlan;

namespace {

constexpr Rank ann{1};
constexpr Rank bob{2};
constexpr Rank eve{3};

/// One sample a batch; batch b is slot b / shards of shard b mod shards.
BatchQueue queue_of(std::uint64_t batches, std::uint64_t shards, std::uint32_t epochs = 1,
                    std::vector<Work> done = {}) {
  return BatchQueue(ShardPlan(batches, 1, shards), Epoch{epochs}, done);
}

Work work(std::uint32_t epoch, std::uint64_t batch) {
  return {Epoch{epoch}, BatchId{batch}};
}

/// The batch ids of the next `count` batches that a volunteer gets, all of one epoch.
std::vector<std::uint64_t> take(BatchQueue& queue, Rank volunteer, int count, Epoch epoch = {}) {
  std::vector<std::uint64_t> batches;
  for (int i = 0; i < count; ++i) {
    const auto taken = queue.take(volunteer);
    BOOST_REQUIRE(taken);
    BOOST_REQUIRE((taken->epoch == epoch));
    batches.push_back(taken->batch.value());
  }
  return batches;
}

using Batches = std::vector<std::uint64_t>;

}  // namespace

BOOST_AUTO_TEST_CASE(everything_is_handed_out_exactly_once_epoch_by_epoch) {
  for (const std::uint64_t shards : {1, 2, 3, 7, 10}) {
    BatchQueue queue = queue_of(10, shards, 3);
    std::set<Work> seen;
    std::uint32_t last_epoch = 0;
    for (std::uint64_t n = 0; n < 30; ++n) {
      BOOST_TEST(queue.left() == 30 - n);
      const auto taken = queue.take(Rank{static_cast<std::int32_t>(n % 4)});
      BOOST_REQUIRE(taken);
      BOOST_TEST(seen.insert(*taken).second);
      BOOST_TEST(taken->epoch.value() >= last_epoch);
      last_epoch = taken->epoch.value();
    }
    BOOST_TEST(queue.empty());
    BOOST_TEST(!queue.take(ann));
    BOOST_TEST((*seen.rbegin() == work(2, 9)));
  }
}

BOOST_AUTO_TEST_CASE(a_volunteer_stays_in_its_shard_and_others_begin_another) {
  BatchQueue queue = queue_of(9, 3);
  BOOST_TEST(take(queue, ann, 2) == (Batches{0, 3}));
  BOOST_TEST(take(queue, bob, 1) == (Batches{1}));
  BOOST_TEST(take(queue, ann, 1) == (Batches{6}));
  BOOST_TEST(take(queue, ann, 1) == (Batches{2}));  // untouched, rather than bob's
  BOOST_TEST(take(queue, bob, 2) == (Batches{4, 7}));
}

BOOST_AUTO_TEST_CASE(whoever_has_no_shard_left_helps_where_most_is_left) {
  BatchQueue queue = queue_of(13, 3);  // shard 0 has 5 batches, the others 4
  BOOST_TEST(take(queue, ann, 4) == (Batches{0, 3, 6, 9}));
  BOOST_TEST(take(queue, bob, 1) == (Batches{1}));
  BOOST_TEST(take(queue, eve, 2) == (Batches{2, 5}));
  BOOST_TEST(take(queue, ann, 1) == (Batches{12}));
  BOOST_TEST(take(queue, ann, 1) == (Batches{4}));  // bob's: 3 left, eve's: 2
}

BOOST_AUTO_TEST_CASE(what_comes_back_goes_first) {
  BatchQueue queue = queue_of(6, 2);
  BOOST_TEST(take(queue, ann, 3) == (Batches{0, 2, 4}));
  // Back to front, as a closed step gives back.
  queue.give_back(work(0, 4));
  queue.give_back(work(0, 2));
  BOOST_TEST(queue.left() == 5u);
  BOOST_TEST(take(queue, ann, 2) == (Batches{2, 4}));
}

BOOST_AUTO_TEST_CASE(what_comes_back_to_an_earlier_epoch_is_served_before_a_later_one) {
  BatchQueue queue = queue_of(2, 2, 2);
  BOOST_TEST(take(queue, ann, 2) == (Batches{0, 1}));
  BOOST_TEST(take(queue, ann, 1, Epoch{1}) == (Batches{1}));  // the shard it is at
  queue.give_back(work(0, 0));
  BOOST_TEST(take(queue, bob, 1) == (Batches{0}));
  BOOST_TEST(take(queue, bob, 1, Epoch{1}) == (Batches{0}));
  BOOST_TEST(queue.empty());
  queue.give_back(work(0, 1));  // and when nothing else is left
  BOOST_TEST(!queue.empty());
  BOOST_TEST(take(queue, eve, 1) == (Batches{1}));
  BOOST_TEST(queue.empty());
}

BOOST_AUTO_TEST_CASE(homes_outlast_the_epoch) {
  BatchQueue queue = queue_of(6, 3, 2);
  BOOST_TEST(take(queue, ann, 2) == (Batches{0, 3}));
  BOOST_TEST(take(queue, bob, 2) == (Batches{1, 4}));
  BOOST_TEST(take(queue, ann, 2) == (Batches{2, 5}));
  // Epoch 1: ann goes on in the shard it is at, and takes its other one before bob can.
  BOOST_TEST(take(queue, ann, 2, Epoch{1}) == (Batches{2, 5}));
  BOOST_TEST(take(queue, ann, 1, Epoch{1}) == (Batches{0}));
  BOOST_TEST(take(queue, bob, 2, Epoch{1}) == (Batches{1, 4}));
  BOOST_TEST(take(queue, bob, 1, Epoch{1}) == (Batches{3}));
}

BOOST_AUTO_TEST_CASE(helping_out_does_not_move_a_home_and_a_shard_left_alone_gets_a_new_one) {
  BatchQueue queue = queue_of(8, 2, 3);
  BOOST_TEST(take(queue, ann, 1) == (Batches{0}));
  BOOST_TEST(take(queue, bob, 1) == (Batches{1}));
  BOOST_TEST(take(queue, eve, 1) == (Batches{2}));  // new here: helps ann
  BOOST_TEST(take(queue, ann, 2) == (Batches{4, 6}));
  BOOST_TEST(take(queue, bob, 3) == (Batches{3, 5, 7}));
  // Shard 0 is still ann's home: after a turn in shard 1 she is back there.
  BOOST_TEST(take(queue, bob, 4, Epoch{1}) == (Batches{1, 3, 5, 7}));
  BOOST_TEST(take(queue, ann, 4, Epoch{1}) == (Batches{0, 2, 4, 6}));
  // A newcomer takes over a shard whose volunteer has gone on to another.
  BOOST_TEST(take(queue, bob, 4, Epoch{2}) == (Batches{1, 3, 5, 7}));
  BOOST_TEST(take(queue, ann, 4, Epoch{2}) == (Batches{0, 2, 4, 6}));
}

BOOST_AUTO_TEST_CASE(the_shards_of_one_who_is_gone_are_nobodys_home) {
  BatchQueue queue = queue_of(9, 3, 2);
  BOOST_TEST(take(queue, ann, 2) == (Batches{0, 3}));
  BOOST_REQUIRE((queue.claim_next(ann, 1) == ShardId{1}));
  queue.forget(ann);
  queue.forget(eve);  // was never here
  BOOST_TEST(queue.left() == 16u);
  // Both the shard she was at and the one that was promised to her are free, from the first on.
  BOOST_TEST(take(queue, bob, 2) == (Batches{6, 1}));
  BOOST_TEST(take(queue, eve, 1) == (Batches{2}));
  // Back again she has no shard of her own; what was given back after her is where it was.
  queue.give_back(work(0, 3));
  queue.give_back(work(0, 0));
  BOOST_TEST(!queue.claim_next(ann, 99));
  BOOST_TEST(take(queue, ann, 2) == (Batches{0, 3}));
}

BOOST_AUTO_TEST_CASE(the_next_shard_is_told_once_kept_for_its_volunteer_and_then_taken) {
  BatchQueue queue = queue_of(9, 3);
  BOOST_TEST(!queue.claim_next(ann, 99));  // nowhere yet
  BOOST_TEST(take(queue, ann, 1) == (Batches{0}));
  BOOST_TEST(!queue.claim_next(ann, 1));  // two left
  BOOST_REQUIRE((queue.claim_next(ann, 2) == ShardId{1}));
  BOOST_TEST(!queue.claim_next(ann, 2));
  BOOST_TEST(take(queue, bob, 1) == (Batches{2}));  // shard 1 is promised
  BOOST_TEST(!queue.claim_next(bob, 2));            // and there is no other
  BOOST_TEST(take(queue, ann, 3) == (Batches{3, 6, 1}));
  BOOST_TEST(!queue.claim_next(ann, 99));
}

BOOST_AUTO_TEST_CASE(a_claim_that_others_used_up_does_not_stop_the_next_one) {
  BatchQueue queue = queue_of(8, 4);
  BOOST_TEST(take(queue, ann, 1) == (Batches{0}));
  BOOST_REQUIRE((queue.claim_next(ann, 1) == ShardId{1}));
  BOOST_TEST(take(queue, bob, 4) == (Batches{2, 6, 3, 7}));
  BOOST_TEST(take(queue, bob, 2) == (Batches{1, 5}));  // helps out in ann's
  BOOST_TEST(take(queue, ann, 1) == (Batches{4}));
  BOOST_TEST(queue.empty());
  BOOST_TEST(!queue.claim_next(ann, 1));
}

BOOST_AUTO_TEST_CASE(committed_work_is_not_handed_out_again) {
  BatchQueue queue =
      queue_of(4, 2, 3, {work(0, 0), work(0, 1), work(0, 2), work(0, 3), work(1, 2)});
  BOOST_TEST(queue.left() == 7u);
  BOOST_TEST(take(queue, ann, 3, Epoch{1}) == (Batches{0, 1, 3}));
  BOOST_TEST(take(queue, ann, 4, Epoch{2}) == (Batches{1, 3, 0, 2}));
  BOOST_TEST(queue.empty());
}

BOOST_AUTO_TEST_CASE(nothing_is_left_of_a_run_that_was_finished_or_has_no_epochs) {
  BOOST_TEST(queue_of(4, 2, 0).empty());
  BatchQueue finished = queue_of(2, 1, 1, {work(0, 0), work(0, 1)});
  BOOST_TEST(finished.empty());
  BOOST_TEST(!finished.take(ann));
}

BOOST_AUTO_TEST_CASE(work_that_is_not_of_the_plan_is_a_contract_violation) {
  BOOST_CHECK_THROW(queue_of(4, 2, 1, {work(1, 0)}), ContractViolation);
  BOOST_CHECK_THROW(queue_of(4, 2, 1, {work(0, 4)}), ContractViolation);
  BatchQueue queue = queue_of(4, 2, 2);
  BOOST_CHECK_THROW(queue.give_back(work(0, 4)), ContractViolation);
  BOOST_CHECK_THROW(queue.give_back(work(1, 0)), ContractViolation);  // not open yet
  BOOST_CHECK_THROW(BatchQueue(ShardPlan(UINT64_MAX / 2, 1, 1), Epoch{3}), ContractViolation);
}

BOOST_AUTO_TEST_CASE(random_taking_and_giving_back_loses_nothing_and_doubles_nothing) {
  constexpr std::uint64_t seed = 2;
  for (std::uint32_t round = 0; round < 500; ++round) {
    BOOST_TEST_CONTEXT("seed " << seed << ", round " << round) {
      Random random(seed, Stream::test, round);
      const std::uint64_t batches = 1 + random.below(30);
      const std::uint64_t shards = 1 + random.below(batches);
      const auto epochs = static_cast<std::uint32_t>(1 + random.below(3));
      std::set<Work> finished;
      for (std::uint64_t i = random.below(batches * epochs + 1); i > 0; --i) {
        finished.insert(
            work(static_cast<std::uint32_t>(random.below(epochs)), random.below(batches)));
      }
      BatchQueue queue = queue_of(batches, shards, epochs, {finished.begin(), finished.end()});
      std::vector<Work> held;
      while (finished.size() < batches * epochs) {
        BOOST_REQUIRE(queue.left() + held.size() + finished.size() == batches * epochs);
        const Rank volunteer{static_cast<std::int32_t>(random.below(4))};
        if (const auto shard = queue.claim_next(volunteer, random.below(3))) {
          BOOST_REQUIRE(shard->value() < shards);
        }
        const auto taken = queue.take(volunteer);
        BOOST_REQUIRE(taken.has_value() || !held.empty());
        if (taken) {
          BOOST_REQUIRE(!finished.contains(*taken));
          BOOST_REQUIRE(std::ranges::count(held, *taken) == 0);
          held.push_back(*taken);
        }
        if (random.below(3) == 0 || !taken) {
          const auto at = static_cast<std::ptrdiff_t>(random.below(held.size()));
          if (random.below(2) == 0) {
            queue.give_back(held[static_cast<std::size_t>(at)]);
          } else {
            finished.insert(held[static_cast<std::size_t>(at)]);
          }
          held.erase(held.begin() + at);
        }
        if (random.below(8) == 0) queue.forget(volunteer);
      }
      BOOST_TEST(queue.empty());
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
