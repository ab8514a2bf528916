#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <daig/core/error.hpp>
#include <daig/train/evaluate.hpp>

#include "command.hpp"
#include "data_choice.hpp"
#include "json.hpp"
#include "model.hpp"
#include "outcome.hpp"
#include "quality_text.hpp"

namespace daig::launcher {
namespace {

struct EvalSettings {
  std::string model;
  DataChoice data;
  std::string split;
  bool json = false;
};

/// The test part where there is one, unless told otherwise.
data::Dataset choose(data::DatasetSplits splits, const std::string& split) {
  if (split == "train" || (split.empty() && !splits.test)) return splits.train;
  if (!splits.test) throw UsageError("--split test: this dataset has no test files");
  return *splits.test;
}

int evaluate(const EvalSettings& settings) {
  const data::Dataset opened = choose(open(settings.data), settings.split);
  Model model = load_model(settings.model);
  warn_of_metrics(model, settings.model);
  check_features(model.network, opened.features());
  const data::Dataset dataset = fit_labels(model.network, opened);
  check_dataset(model.network, dataset);
  const train::Quality quality = train::evaluate(model.network, model.weights, dataset);
  if (settings.json) {
    JsonObject report;
    report.add("loss", quality.loss);
    add_judgements(report, quality, "");
    report.add("samples", quality.samples).add("model", settings.model);
    say(report.text() + "\n");
  } else {
    say(fmt::format("loss {:.4f}{} ({} samples of {})\n", quality.loss, judgements_of(quality),
                    quality.samples, dataset.features().name()));
  }
  return 0;
}

}  // namespace

void add_eval_command(CLI::App& app, Action& action) {
  auto settings = std::make_shared<EvalSettings>();
  CLI::App* command = app.add_subcommand("eval", "Loss and accuracy of a model on data");
  command->add_option("--model", settings->model, "model file of daig train")
      ->required()
      ->type_name("FILE.h5");
  add_data_options(*command, settings->data, TestFiles::none);
  command
      ->add_option("--split", settings->split,
                   "train or test; test where there is no choice made and the dataset has it")
      ->check(CLI::IsMember({"train", "test"}));
  command->add_flag("--json", settings->json, "one JSON object on stdout");
  command->footer(
      "Examples:\n"
      "  daig eval --model model.h5 --dataset fashion-mnist\n"
      "  daig eval --model model.h5 --data x_test.npy --labels y_test.npy --json");
  command->callback([settings, &action] { action = [settings] { return evaluate(*settings); }; });
}

}  // namespace daig::launcher
