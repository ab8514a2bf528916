// What real sessions did is computed again from their records: on several numbers of ranks, with
// and without a coordinator that trains, with a straggler; and what was changed is found.

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <daig/data/read_shard.hpp>
#include <daig/train/network_workload.hpp>
#include <daig/train/replay.hpp>
#include <daig/train/session.hpp>

#include "launcher/sample_data.hpp"
#include "support/ranks.hpp"

BOOST_AUTO_TEST_SUITE(replay_test)

using namespace daig;
using metrics::StepRecord;
namespace data_set = boost::unit_test::data;

namespace {

constexpr const char* spec = "mlp:8-16-3";

/// 307 samples: the last batch of an epoch is smaller.
data::Dataset sample_dataset() {
  const test::Samples samples = test::draw_samples(307, 1);
  return {test::open_bytes(test::features_npy(samples.features), "x.npy"),
          test::open_bytes(test::classes_npy(samples.classes), "y.npy")};
}

train::Options sample_options() {
  train::Options options;
  options.k = 6;
  options.batch_size = 10;
  options.epochs = 3;
  options.shards = 7;
  options.optimizer.name = "adam";
  options.schedule = "cosine";
  return options;
}

struct Way {
  std::string name;
  int ranks;
  train::Options options;
};
std::ostream& operator<<(std::ostream& out, const Way& way) {
  return out << way.name;
}

std::vector<Way> ways() {
  std::vector<Way> ways;
  for (const int ranks : {1, 2, 3, 4}) {
    ways.push_back({fmt::format("{} ranks", ranks), ranks, sample_options()});
    train::Options trains = sample_options();
    trains.coordinator_trains = true;
    trains.optimizer = {.name = "sgd", .learning_rate = 0.05, .momentum = 0.9, .nesterov = true};
    ways.push_back({fmt::format("{} ranks, all train", ranks), ranks, trains});
  }
  train::Options straggler = sample_options();
  straggler.slowdown[Rank{2}] = 1000;
  ways.push_back({"a straggler", 4, straggler});
  train::Options small_cache = sample_options();
  small_cache.cache_bytes = 1;
  ways.push_back({"no shard fits the cache", 3, small_cache});
  train::Options steps_of_one = sample_options();
  steps_of_one.k = 1;
  ways.push_back({"most members have nothing banked", 4, steps_of_one});
  return ways;
}

/// What a session leaves.
struct Run {
  train::Options options;
  std::vector<float> first_weights;
  std::vector<StepRecord> steps;
  std::vector<float> last_weights;
  train::OptimizerState first_state = {};
  train::OptimizerState last_state = {};
};

class Keep : public metrics::Recorder {
 public:
  explicit Keep(std::vector<StepRecord>& into) : into_(into) {}
  void step_committed(const StepRecord& step) override { into_.push_back(step); }

 private:
  std::vector<StepRecord>& into_;
};

train::ReadShard reader_of(const data::Dataset& dataset) {
  return [dataset](const data::ShardPlan& plan, ShardId shard) {
    return data::read_shard(dataset, plan, shard);
  };
}

data::ShardPlan plan_of(const data::Dataset& dataset, const train::Options& options) {
  return {dataset.count(), options.batch_size, options.shards};
}

/// Trains a network in threads.
Run train_network(int size, const train::Options& options,
                  const train::OptimizerState& first_state = {}) {
  const data::Dataset dataset = sample_dataset();
  train::NetworkWorkload any(spec);
  Run run{options, std::vector<float>(any.network().layout().size()), {}, {}, first_state};
  any.network().initialise(run.first_weights, options.seed);
  Keep keep(run.steps);
  const test::Problems problems =
      test::run_ranks(size, [&](comm::Communicator& ranks, test::Problems&) {
        train::NetworkWorkload workload(spec);
        train::Session session(ranks, options, run.first_weights.size());
        if (session.coordinates()) {
          session.set_up({.weights = run.first_weights,
                          .samples = dataset.count(),
                          .read_shard = reader_of(dataset),
                          .optimizer_state = first_state,
                          .recorder = &keep});
        }
        train::Result result = session.run(workload);
        if (!session.coordinates()) return;
        run.last_weights = std::move(result.weights);
        run.last_state = std::move(result.optimizer_state);
      });
  BOOST_TEST(problems.none(), problems.text());
  return run;
}

struct Replayed {
  std::vector<std::uint64_t> differing;  ///< steps
  std::uint64_t digest = 0;              ///< of the final weights

