// Local fits of batches: what is contributed, that a run of them averages weights, and that it is
// reproduced from its records.

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <daig/data/read_shard.hpp>
#include <daig/train/local_fit.hpp>
#include <daig/train/network_workload.hpp>
#include <daig/train/replay.hpp>
#include <daig/train/session.hpp>

#include "launcher/sample_data.hpp"
#include "support/ranks.hpp"

BOOST_AUTO_TEST_SUITE(local_fit_test)

using namespace daig;

namespace {

/// Pulls its one weight to the samples' values: loss (w - x)^2 / 2. Notes what it was given.
struct Pull {
  std::vector<std::vector<float>> seen;
  std::vector<std::uint64_t> seeds;
  std::size_t stop_after = SIZE_MAX;

  std::optional<train::Contribution> gradient(const data::Batch& batch,
                                              std::span<const float> weights,
                                              std::span<float> gradient, const std::stop_token&) {
    if (seen.size() == stop_after) return std::nullopt;
    seen.push_back(batch.features);
    seeds.push_back(batch.noise_seed);
    double loss = 0;
    gradient[0] = 0;
    for (const float x : batch.features) {
      gradient[0] += weights[0] - x;
      loss += 0.5 * (weights[0] - x) * (weights[0] - x);
    }
    return train::Contribution{loss, batch.samples};
  }
};

data::Batch values(std::vector<float> features) {
  data::Batch batch;
  batch.samples = features.size();
  batch.sample_size = 1;
  batch.features = std::move(features);
  batch.classes.assign(batch.samples, 0);
  batch.noise_seed = 99;
  return batch;
}

train::LocalFitOptions local(std::uint64_t epochs, std::uint64_t batch_size, double rate) {
  return {.epochs = epochs, .batch_size = batch_size, .optimizer = {.learning_rate = rate}};
}

float fit(Pull& pull, const train::LocalFitOptions& options, const data::Batch& batch, float start,
          double* loss = nullptr) {
  train::LocalFit fit(pull, options);
  std::vector<float> gradient(1);
  const auto contribution = fit.gradient(batch, std::vector<float>{start}, gradient, {});
  BOOST_REQUIRE(contribution.has_value());
  BOOST_TEST(contribution->samples == batch.samples);
  if (loss != nullptr) *loss = contribution->loss_sum;
  return gradient[0];
}

}  // namespace

BOOST_AUTO_TEST_CASE(contributes_how_far_the_weights_have_moved_times_the_samples) {
  Pull pull;
  double loss = 0;
  // The mean is 3; each pass halves the way to it: 11, 7, 5.
  const float moved = fit(pull, local(2, 100, 0.5), values({1, 2, 3, 6}), 11, &loss);
  BOOST_TEST(moved == 4 * (11.0F - 5.0F));
  BOOST_TEST(loss == 0.5 * (36 + 25 + 16 + 1));  // as the second pass saw it: at 7
}

BOOST_AUTO_TEST_CASE(a_pass_goes_over_every_sample_once_and_the_next_in_another_order) {
  std::vector<float> all(23);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<float>(i);
  Pull pull;
  fit(pull, local(3, 5, 0.1), values(all), 0);
  BOOST_REQUIRE(pull.seen.size() == 3U * 5U);
  std::set<std::vector<float>> orders;
  for (std::size_t pass = 0; pass < 3; ++pass) {
    std::vector<float> order;
    for (std::size_t i = 0; i < 5; ++i) {
      const std::vector<float>& small = pull.seen[pass * 5 + i];
      BOOST_TEST(small.size() == (i < 4 ? 5U : 3U));
      order.insert(order.end(), small.begin(), small.end());
    }
    orders.insert(order);
    std::ranges::sort(order);
    BOOST_TEST(order == all);
  }
  BOOST_TEST(orders.size() == 3U);
  BOOST_TEST(std::set(pull.seeds.begin(), pull.seeds.end()).size() == pull.seeds.size());
}

BOOST_AUTO_TEST_CASE(targets_and_classes_go_with_their_samples) {
  struct Look {
    std::optional<train::Contribution> gradient(const data::Batch& batch, std::span<const float>,
                                                std::span<float> gradient, const std::stop_token&) {
      for (std::size_t i = 0; i < batch.samples; ++i) {
        good = good && batch.features[2 * i] == static_cast<float>(batch.classes[i]) &&
               batch.features[2 * i + 1] == batch.targets[i];
      }
      gradient[0] = 0;
      return train::Contribution{0, batch.samples};
    }
    bool good = true;
  } look;
  data::Batch batch;
  batch.samples = 10;
  batch.sample_size = 2;
  batch.target_size = 1;
  for (int i = 0; i < 10; ++i) {
    batch.classes.push_back(i);
    batch.targets.push_back(0.5F * static_cast<float>(i));
    batch.features.push_back(static_cast<float>(i));
    batch.features.push_back(batch.targets.back());
  }
  train::LocalFit fit(look, local(2, 3, 0.1));
  std::vector<float> gradient(1);
  BOOST_TEST(fit.gradient(batch, std::vector<float>{0}, gradient, {}).has_value());
  BOOST_TEST(look.good);
}

