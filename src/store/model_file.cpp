#include <algorithm>
#include <cstddef>
#include <set>
#include <span>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <daig/core/digest.hpp>
#include <daig/core/error.hpp>
#include <daig/store/model_file.hpp>

#include "hdf5.hpp"
#include "pending_file.hpp"

namespace daig::store {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view format_name = "daig-model";
constexpr std::uint64_t format_version = 1;
/// Far above any model; bounds what a damaged file can make the reader do.
constexpr std::size_t max_model_arrays = 10'000;
constexpr const char* model_advice =
    "; the file is damaged or not DAIG's: use another snapshot or model";

/// Whether HDF5 takes a name for the path it looks like: "a/b", no empty or dotted parts.
bool is_plain_path(std::string_view name) {
  std::size_t begin = 0;
  while (true) {
    const std::size_t end = std::min(name.find('/', begin), name.size());
    const std::string_view part = name.substr(begin, end - begin);
    if (part.empty() || part == "." || part == "..") return false;
    if (end == name.size()) break;
    begin = end + 1;
  }
  return name.find_first_of(std::string_view("\n\0", 2)) == std::string_view::npos;
}

bool is_plain_name(std::string_view name) {
  return is_plain_path(name) && name.find('/') == std::string_view::npos;
}

std::vector<std::string> split_lines(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

void check_contract(const SavedModel& model) {
  const auto& parameters = model.layout.parameters();
  expects(parameters.size() <= max_model_arrays, "at most 10,000 parameters");
  expects(model.weights.size() == model.layout.size(), "as many weights as the layout says");
  std::set<std::string_view> names;
  for (const model::Parameter& parameter : parameters) {
    expects(is_plain_path(parameter.name), "parameter names like layer/kernel");
    names.insert(parameter.name);
  }
  for (const std::string_view name : names) {
    for (std::size_t at = name.find('/'); at != name.npos; at = name.find('/', at + 1)) {
      expects(!names.contains(name.substr(0, at)), "no parameter named like another's layer");
    }
  }
  std::set<std::string_view> slots;
  for (const auto& [slot, values] : model.optimizer.slots) {
    expects(is_plain_name(slot) && slots.insert(slot).second,
            "slot names that are plain and differ");
    expects(values.size() == model.weights.size(), "optimiser slots as long as the weights");
  }
  for (const auto& [scalar, value] : model.optimizer.scalars) {
    expects(is_plain_name(scalar), "plain names of the optimiser's scalars");
  }
}

/// Writes a flat array as one HDF5 array a parameter, in a group that carries the digest.
hdf5::Handle write_arrays(hid_t file, const std::string& group_path, const model::Layout& layout,
                          std::span<const float> values) {
  hdf5::Handle group = hdf5::create_group(file, group_path);
  hdf5::write_attribute(group.get(), "digest", digest(values));
  for (const model::Parameter& parameter : layout.parameters()) {
    hdf5::write_array(file, group_path + "/" + parameter.name, parameter.shape,
                      values.subspan(parameter.offset, parameter.size()));
  }
  return group;
}

void write_file(const fs::path& path, const SavedModel& model) {
  hdf5::Handle file = hdf5::create_file(path);
  const hid_t root = file.get();
  hdf5::write_attribute(root, "format", format_name);
  hdf5::write_attribute(root, "format_version", format_version);
  hdf5::write_attribute(root, "spec", model.spec);
  hdf5::write_attribute(root, "step", model.version.value());
  hdf5::write_attribute(root, "epoch", std::uint64_t{model.epoch.value()});
  hdf5::write_attribute(root, "seed", model.seed);
  hdf5::write_attribute(root, "optimizer", model.optimizer.name);
  hdf5::write_attribute(root, "optimizer_options", model.optimizer.options);

  std::vector<std::string_view> names;
  for (const model::Parameter& parameter : model.layout.parameters()) {
    names.emplace_back(parameter.name);
  }
  std::vector<std::string_view> slots;
  for (const auto& [slot, values] : model.optimizer.slots) slots.emplace_back(slot);
  hdf5::write_attribute(root, "parameters", fmt::format("{}", fmt::join(names, "\n")));
  hdf5::write_attribute(root, "optimizer_slots", fmt::format("{}", fmt::join(slots, "\n")));

  write_arrays(root, "/weights", model.layout, model.weights);
  const hdf5::Handle optimizer = hdf5::create_group(root, "/optimizer");
  for (const auto& [scalar, value] : model.optimizer.scalars) {
    hdf5::write_attribute(optimizer.get(), scalar.c_str(), value);
  }
  for (const auto& [slot, values] : model.optimizer.slots) {
    write_arrays(root, "/optimizer/" + slot, model.layout, values);
  }
  hdf5::checked(H5Fflush(root, H5F_SCOPE_GLOBAL), "the file cannot be completed");
  file.close("the file cannot be completed");
}

/// Reads one model out of an open file; what is wrong with it is thrown as hdf5::Failure.
class ModelReader {
 public:
  ModelReader(hid_t file, std::uint64_t file_bytes)
      : file_(file), file_bytes_(file_bytes), values_left_(file_bytes / sizeof(float)) {}

  SavedModel read() {
    check_format();
    SavedModel model;
    model.spec = text("spec");
    model.version = Version{integer("step")};
    const std::uint64_t epoch = integer("epoch");
    if (epoch > std::numeric_limits<Epoch::rep>::max()) {
      throw hdf5::Failure(fmt::format("the attribute 'epoch' is {}, which is absurd", epoch));
    }
    model.epoch = Epoch{static_cast<Epoch::rep>(epoch)};
    model.seed = integer("seed");
    model.layout = read_layout();
    model.weights = read_arrays("/weights", model.layout);
    model.optimizer = read_optimizer(model.layout);
    return model;
  }

 private:
  std::string text(const char* name) const { return hdf5::read_text(file_, name, file_bytes_); }
  std::uint64_t integer(const char* name) const { return hdf5::read_integer(file_, name); }

  void check_format() const {
    if (!hdf5::has_attribute(file_, "format")) {
      if (hdf5::has_attribute(file_, "model_config") ||
          hdf5::has_attribute(file_, "keras_version")) {
        throw hdf5::Failure(
            "this is a Keras file, which this version of DAIG cannot read; name a model file that "
            "DAIG wrote, or start from a model description");
      }
      throw hdf5::Failure("this HDF5 file holds something else than a DAIG model");
    }
    if (text("format") != format_name) {
      throw hdf5::Failure("this HDF5 file holds something else than a DAIG model");
    }
    const std::uint64_t version = integer("format_version");
    if (version != format_version) {
      throw hdf5::Failure(fmt::format(
          "the model file's format is version {}, and this version of DAIG reads version {} only",
          version, format_version));
    }
  }

  /// Takes the shapes from the arrays themselves, and the order from the list of names.
  model::Layout read_layout() {
    const std::vector<std::string> names = split_lines(text("parameters"));
    if (names.size() > max_model_arrays) {
      throw hdf5::Failure(fmt::format("it names {} arrays, which is absurd", names.size()));
    }
    model::Layout layout;
    std::set<std::string_view> known;
    for (const std::string& name : names) {
      if (!is_plain_path(name) || !known.insert(name).second) {
        throw hdf5::Failure(
            fmt::format("the parameter name '{}' is twice there or unusable", name));
      }
      const hdf5::Array array(file_, "/weights/" + name);
      take(array.size(), name);
      layout.add(name, array.shape());
    }
    values_left_ += layout.size();
    return layout;
  }

  std::vector<float> read_arrays(const std::string& group_path, const model::Layout& layout) {
    take(layout.size(), group_path);
    std::vector<float> values(layout.size());
    for (const model::Parameter& parameter : layout.parameters()) {
      const hdf5::Array array(file_, group_path + "/" + parameter.name);
      if (array.shape() != parameter.shape) {
        throw hdf5::Failure(fmt::format("{}/{} has the shape ({}), not ({}) as in /weights",
                                        group_path, parameter.name, fmt::join(array.shape(), ", "),
                                        fmt::join(parameter.shape, ", ")));
      }
      array.read(std::span(values).subspan(parameter.offset, array.size()));
    }
    const hdf5::Handle group = hdf5::open_group(file_, group_path);
    const std::uint64_t expected = hdf5::read_integer(group.get(), "digest");
    const std::uint64_t found = digest(std::span<const float>(values));
    if (found != expected) {
      throw hdf5::Failure(fmt::format("the values under {} have the digest {:016x}, not {:016x}",
                                      group_path, found, expected));
    }
    return values;
  }

  SavedOptimizer read_optimizer(const model::Layout& layout) {
    SavedOptimizer optimizer{text("optimizer"), text("optimizer_options"), {}, {}};
    for (const std::string& slot : split_lines(text("optimizer_slots"))) {
      const auto same = [&](const auto& known) { return known.first == slot; };
      if (!is_plain_name(slot) ||
          std::any_of(optimizer.slots.begin(), optimizer.slots.end(), same)) {
        throw hdf5::Failure(fmt::format("the slot name '{}' is twice there or unusable", slot));
      }
      optimizer.slots.emplace_back(slot, read_arrays("/optimizer/" + slot, layout));
    }
    const hdf5::Handle group = hdf5::open_group(file_, "/optimizer");
    for (const std::string& scalar : hdf5::attribute_names(group.get())) {
      optimizer.scalars.emplace(scalar, hdf5::read_real(group.get(), scalar.c_str()));
    }
    return optimizer;
  }

  /// Several names may lead to one array, but never may all together need more than the file has.
  void take(std::size_t values, std::string_view what) {
    if (values > values_left_) {
      throw hdf5::Failure(fmt::format("{} claims more values than the file can hold", what));
    }
    values_left_ -= values;
  }

  hid_t file_;
  std::uint64_t file_bytes_;
  std::uint64_t values_left_;
};

/// Size of a file that can be opened. @throws InputError, IoError
std::uint64_t size_of_readable(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) {
    throw InputError(path.string(), "there is no such model file; check the path");
  }
  if (fs::exists(status) && !fs::is_regular_file(status)) {
    throw InputError(path.string(), "is a folder or a device; name a model file");
  }
  const std::uint64_t bytes = error ? 0 : fs::file_size(path, error);
  if (error || ::access(path.c_str(), R_OK) != 0) {
    const std::string why = error ? error.message() : std::generic_category().message(errno);
    throw IoError(fmt::format("{}: cannot be read: {}", path.string(), why));
  }
  return bytes;
}

}  // namespace

