#pragma once

/// Which data a command works on: a dataset by name or folder, or files one by one.

#include <optional>
#include <string>

#include <daig/data/dataset.hpp>

#include "data_files.hpp"

namespace CLI {  // NOLINT(readability-identifier-naming): the library's own name
class App;
}

namespace daig::launcher {

/// Either `dataset`, or `data` and `labels`; what is not given is empty.
struct DataChoice {
  std::string dataset;
  DataWords data;
  DataWords labels;
  DataWords test_data;
  DataWords test_labels;
  DataWords validation_data;
  DataWords validation_labels;
  double validation_split = 0;  ///< the part of the samples that is held back from training
  std::string scale;            ///< of all features, e.g. "1/255"; empty: by their type

  bool given() const { return !dataset.empty() || !data.empty() || !labels.empty(); }
};

/// Which files a command takes besides those it works on.
enum class TestFiles { may_be_given, none };
/// Whether a command can be told how to scale features.
enum class ScaleOption { there, absent };

/// The options for it.
void add_data_options(CLI::App& command, DataChoice& choice, TestFiles test_files,
                      ScaleOption scale = ScaleOption::there);
void add_scale_option(CLI::App& command, std::string& scale);
/// An option whose words name arrays; it may be given again.
void add_data_words(CLI::App& command, const char* name, DataWords& words, const char* what);

/// The scale that is asked for; nothing where that is left to the type of the features.
/// @throws UsageError when the text is none.
std::optional<data::Scale> scale_of(const std::string& text);

/// @throws UsageError when the choice is incomplete or names two things, and as data::open_dataset.
data::DatasetSplits open(const DataChoice& choice);

/// The same choice in any working folder.
DataChoice made_absolute(DataChoice choice);

}  // namespace daig::launcher