BOOST_AUTO_TEST_CASE(the_optimiser_begins_anew_with_each_batch) {
  train::LocalFitOptions options = local(3, 2, 0.1);
  options.optimizer.name = "adam";
  Pull pull;
  train::LocalFit fit(pull, options);
  std::vector<float> first(1);
  std::vector<float> second(1);
  const data::Batch batch = values({1, 5, 2});
  static_cast<void>(fit.gradient(batch, std::vector<float>{3}, first, {}));
  static_cast<void>(fit.gradient(values({-100, 7}), std::vector<float>{3}, second, {}));
  static_cast<void>(fit.gradient(batch, std::vector<float>{3}, second, {}));
  BOOST_TEST(first == second);
  BOOST_TEST(first[0] != 0.0F);
}

BOOST_AUTO_TEST_CASE(a_stop_ends_it_without_a_contribution) {
  Pull pull;
  pull.stop_after = 2;
  train::LocalFit fit(pull, local(1, 1, 0.1));
  std::vector<float> gradient(1);
  BOOST_TEST(!fit.gradient(values({1, 2, 3}), std::vector<float>{0}, gradient, {}).has_value());
}

BOOST_AUTO_TEST_CASE(refuses_what_makes_no_sense) {
  Pull pull;
  BOOST_CHECK_THROW(train::LocalFit(pull, local(0, 1, 0.1)), UsageError);
  BOOST_CHECK_THROW(train::LocalFit(pull, local(1, 0, 0.1)), UsageError);
  BOOST_CHECK_THROW(train::LocalFit(pull, local(1, 1, -0.1)), UsageError);
}

namespace {

constexpr const char* spec = "mlp:8-16-3";

data::Dataset dataset_of(std::uint64_t count) {
  const test::Samples samples = test::draw_samples(count, 1);
  return {test::open_bytes(test::features_npy(samples.features), "x.npy"),
          test::open_bytes(test::classes_npy(samples.classes), "y.npy")};
}

class Keep : public metrics::Recorder {
 public:
  void step_committed(const metrics::StepRecord& step) override { steps.push_back(step); }
  std::vector<metrics::StepRecord> steps;
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_run_of_local_fits_averages_weights_and_is_reproduced) {
  const data::Dataset dataset = dataset_of(300);
  train::Options options;
  options.k = 4;
  options.batch_size = 50;  // a task
  options.epochs = 2;
  options.shards = 6;
  options.optimizer.learning_rate = 1;
  const train::LocalFitOptions local_options = local(3, 10, 0.05);
  train::NetworkWorkload network(spec);
  std::vector<float> start(network.network().layout().size());
  network.network().initialise(start, 1);
  const train::ReadShard read = [dataset](const data::ShardPlan& plan, ShardId shard) {
    return data::read_shard(dataset, plan, shard);
  };
  Keep keep;
  std::vector<float> end;
  const test::Problems problems = test::run_ranks(4, [&](comm::Communicator& ranks,
                                                         test::Problems&) {
    train::NetworkWorkload inner(spec);
    train::LocalFit workload(inner, local_options);
    train::Session session(ranks, options, start.size());
    if (session.coordinates()) {
      session.set_up(
          {.weights = start, .samples = dataset.count(), .read_shard = read, .recorder = &keep});
    }
    train::Result result = session.run(workload);
    if (session.coordinates()) end = std::move(result.weights);
  });
  BOOST_REQUIRE_MESSAGE(problems.none(), problems.text());
  BOOST_REQUIRE(keep.steps.size() == 3U);

  // The first step by hand: the mean of the four tasks' own weights.
  const data::ShardPlan plan(300, 50, 6);
  train::LocalFit serial(network, local_options);
  std::vector<double> mean(start.size());
  for (const metrics::BatchRecord& task : keep.steps[0].batches) {
    const data::Batch batch =
        data::read_shard(dataset, plan, plan.shard_of(task.batch)).batch(plan, 0, task.epoch, 1);
    std::vector<float> moved(start.size());
    static_cast<void>(serial.gradient(batch, start, moved, {}));
    for (std::size_t i = 0; i < mean.size(); ++i) {
      mean[i] += (start[i] - moved[i] / 50.0) / static_cast<double>(keep.steps[0].batches.size());
    }
  }
  train::Replay replay(serial, options, plan, start, read);
  BOOST_TEST(replay.step(keep.steps[0]) == keep.steps[0].sum_digest);
  const std::vector<float> first = *replay.replica().weights();
  for (std::size_t i = 0; i < mean.size(); ++i) BOOST_TEST(std::abs(first[i] - mean[i]) < 1e-6);
  BOOST_TEST(replay.step(keep.steps[1]) == keep.steps[1].sum_digest);
  BOOST_TEST(replay.step(keep.steps[2]) == keep.steps[2].sum_digest);
  BOOST_TEST(*replay.replica().weights() == end);
  BOOST_TEST(end != start);
}

BOOST_AUTO_TEST_SUITE_END()