  /// The first step that differs. @throws std::out_of_range when none does.
  std::uint64_t first() const { return differing.at(0); }
};

Replayed replay(const Run& run) {
  const data::Dataset dataset = sample_dataset();
  train::NetworkWorkload workload(spec);
  train::Replay replay(workload, run.options, plan_of(dataset, run.options), run.first_weights,
                       reader_of(dataset), run.first_state);
  Replayed replayed;
  for (const StepRecord& step : run.steps) {
    if (replay.step(step) != step.sum_digest) replayed.differing.push_back(step.step.value());
  }
  replayed.digest = replay.replica().digest();
  return replayed;
}

std::uint64_t digest_of(const std::vector<float>& weights) {
  return digest(std::span<const float>(weights));
}

}  // namespace

BOOST_DATA_TEST_CASE(a_session_is_reproduced_bit_for_bit, data_set::make(ways()), way) {
  const Run run = train_network(way.ranks, way.options);
  BOOST_REQUIRE(run.steps.size() == (3 * 31 + way.options.k - 1) / way.options.k);
  const Replayed replayed = replay(run);
  BOOST_TEST(replayed.differing.empty());
  BOOST_TEST(replayed.digest == digest_of(run.last_weights));
  BOOST_TEST(replayed.digest != digest_of(run.first_weights));
}

BOOST_AUTO_TEST_CASE(a_session_may_go_on_from_the_state_of_an_optimizer) {
  const train::OptimizerState state = train_network(2, sample_options()).last_state;
  Run run = train_network(3, sample_options(), state);
  BOOST_TEST(replay(run).digest == digest_of(run.last_weights));
  run.first_state = {};
  BOOST_TEST(replay(run).digest != digest_of(run.last_weights));
  run.first_state = state;
  run.first_state.arrays.erase("adam_m");
  BOOST_CHECK_THROW(replay(run), InputError);
}

BOOST_AUTO_TEST_CASE(batches_of_one_volunteer_in_another_order_are_found) {
  Run run = train_network(1, sample_options());
  // The first two would not do: a + b and b + a are the same bits.
  std::swap(run.steps[4].batches.front(), run.steps[4].batches.back());
  const Replayed replayed = replay(run);
  BOOST_TEST(replayed.first() == 4U);
  BOOST_TEST(replayed.digest != digest_of(run.last_weights));
}

BOOST_AUTO_TEST_CASE(batches_that_two_volunteers_are_said_to_have_swapped_are_found) {
  train::Options options = sample_options();
  options.balance = 1;  // each of the three has two batches in every step
  Run run = train_network(4, options);
  auto& batches = run.steps[4].batches;
  const auto other = std::ranges::find_if(batches, [&](const metrics::BatchRecord& batch) {
    return batch.volunteer != batches[0].volunteer;
  });
  BOOST_REQUIRE((other != batches.end()));
  std::swap(batches[0].volunteer, other->volunteer);
  const Replayed replayed = replay(run);
  BOOST_TEST(replayed.first() == 4U);
}

BOOST_AUTO_TEST_CASE(another_rate_is_found_in_the_step_after_it) {
  Run run = train_network(3, sample_options());
  run.steps[5].learning_rate *= 1.001;
  BOOST_TEST(replay(run).first() == 6U);
}

BOOST_AUTO_TEST_CASE(another_rate_in_the_last_step_changes_the_weights_alone) {
  train::Options options = sample_options();
  options.schedule = "constant";
  Run run = train_network(2, options);
  run.steps.back().learning_rate *= 2;
  const Replayed replayed = replay(run);
  BOOST_TEST(replayed.differing.empty());
  BOOST_TEST(replayed.digest != digest_of(run.last_weights));
}

