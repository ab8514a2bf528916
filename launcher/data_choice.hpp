#pragma once

/// Which data a command works on: a dataset by name or folder, or files one by one.

#include <filesystem>
#include <string>

#include <daig/data/dataset.hpp>

namespace CLI {  // NOLINT(readability-identifier-naming): the library's own name
class App;
}

namespace daig::launcher {

/// Either `dataset`, or `data` and `labels`; what is not given is empty.
struct DataChoice {
  std::string dataset;
  std::filesystem::path data;
  std::filesystem::path labels;
  std::filesystem::path test_data;
  std::filesystem::path test_labels;

  bool given() const { return !dataset.empty() || !data.empty() || !labels.empty(); }
};

enum class TestFiles { may_be_given, none };

/// The options for it.
void add_data_options(CLI::App& command, DataChoice& choice, TestFiles test_files);

/// @throws UsageError when the choice is incomplete or names two things, and as data::open_dataset.
data::DatasetSplits open(const DataChoice& choice);

/// The same choice in any working folder.
DataChoice made_absolute(DataChoice choice);

}  // namespace daig::launcher
