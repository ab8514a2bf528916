// A model that is no neural network, on data that the library never sees: logistic regression on
// sparse samples, in the own-loop form.
//
//     mpirun -n 4 ./custom_workload          ranks are processes
//     ./custom_workload                      ranks are four threads of this process
//
// The data is made up from the sample's number, so that every rank can make any of it: each sample
// has a few of 1,000 features, and its label follows from hidden weights.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <exception>

#include <daig/comm/in_process.hpp>
#include <daig/comm/mpi.hpp>
#include <daig/core/random.hpp>
#include <daig/train/session.hpp>

namespace {

constexpr std::uint64_t samples = 20'000;
constexpr std::uint32_t features = 1'000;
constexpr std::uint32_t features_per_sample = 12;

struct SparseSample {
  std::array<std::uint32_t, features_per_sample> features{};  // each of value 1
  bool label = false;
};

double hidden_weight(std::uint32_t feature) {
  return std::sin(feature * 12.9898);
}

SparseSample sample(std::uint64_t number) {
  daig::Random random(7, daig::Stream::test, static_cast<std::uint32_t>(number));
  SparseSample made;
  double score = 0;
  for (std::uint32_t& feature : made.features) {
    feature = static_cast<std::uint32_t>(random.below(features));
    score += hidden_weight(feature);
  }
  made.label = score > 0;
  return made;
}

double probability(std::span<const float> weights, const SparseSample& sample) {
  double score = 0;
  for (const std::uint32_t feature : sample.features) score += weights[feature];
  return 1 / (1 + std::exp(-score));
}

void train(daig::comm::Communicator& world) {
  daig::train::Options options;
  options.k = 4;
  options.batch_size = 100;
  options.epochs = 10;
  options.optimizer.learning_rate = 2;

  daig::train::Session session(world, options, features);
  if (session.coordinates()) {
    session.set_up({.weights = std::vector<float>(features), .samples = samples});
  }

  daig::train::Volunteer volunteer = session.volunteer();
  while (auto ticket = volunteer.next()) {
    const std::span<float> gradient = ticket->gradient();
    std::ranges::fill(gradient, 0.0F);
    daig::train::Contribution sum;
    const std::uint64_t first = ticket->work().batch.value() * options.batch_size;
    for (std::uint64_t i = first; i < std::min(first + options.batch_size, samples); ++i) {
      if (ticket->stop_token().stop_requested()) break;
      const SparseSample made = sample(i);
      const double p = probability(ticket->weights(), made);
      const double error = p - (made.label ? 1 : 0);
      for (const std::uint32_t f : made.features) gradient[f] += static_cast<float>(error);
      sum.loss_sum -= std::log(std::max(made.label ? p : 1 - p, 1e-12));
      ++sum.samples;
    }
    if (!ticket->stop_token().stop_requested()) ticket->bank(sum);
  }
  const daig::train::Result result = volunteer.finish();

  if (!session.coordinates()) return;
  std::uint64_t correct = 0;
  for (std::uint64_t i = samples; i < samples + 5'000; ++i) {  // never trained on
    const SparseSample made = sample(i);
    if ((probability(result.weights, made) > 0.5) == made.label) ++correct;
  }
  std::printf("%llu steps, accuracy on new samples %.3f\n",
              static_cast<unsigned long long>(result.version.value()),
              static_cast<double>(correct) / 5'000);
}

}  // namespace

int main() {
  try {
    if (!daig::comm::MpiEnvironment::launched_as_rank()) {
      daig::comm::run_in_process(4, train);
      return 0;
    }
    daig::comm::MpiEnvironment mpi;
    train(*mpi.world());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "custom_workload: %s\n", error.what());
    return 1;
  }
}