BOOST_AUTO_TEST_CASE(another_number_of_samples_is_found_in_the_step_after_it) {
  Run run = train_network(3, sample_options());
  run.steps[2].batches[0].samples += 1;
  BOOST_TEST(replay(run).first() == 3U);
}

BOOST_AUTO_TEST_CASE(another_batch_is_found) {
  Run run = train_network(3, sample_options());
  const std::uint64_t batch = run.steps[7].batches[2].batch.value();
  run.steps[7].batches[2].batch = BatchId{(batch + 1) % 31};
  BOOST_TEST(replay(run).first() == 7U);
}

BOOST_AUTO_TEST_CASE(work_of_a_rank_outside_the_ring_is_in_no_sum) {
  Run run = train_network(3, sample_options());
  run.steps[4].batches[1].volunteer = Rank{0};  // only listens
  BOOST_TEST(replay(run).first() == 4U);
}

BOOST_AUTO_TEST_CASE(only_the_data_of_the_run_reproduces_it) {
  Run run = train_network(2, sample_options());
  run.options.seed += 1;  // other samples in every batch
  BOOST_TEST(replay(run).first() == 0U);
}

// By hand: two weights, three volunteers, one step; the sums of these numbers depend on their
// order, and each step has a view of its own.

namespace {

/// The gradient of batch b is value[b] at every weight.
struct Listed {
  std::vector<float> values;

  std::optional<train::Contribution> gradient(const control::Work& work,
                                              std::span<const float> /*weights*/,
                                              std::span<float> gradient,
                                              const std::stop_token& /*stop*/) const {
    std::ranges::fill(gradient, values.at(work.batch.value()));
    return train::Contribution{0, 1};
  }
};

StepRecord step_of(std::uint64_t number, const std::vector<int>& members,
                   const std::vector<std::pair<std::uint64_t, int>>& batches) {
  StepRecord step;
  step.step = StepId{number};
  step.learning_rate = 1;
  for (const int member : members) step.members.emplace_back(member);
  for (const auto& [batch, volunteer] : batches) {
    step.batches.push_back({Epoch{0}, BatchId{batch}, Rank{volunteer}, 1, 0, 0});
  }
  return step;
}

std::uint64_t digest_of_two(float first, float second) {
  return digest_of({first, second});
}

constexpr float huge = 1 << 24;  // huge + 1 == huge

}  // namespace

BOOST_AUTO_TEST_CASE(the_order_of_additions_is_the_one_that_is_documented) {
  Listed workload{{huge, 1, 1, -huge}};
  const data::ShardPlan plan(4, 1, 1);
  const std::vector<float> zeros(2);
  const auto sum_of = [&](const StepRecord& step, bool coordinator_trains = false) {
    train::Options options;
    options.coordinator_trains = coordinator_trains;
    train::Replay replay(workload, options, plan, zeros);
    return replay.step(step);
  };
  // One volunteer, in the order of acceptance: ((huge + 1) + 1) - huge, and ((1 + 1) + huge) -
  // huge.
  BOOST_TEST(sum_of(step_of(0, {0, 1}, {{0, 1}, {1, 1}, {2, 1}, {3, 1}})) == digest_of_two(0, 0));
  BOOST_TEST(sum_of(step_of(0, {0, 1}, {{1, 1}, {2, 1}, {0, 1}, {3, 1}})) == digest_of_two(2, 2));
  // Two in the ring, 1 and 2; chunk c begins at member c. a = huge + 1 = huge, b = 1 - huge.
  BOOST_TEST(sum_of(step_of(0, {0, 1, 2}, {{0, 1}, {1, 1}, {2, 2}, {3, 2}})) ==
             digest_of_two(1, 1));
  // Three in the ring with one batch each: huge + 1 - huge at the first weight, whose chunk begins
  // at the first member; 1 - huge + huge at the second weight.
  BOOST_TEST(sum_of(step_of(0, {0, 1, 2, 3}, {{3, 3}, {1, 2}, {0, 1}})) == digest_of_two(0, 1));
  // The ring in another order: 1 + huge - huge, and huge - huge + 1.
  BOOST_TEST(sum_of(step_of(0, {0, 2, 1, 3}, {{3, 3}, {1, 2}, {0, 1}})) == digest_of_two(0, 1));
  BOOST_TEST(sum_of(step_of(0, {0, 3, 1, 2}, {{3, 3}, {1, 2}, {0, 1}})) == digest_of_two(1, 0));
  // A coordinator that trains, with nothing banked, is a member like others: three chunks for two
  // weights. -huge + 0 + huge + 1; then 0 + huge + 1 - huge.
  BOOST_TEST(sum_of(step_of(0, {3, 0, 1, 2}, {{3, 3}, {1, 2}, {0, 1}}), true) ==
             digest_of_two(1, 0));
}

