#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <daig/core/error.hpp>
#include <daig/data/array_source.hpp>
#include <daig/data/batch.hpp>
#include <daig/data/dataset.hpp>
#include <daig/data/npy.hpp>

#include "command.hpp"
#include "data_choice.hpp"
#include "model.hpp"
#include "outcome.hpp"

namespace daig::launcher {
namespace {

struct PredictSettings {
  std::string model;
  DataWords data;
  std::string scale;
  std::string out;
  bool argmax = false;
};

/// What the network gives for every sample, sample after sample.
std::vector<float> predict_all(Model& model, const data::ArraySource& features, data::Scale scale) {
  constexpr std::uint64_t piece = 1000;
  const std::size_t outputs = model.network.output_size();
  std::vector<float> all(features.count() * outputs);
  std::vector<std::byte> elements;
  std::vector<float> inputs;
  for (std::uint64_t first = 0; first < features.count(); first += piece) {
    const std::uint64_t count = std::min(piece, features.count() - first);
    elements.resize(count * features.sample_bytes());
    inputs.resize(count * features.sample_size());
    features.read(first, count, elements);
    data::check_finite(features, first, elements);
    data::to_floats(features.type(), elements, inputs, scale);
    model.network.predict(model.weights, inputs,
                          std::span(all).subspan(first * outputs, count * outputs));
  }
  return all;
}

/// The place of the largest of each sample's outputs.
std::vector<float> largest(const std::vector<float>& all, std::size_t outputs) {
  std::vector<float> places;
  for (auto first = all.begin(); first != all.end();
       first += static_cast<std::ptrdiff_t>(outputs)) {
    const auto end = first + static_cast<std::ptrdiff_t>(outputs);
    places.push_back(static_cast<float>(std::max_element(first, end) - first));
  }
  return places;
}

int predict(const PredictSettings& settings) {
  if (settings.data.empty()) throw UsageError("there is no data: give --data FILE");
  const data::ArraySource features = open_arrays(settings.data);
  const data::Scale scale = scale_of(settings.scale).value_or(data::default_scale(features.type()));
  Model model = load_model(settings.model);
  check_features(model.network, features);
  check_values(model.network, features, scale);
  store::check_writable(settings.out);
  std::vector<float> values = predict_all(model, features, scale);
  data::Shape shape{features.count(), model.network.output_size()};
  if (settings.argmax) {
    values = largest(values, model.network.output_size());
    shape.pop_back();
  }
  data::write_npy(settings.out, shape, values);
  say(fmt::format("{}: {}, f4\n", settings.out, data::to_text(shape)));
  return 0;
}

}  // namespace

void add_predict_command(CLI::App& app, Action& action) {
  auto settings = std::make_shared<PredictSettings>();
  CLI::App* command = app.add_subcommand("predict", "What a model says of samples, as a .npy file");
  command->add_option("--model", settings->model, "model file of daig train")
      ->required()
      ->type_name("FILE.h5");
  add_data_words(*command, "--data", settings->data,
                 "samples: .npy or IDX, plain or .gz, FILE.npz:NAME, FILE.h5:/PATH; several files "
                 "are one array: a pattern in quotes, or the option again");
  add_scale_option(*command, settings->scale);
  command
      ->add_option(
          "--out", settings->out,
          "a row of outputs for every sample; of a model with cross-entropy, probabilities")
      ->required()
      ->type_name("FILE.npy");
  command->add_flag("--argmax", settings->argmax,
                    "write the number of the largest output alone: the class");
  command->footer(
      "Example:\n"
      "  daig predict --model model.h5 --data x_test.npy --out classes.npy --argmax");
  command->callback([settings, &action] { action = [settings] { return predict(*settings); }; });
}

}  // namespace daig::launcher
