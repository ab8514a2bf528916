#include "data_choice.hpp"

#include <CLI/CLI.hpp>

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
}

}  // namespace

void add_data_options(CLI::App& command, DataChoice& choice, TestFiles test_files) {
  command
      .add_option("--dataset", choice.dataset,
                  "fashion-mnist, or a folder with MNIST's four files or x_train.npy, y_train.npy, "
                  "x_test.npy, y_test.npy")
      ->type_name("NAME|FOLDER")
      ->group(group);
  const auto add_file = [&](const char* name, std::filesystem::path& path, const char* what) {
    command.add_option(name, path, what)->type_name("FILE")->group(group);
  };
  add_file("--data", choice.data, "samples: .npy or IDX, plain or .gz");
  add_file("--labels", choice.labels,
           "of each sample its class index, or a target for each output of the model");
  if (test_files == TestFiles::none) return;
  add_file("--test-data", choice.test_data, "samples to test with at the end");
  add_file("--test-labels", choice.test_labels, "and their labels");
}

data::DatasetSplits open(const DataChoice& choice) {
  check(choice);
  if (!choice.dataset.empty()) return data::open_dataset(choice.dataset);
  data::DatasetSplits splits{data::open_arrays(choice.data, choice.labels), std::nullopt};
  if (!choice.test_data.empty()) {
    splits.test = data::open_arrays(choice.test_data, choice.test_labels);
  }
  return splits;
}

DataChoice made_absolute(DataChoice choice) {
  std::error_code unknown;
  if (std::filesystem::is_directory(choice.dataset, unknown)) {
    choice.dataset = std::filesystem::absolute(choice.dataset).string();
  }
  for (std::filesystem::path* path :
       {&choice.data, &choice.labels, &choice.test_data, &choice.test_labels}) {
    if (!path->empty()) *path = std::filesystem::absolute(*path);
  }
  return choice;
}

}  // namespace daig::launcher
