// How long a network takes for the gradient of a batch, on one thread.
//
//     gradient --model mlp:784-512-256-10 --batch 64
//     gradient --model cnn.h5 --batch 64 --json
//
// beside_pytorch.py runs it in turns with PyTorch.

#include <algorithm>
#include <cstdio>
#include <exception>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <daig/core/deadline.hpp>
#include <daig/core/error.hpp>
#include <daig/core/random.hpp>
#include <daig/nn/keras_spec.hpp>
#include <daig/nn/network.hpp>
#include <daig/store/keras_file.hpp>

namespace {

using namespace daig;

struct Options {
  std::string model = "mlp:784-512-256-10";
  std::size_t batch = 64;
  double seconds = 2;
  bool json = false;
};

nn::Network<float> network_of(const std::string& model) {
  if (!store::is_keras_file(model)) return nn::Network<float>(model);
  const store::KerasFile file = store::read_keras_file(model);
  return nn::Network<float>(nn::keras_spec(file.model_config, file.training_config));
}

struct Measured {
  std::size_t repetitions = 0;
  double median_s = 0;
  double least_s = 0;
};

Measured measure(const Options& options) {
  nn::Network<float> network = network_of(options.model);
  std::vector<float> weights(network.layout().size());
  network.initialise(weights, 1);
  std::vector<float> gradient(weights.size());
  Random random(1, Stream::test);
  std::vector<float> features(options.batch * network.input_size());
  for (float& feature : features) feature = static_cast<float>(random.uniform(0, 1));
  std::vector<std::int32_t> classes(options.batch);
  for (auto& label : classes)
    label = static_cast<std::int32_t>(random.below(network.output_size()));
  std::vector<float> targets(options.batch * network.output_size());
  nn::Samples<float> samples{features, {}, {}};
  if (network.loss().takes(nn::LabelKind::classes)) {
    samples.classes = classes;
  } else {
    samples.targets = targets;
  }
  std::vector<double> times;
  const Deadline enough = Deadline::in(
      std::chrono::duration_cast<Duration>(std::chrono::duration<double>(options.seconds)));
  for (int warm_up = 3; times.size() < 5 || !enough.expired();) {
    const TimePoint start = Clock::now();
    nn::Loss loss;
    network.gradient(weights, samples, gradient, {}, loss);
    if (warm_up-- > 0) continue;
    times.push_back(seconds(Clock::now() - start));
  }
  std::ranges::sort(times);
  return {times.size(), times[times.size() / 2], times.front()};
}

void run(const Options& options) {
#ifdef DAIG_NOT_RELEASE
  std::fprintf(stderr, "gradient: this is no Release build; its times mean little\n");
#endif
  const Measured measured = measure(options);
  if (options.json) {
    std::printf("{\"batch\":%zu,\"repetitions\":%zu,\"median_s\":%g,\"least_s\":%g}\n",
                options.batch, measured.repetitions, measured.median_s, measured.least_s);
    return;
  }
  std::printf("%s, batch %zu: median %.3f ms, least %.3f ms, of %zu gradients\n",
              options.model.c_str(), options.batch, measured.median_s * 1e3, measured.least_s * 1e3,
              measured.repetitions);
}

}  // namespace

int main(int count, char** words) {
  CLI::App app("Time of a batch's gradient, forward and backward, on one thread");
  Options options;
  app.add_option("--model", options.model, "a spec, or a Keras file")->capture_default_str();
  app.add_option("--batch", options.batch, "samples")
      ->capture_default_str()
      ->check(CLI::Range(std::size_t{1}, std::size_t{1} << 20));
  app.add_option("--seconds", options.seconds, "to go on for")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 3600.0));
  app.add_flag("--json", options.json, "one JSON object");
  CLI11_PARSE(app, count, words);
  try {
    run(options);
    return 0;
  } catch (const Error& error) {
    std::fprintf(stderr, "gradient: error: %s\n", error.what());
    return static_cast<int>(error.exit_code());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "gradient: error: %s\n", error.what());
    return 1;
  }
}
