#include "data_choice.hpp"

#include <filesystem>
#include <system_error>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <daig/core/error.hpp>

namespace daig::launcher {
namespace {

constexpr const char* group = "Data";

void check(const DataChoice& choice) {
  if (!choice.given()) {
    throw UsageError(
        "there is no data: give --dataset NAME or FOLDER, or --data FILE and --labels FILE");
  }
  const bool files = !choice.data.empty() || !choice.labels.empty() || !choice.test_data.empty() ||
                     !choice.test_labels.empty();
  if (!choice.dataset.empty() && files) {
    throw UsageError("--dataset brings all its files: give either it, or --data and --labels");
  }
  if (choice.data.empty() != choice.labels.empty()) {
    throw UsageError("--data and --labels go together: one holds samples, the other what they are");
  }
  if (choice.test_data.empty() != choice.test_labels.empty()) {
    throw UsageError("--test-data and --test-labels go together");
  }
  if (choice.validation_data.empty() != choice.validation_labels.empty()) {
    throw UsageError("--validation-data and --validation-labels go together");
  }
  if (!choice.validation_data.empty() && choice.validation_split != 0) {
    throw UsageError(
        "--validation-split and --validation-data: give either the part to hold back, or other "
        "samples");
  }
  if (!(choice.validation_split >= 0 && choice.validation_split < 1)) {
    throw UsageError(fmt::format("--validation-split {}: give a part between 0 and 1, as in 0.2",
                                 choice.validation_split));
  }
}

}  // namespace

void add_data_words(CLI::App& command, const char* name, DataWords& words, const char* what) {
  command.add_option(name, words, what)
      ->type_name("FILE[:ARRAY]")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->group(group);
}

void add_scale_option(CLI::App& command, std::string& scale) {
  command
      .add_option("--scale", scale,
                  "multiplies features, on their way to the model [1/255 for bytes, else 1]")
      ->type_name("NUMBER|A/B")
      ->group(group);
}

void add_data_options(CLI::App& command, DataChoice& choice, TestFiles test_files,
                      ScaleOption scale) {
  command
      .add_option("--dataset", choice.dataset,
                  "fashion-mnist, a folder with MNIST's four files or x_train.npy, y_train.npy, "
                  "x_test.npy, y_test.npy, or a .npz file with arrays of these names")
      ->type_name("NAME|FOLDER|FILE.npz")
      ->group(group);
  add_data_words(command, "--data", choice.data,
                 "samples: .npy or IDX, plain or .gz, FILE.npz:NAME, FILE.h5:/PATH; several files "
                 "are one dataset: a pattern in quotes ('part-*.npy'), or the option again");
  add_data_words(command, "--labels", choice.labels,
                 "of each sample its class index, or a target for each output of the model");
  if (scale == ScaleOption::there) add_scale_option(command, choice.scale);
  if (test_files == TestFiles::none) return;
  add_data_words(command, "--test-data", choice.test_data, "samples to test with at the end");
  add_data_words(command, "--test-labels", choice.test_labels, "and their labels");
  command
      .add_option("--validation-split", choice.validation_split,
                  "the part of the samples, the last ones, that is not trained on but validated "
                  "with")
      ->type_name("PART")
      ->group(group);
  add_data_words(command, "--validation-data", choice.validation_data,
                 "or other samples to validate with");
  add_data_words(command, "--validation-labels", choice.validation_labels, "and their labels");
}

std::optional<data::Scale> scale_of(const std::string& text) {
  if (text.empty()) return std::nullopt;
  if (auto scale = data::parse_scale(text)) return scale;
  throw UsageError("--scale " + text +
                   ": write a number other than 0, or a fraction, as in --scale 1/255");
}

data::DatasetSplits open(const DataChoice& choice) {
  check(choice);
  const std::optional<data::Scale> scale = scale_of(choice.scale);
  const auto open_pair = [](const DataWords& data, const DataWords& labels) {
    return data::Dataset(open_arrays(data), open_arrays(labels));
  };
  data::DatasetSplits splits =
      choice.dataset.empty()
          ? data::DatasetSplits{open_pair(choice.data, choice.labels), std::nullopt, std::nullopt}
          : data::open_dataset(choice.dataset);
  if (!choice.test_data.empty()) splits.test = open_pair(choice.test_data, choice.test_labels);
  if (!choice.validation_data.empty()) {
    splits.validation = open_pair(choice.validation_data, choice.validation_labels);
  } else if (choice.validation_split != 0) {
    auto [train, validation] = data::hold_back(splits.train, choice.validation_split);
    splits.train = std::move(train);
    splits.validation = std::move(validation);
  }
  splits.train.set_scale(scale);
  if (splits.test) splits.test->set_scale(scale);
  if (splits.validation) splits.validation->set_scale(scale);
  return splits;
}

DataChoice made_absolute(DataChoice choice) {
  std::error_code unknown;
  if (std::filesystem::exists(choice.dataset, unknown)) {
    choice.dataset = std::filesystem::absolute(choice.dataset).string();
  }
  for (DataWords* words : {&choice.data, &choice.labels, &choice.test_data, &choice.test_labels,
                           &choice.validation_data, &choice.validation_labels}) {
    *words = made_absolute(*words);
  }
  return choice;
}

}  // namespace daig::launcher
