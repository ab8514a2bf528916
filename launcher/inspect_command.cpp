#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <daig/core/error.hpp>
#include <daig/data/byte_source.hpp>
#include <daig/data/dataset.hpp>
#include <daig/data/npz.hpp>
#include <daig/data/shape.hpp>
#include <daig/store/hdf5_array.hpp>
#include <daig/store/keras_file.hpp>
#include <daig/store/ledger.hpp>
#include <daig/store/model_file.hpp>
#include <daig/store/run_directory.hpp>

#include "command.hpp"
#include "data_files.hpp"
#include "keras_model.hpp"
#include "outcome.hpp"

namespace daig::launcher {
namespace {

std::string describe(const data::ArraySource& array) {
  return fmt::format("{}: {} samples of shape {}, {}, {:.1f} MB\n", array.name(), array.count(),
                     data::to_text(array.sample_shape()), data::name_of(array.type()),
                     static_cast<double>(array.count() * array.sample_bytes()) / 1e6);
}

std::string describe(const std::string& part, const data::Dataset& dataset) {
  const std::string labels =
      dataset.label_kind() == data::LabelKind::classes
          ? fmt::format("{} classes", data::class_count(dataset))
          : fmt::format("{} targets a sample", dataset.labels().sample_size());
  return fmt::format("{}: {} samples, {}\n  {}  {}", part, dataset.count(), labels,
                     describe(dataset.features()), describe(dataset.labels()));
}

std::string describe_run(const std::filesystem::path& folder) {
  std::string text = fmt::format("{}: a run\n", folder.string());
  for (const auto& [name, value] :
       store::read_configuration(folder / store::RunDirectory::ledger_name)) {
    if (!value.empty()) text += fmt::format("  {} = {}\n", name, value);
  }
  return text + fmt::format("what it did: daig audit {}\n", folder.string());
}

std::string describe_keras(const std::string& name) {
  const store::KerasFile file = store::read_keras_file(name);
  const Model model = model_of(file, name);
  std::string text =
      fmt::format("{}: {}, of Keras {}, for the loss {}; {} weights\n", name, model.network.title(),
                  file.keras_version, model.network.loss().name(), model.weights.size());
  for (const model::Parameter& parameter : model.network.layout().parameters()) {
    text += fmt::format("  {} {}\n", parameter.name, data::to_text(parameter.shape));
  }
  return text;
}

/// A model, or else the arrays of an HDF5 file of another program's.
std::string describe_hdf5(const std::string& name) {
  const std::vector<std::string> names = store::hdf5_array_names(name);
  const bool own = std::ranges::any_of(
      names, [](const std::string& array) { return array.starts_with("/weights/"); });
  if (own || names.empty()) return store::describe_model(name);
  std::string text = fmt::format("{}: an HDF5 file of {} arrays\n", name, names.size());
  for (const std::string& array : names) {
    try {
      text += "  " + describe(data::ArraySource(store::open_hdf5_array(name, array)));
    } catch (const InputError& error) {
      text += fmt::format("  {}\n", error.what());
    }
  }
  return text;
}

/// An array, or all those of a .npz file.
std::string describe_file(const std::string& name) {
  const data::ByteSourcePtr bytes = data::open_file(name);
  std::vector<std::byte> start(std::min<std::uint64_t>(bytes->size(), 4));
  bytes->read(0, start);
  if (!data::is_npz(start)) return describe(data::open_array(bytes));
  const std::vector<std::string> names = data::npz_names(*bytes);
  std::string text = fmt::format("{}: a .npz file of {} arrays\n", name, names.size());
  for (const std::string& array : names) {
    try {
      text += "  " + describe(data::open_npz(bytes, array));
    } catch (const InputError& error) {
      text += fmt::format("  {}\n", error.what());
    }
  }
  return text;
}

std::string describe(const std::string& name) {
  std::error_code unknown;
  if (std::filesystem::exists(std::filesystem::path(name) / store::RunDirectory::ledger_name,
                              unknown)) {
    return describe_run(name);
  }
  if (!std::filesystem::is_regular_file(name, unknown)) {
    const std::vector<ArrayName> arrays = arrays_named(name);
    if (arrays.size() > 1 || !arrays.front().member.empty()) return describe(open_arrays({name}));
    const data::DatasetSplits splits = data::open_dataset(name);
    return describe("train", splits.train) + (splits.test ? describe("test", *splits.test) : "");
  }
  if (store::is_keras_file(name)) return describe_keras(name);
  if (store::is_hdf5_file(name)) return describe_hdf5(name);
  return describe_file(name);
}

}  // namespace

void add_inspect_command(CLI::App& app, Action& action) {
  auto name = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("inspect", "Say in words what a file or folder holds");
  command
      ->add_option(
          "file", *name,
          "a model or snapshot (.h5), an array (.npy or IDX, plain or .gz), arrays (.npz, "
          ".h5, or one of them, FILE:ARRAY), a dataset by name or folder, or the folder of "
          "a run")
      ->required()
      ->type_name("FILE|FOLDER|NAME");
  command->footer(
      "Examples:\n"
      "  daig inspect model.h5\n"
      "  daig inspect fashion-mnist");
  command->callback([name, &action] {
    action = [name] {
      std::string text = describe(*name);
      if (!text.ends_with('\n')) text += '\n';
      say(text);
      return 0;
    };
  });
}

}  // namespace daig::launcher
