// Runs of a network with batch normalisation, dropout, a frozen layer and a regulariser.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <daig/data/read_shard.hpp>
#include <daig/nn/keras_spec.hpp>
#include <daig/train/network_workload.hpp>
#include <daig/train/replay.hpp>
#include <daig/train/session.hpp>

#include "launcher/sample_data.hpp"
#include "support/ranks.hpp"

BOOST_AUTO_TEST_SUITE(moving_statistics_test)

using namespace daig;
using metrics::StepRecord;

namespace {

constexpr std::size_t sample_count = 150;  // the last batch of an epoch is smaller
constexpr std::size_t columns = test::sample_size;
constexpr double momentum = 0.8;

/// Dense (frozen), BatchNormalization, Dropout, Dense with a regulariser.
std::string spec() {
  static const std::string text = nn::keras_spec(
      R"({"class_name": "Sequential", "config": {"name": "small", "layers": [
        {"class_name": "InputLayer", "config": {"batch_input_shape": [null, 8], "name": "in"}},
        {"class_name": "Dense", "config": {"name": "a", "units": 5, "activation": "tanh",
         "trainable": false}},
        {"class_name": "BatchNormalization", "config": {"name": "bn", "momentum": 0.8,
         "epsilon": 0.01}},
        {"class_name": "Dropout", "config": {"name": "drop", "rate": 0.25}},
        {"class_name": "Dense", "config": {"name": "b", "units": 3, "activation": "softmax",
         "kernel_regularizer": {"class_name": "L2", "config": {"l2": 0.01}}}}]}})",
      R"({"loss": "sparse_categorical_crossentropy"})");
  return text;
}

data::Dataset dataset() {
  const test::Samples samples = test::draw_samples(sample_count, 5);
  return {test::open_bytes(test::features_npy(samples.features), "x.npy"),
          test::open_bytes(test::classes_npy(samples.classes), "y.npy")};
}

train::Options options_of(const nn::Network<float>& network) {
  train::Options options;
  options.k = 4;
  options.batch_size = 20;
  options.epochs = 3;
  options.shards = 5;
  options.optimizer = {.name = "adamw", .learning_rate = 0.05, .weight_decay = 0.01};
  options.layout = network.layout();
  return options;
}

train::ReadShard reader() {
  return [data = dataset()](const data::ShardPlan& plan, ShardId shard) {
    return data::read_shard(data, plan, shard);
  };
}

class Keep : public metrics::Recorder {
 public:
  explicit Keep(std::vector<StepRecord>& into) : into_(into) {}
  void step_committed(const StepRecord& step) override { into_.push_back(step); }

 private:
  std::vector<StepRecord>& into_;
};

struct Run {
  explicit Run(int ranks) {
    train::NetworkWorkload any(spec());
    options = options_of(any.network());
    first.resize(any.network().layout().size());
    any.network().initialise(first, 7);
    std::mutex mutex;
    Keep keep(steps);
    const test::Problems problems = test::run_ranks(ranks, [&](comm::Communicator& communicator,
                                                               test::Problems&) {
      train::NetworkWorkload workload(spec());
      train::Session session(communicator, options, first.size());
      if (session.coordinates()) {
        session.set_up(
            {.weights = first, .samples = sample_count, .read_shard = reader(), .recorder = &keep});
      }
      train::Result result = session.run(workload);
      const std::scoped_lock lock(mutex);
      last.push_back(std::move(result.weights));
    });
    BOOST_TEST(problems.none(), problems.text());
  }

  train::Options options;
  std::vector<float> first;
  std::vector<StepRecord> steps;
  std::vector<std::vector<float>> last;  // of each rank
};

std::span<const float> part(const std::vector<float>& values, const model::Layout& layout,
                            const char* name) {
  for (const model::Parameter& parameter : layout.parameters()) {
    if (parameter.name == name)
      return std::span(values).subspan(parameter.offset, parameter.size());
  }
  throw std::out_of_range(name);
}

