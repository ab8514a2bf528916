#include <filesystem>
#include <memory>
#include <string_view>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <daig/core/error.hpp>
#include <daig/data/byte_source.hpp>
#include <daig/data/dataset.hpp>
#include <daig/data/shape.hpp>
#include <daig/store/keras_file.hpp>
#include <daig/store/ledger.hpp>
#include <daig/store/model_file.hpp>
#include <daig/store/run_directory.hpp>

#include "command.hpp"
#include "keras_model.hpp"
#include "outcome.hpp"

namespace daig::launcher {
namespace {

bool is_hdf5(const data::ByteSource& bytes) {
  constexpr std::string_view magic = "\x89HDF\r\n\x1A\n";
  std::string start(std::min<std::size_t>(bytes.size(), magic.size()), '\0');
  bytes.read(0, std::as_writable_bytes(std::span(start)));
  return start == magic;
}

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

std::string describe(const std::string& name) {
  std::error_code unknown;
  if (std::filesystem::exists(std::filesystem::path(name) / store::RunDirectory::ledger_name,
                              unknown)) {
    return describe_run(name);
  }
  if (!std::filesystem::is_regular_file(name, unknown)) {
    const data::DatasetSplits splits = data::open_dataset(name);
    return describe("train", splits.train) + (splits.test ? describe("test", *splits.test) : "");
  }
  const data::ByteSourcePtr bytes = data::open_file(name);
  if (store::is_keras_file(name)) return describe_keras(name);
  return is_hdf5(*bytes) ? store::describe_model(name) : describe(data::open_array(bytes));
}

}  // namespace

void add_inspect_command(CLI::App& app, Action& action) {
  auto name = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("inspect", "Say in words what a file or folder holds");
  command
      ->add_option("file", *name,
                   "a model or snapshot (.h5), an array (.npy or IDX, plain or .gz), a dataset by "
                   "name or folder, or the folder of a run")
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