BOOST_AUTO_TEST_CASE(every_step_has_the_members_of_its_own_record) {
  Listed workload{{huge, 1, 1, -huge}};
  const data::ShardPlan plan(4, 1, 1);
  const std::vector<float> zeros(2);
  train::Options options;
  train::Replay replay(workload, options, plan, zeros);
  BOOST_TEST(replay.step(step_of(0, {0, 1, 2, 3}, {{3, 3}, {1, 2}, {0, 1}})) ==
             digest_of_two(0, 1));
  BOOST_TEST(replay.step(step_of(1, {0, 3}, {{2, 3}})) == digest_of_two(1, 1));
  BOOST_TEST(replay.step(step_of(2, {0, 3, 1, 2}, {{3, 3}, {1, 2}, {0, 1}})) ==
             digest_of_two(1, 0));
  // (0, 1)/3, (1, 1)/1 and (1, 0)/3 were subtracted.
  const float third = 1.0F / 3;
  const std::vector<float> weights{(0.0F - 1) - third, (0.0F - third) - 1};
  BOOST_TEST(replay.replica().digest() == digest_of(weights));
  BOOST_TEST(replay.replica().version().value() == 3U);
  BOOST_CHECK_THROW(replay.step(step_of(2, {0, 1}, {{0, 1}})), ContractViolation);
}

BOOST_AUTO_TEST_CASE(a_workload_that_finds_its_own_data_is_replayed) {
  struct Rounding {
    std::optional<train::Contribution> gradient(const control::Work& work,
                                                std::span<const float> weights,
                                                std::span<float> gradient,
                                                const std::stop_token& /*stop*/) const {
      for (std::size_t i = 0; i < gradient.size(); ++i) {
        gradient[i] =
            0.1F * static_cast<float>(work.batch.value() + 1) / static_cast<float>(i + 3) +
            0.3F * weights[i];
      }
      return train::Contribution{1, 1};
    }
  };
  train::Options options = sample_options();
  options.batch_size = 1;
  options.shards = 1;
  std::vector<StepRecord> steps;
  Keep keep(steps);
  std::vector<float> last;
  const std::vector<float> zeros(101);
  const test::Problems problems =
      test::run_ranks(4, [&](comm::Communicator& ranks, test::Problems&) {
        Rounding workload;
        train::Session session(ranks, options, zeros.size());
        if (session.coordinates()) {
          session.set_up({.weights = zeros, .samples = 50, .recorder = &keep});
        }
        const train::Result result = session.run(workload);
        if (session.coordinates()) last = result.weights;
      });
  BOOST_REQUIRE_MESSAGE(problems.none(), problems.text());
  Rounding workload;
  train::Replay replay(workload, options, data::ShardPlan(50, 1, 1), zeros);
  for (const StepRecord& step : steps) BOOST_TEST(replay.step(step) == step.sum_digest);
  BOOST_TEST(replay.replica().digest() == digest_of(last));
}

BOOST_AUTO_TEST_SUITE_END()