/// The moving statistics after the steps, by the formula and in double: what is below the
/// normalisation is frozen, so the batches alone decide them.
struct Expected {
  std::vector<double> mean = std::vector<double>(5, 0.0);
  std::vector<double> variance = std::vector<double>(5, 1.0);

  explicit Expected(const Run& run) {
    const auto kernel = part(run.first, run.options.layout, "a/kernel");
    const data::ShardPlan plan(sample_count, run.options.batch_size, run.options.shards);
    const train::ReadShard read = reader();
    data::Batch batch;
    for (const StepRecord& step : run.steps) {
      std::vector<double> batch_mean(5);
      std::vector<double> batch_variance(5);
      double samples = 0;
      for (const auto& done : step.batches) samples += static_cast<double>(done.samples);
      for (const auto& done : step.batches) {
        const ShardId id = plan.shard_of(done.batch);
        read(plan, id).batch(plan, plan.slot_of(done.batch), done.epoch, run.options.seed, batch);
        const double share = static_cast<double>(batch.samples) / samples;
        for (std::size_t unit = 0; unit < 5; ++unit) {
          const std::vector<double> values = hidden(batch, kernel, unit);
          double own_mean = 0;
          double own_variance = 0;
          for (const double value : values) own_mean += value / static_cast<double>(values.size());
          for (const double value : values) {
            own_variance += std::pow(value - own_mean, 2) / static_cast<double>(values.size());
          }
          batch_mean[unit] += share * own_mean;
          batch_variance[unit] += share * own_variance;
        }
      }
      for (std::size_t unit = 0; unit < 5; ++unit) {
        mean[unit] = momentum * mean[unit] + (1 - momentum) * batch_mean[unit];
        variance[unit] = momentum * variance[unit] + (1 - momentum) * batch_variance[unit];
      }
    }
  }
  static std::vector<double> hidden(const data::Batch& batch, std::span<const float> kernel,
                                    std::size_t unit) {
    std::vector<double> values(batch.samples);
    for (std::size_t i = 0; i < batch.samples; ++i) {
      double sum = 0;
      for (std::size_t c = 0; c < columns; ++c) {
        sum += static_cast<double>(batch.features[i * columns + c] * kernel[c * 5 + unit]);
      }
      values[i] = std::tanh(sum);
    }
    return values;
  }
};

void check_near(std::span<const float> values, const std::vector<double>& expected) {
  BOOST_TEST_REQUIRE(values.size() == expected.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    BOOST_TEST(std::abs(static_cast<double>(values[i]) - expected[i]) < 1e-5);
  }
}

}  // namespace

BOOST_AUTO_TEST_CASE(all_ranks_have_the_same_statistics_and_they_are_those_of_the_batches) {
  for (const int ranks : {1, 2, 4}) {
    const Run run(ranks);
    const model::Layout& layout = run.options.layout;
    BOOST_TEST_REQUIRE(run.last.size() == static_cast<std::size_t>(ranks));
    for (const auto& weights : run.last) BOOST_TEST(weights == run.last.front());
    const std::vector<float>& weights = run.last.front();
    const Expected expected(run);
    check_near(part(weights, layout, "bn/moving_mean"), expected.mean);
    check_near(part(weights, layout, "bn/moving_variance"), expected.variance);
    for (const char* frozen : {"a/kernel", "a/bias"}) {
      BOOST_TEST(
          std::ranges::equal(part(weights, layout, frozen), part(run.first, layout, frozen)));
    }
    for (const char* trained : {"bn/gamma", "bn/beta", "b/kernel", "b/bias"}) {
      BOOST_TEST(
          !std::ranges::equal(part(weights, layout, trained), part(run.first, layout, trained)));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_run_is_reproduced_bit_for_bit) {
  const Run run(3);
  train::NetworkWorkload workload(spec());
  const data::ShardPlan plan(sample_count, run.options.batch_size, run.options.shards);
  train::Replay replay(workload, run.options, plan, run.first, reader());
  for (const StepRecord& step : run.steps) BOOST_TEST(replay.step(step) == step.sum_digest);
  BOOST_TEST(*replay.replica().weights() == run.last.front());
}

BOOST_AUTO_TEST_SUITE_END()