void write_model(const fs::path& path, const SavedModel& model,
                 const std::function<void()>& before_rename) {
  check_contract(model);
  detail::PendingFile pending(path);
  try {
    const hdf5::Session session;
    write_file(pending.path(), model);
  } catch (const hdf5::Failure& failure) {
    throw IoError(
        fmt::format("{}: the model cannot be written: {}", path.string(), failure.what()));
  }
  if (before_rename) before_rename();
  pending.commit();
}

SavedModel read_model(const fs::path& path) {
  const std::uint64_t bytes = size_of_readable(path);
  const hdf5::Session session;
  if (H5Fis_hdf5(path.c_str()) <= 0) {
    throw InputError(path.string(),
                     "is not an HDF5 file, and so no model of DAIG's; check the path");
  }
  try {
    const hdf5::Handle file = hdf5::open_file(path);
    return ModelReader(file.get(), bytes).read();
  } catch (const hdf5::Failure& failure) {
    throw InputError(path.string(), failure.what() + std::string(model_advice));
  }
}

std::string describe_model(const fs::path& path) {
  const SavedModel model = read_model(path);
  std::string text = fmt::format(
      "{}: model {}\nafter {} steps, {} whole epochs, seed {}\n{} weights, digest {:016x}\n",
      path.string(), model.spec.empty() ? "without a description" : model.spec,
      model.version.value(), model.epoch.value(), model.seed, model.weights.size(),
      weights_digest(model));
  for (const model::Parameter& parameter : model.layout.parameters()) {
    text += fmt::format("  {} ({})\n", parameter.name, fmt::join(parameter.shape, ", "));
  }
  const SavedOptimizer& optimizer = model.optimizer;
  text += fmt::format("optimiser {}\n", optimizer.name.empty() ? "none" : optimizer.name);
  if (!optimizer.options.empty()) text += fmt::format("  options {}\n", optimizer.options);
  for (const auto& [slot, values] : optimizer.slots) text += fmt::format("  {} a weight\n", slot);
  for (const auto& [scalar, value] : optimizer.scalars) {
    text += fmt::format("  {} = {}\n", scalar, value);
  }
  return text;
}

void check_writable(const fs::path& path) {
  const detail::PendingFile probe(path);
}

std::uint64_t weights_digest(const SavedModel& model) {
  return digest(std::span<const float>(model.weights));
}

}  // namespace daig::store
