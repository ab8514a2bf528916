#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <functional>
#include <iterator>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include <daig/core/error.hpp>
#include <daig/store/keras_file.hpp>

#include "hdf5.hpp"
#include "hdf5_bytes.hpp"
#include "hdf5_header.hpp"
#include "hdf5_numbers.hpp"
#include "hdf5_text.hpp"
#include "pending_file.hpp"

namespace daig::store {

namespace fs = std::filesystem;

namespace {

/// Far above any model; they bound what a damaged file can make the reader do.
constexpr std::size_t max_config_bytes = 64 << 20;
constexpr std::size_t max_text_bytes = 1000;
constexpr std::size_t max_names_bytes = 64 << 20;
constexpr std::size_t max_keras_arrays = 100'000;
constexpr std::size_t max_depth = 16;
constexpr const char* keras_advice =
    "; the file is damaged, or not one that Keras's model.save(\"model.h5\") wrote: save it again";

bool has_link(hid_t group, const char* name) {
  return hdf5::checked(H5Lexists(group, name, H5P_DEFAULT), "a name cannot be sought") > 0;
}

enum class Kind { whole_model, weights_only, own_model, unknown };

Kind kind_of(hid_t file, hdf5::FileBytes& bytes) {
  hdf5::open_checked(bytes, file, "", "/");
  if (hdf5::has_attribute(file, "model_config")) return Kind::whole_model;
  for (const char* name : {"layer_names", "layer_names0"}) {
    if (hdf5::has_attribute(file, name)) return Kind::weights_only;
  }
  // Keras 3's model.save_weights("model.weights.h5").
  for (const char* name : {"_layer_checkpoint_dependencies", "layers"}) {
    if (has_link(file, name)) return Kind::weights_only;
  }
  return hdf5::has_attribute(file, "format") ? Kind::own_model : Kind::unknown;
}

void check_kind(hid_t file, hdf5::FileBytes& bytes) {
  switch (kind_of(file, bytes)) {
    case Kind::whole_model:
      return;
    case Kind::weights_only:
      throw InputError(
          "it holds a Keras model's weights only, and its architecture is missing; save the whole "
          "model with model.save(\"model.h5\")");
    case Kind::own_model:
      throw InputError("this is a model file of DAIG's own, not of Keras's");
    case Kind::unknown:
      throw InputError("this HDF5 file holds something else than a Keras model; check the path");
  }
}

/// Whether a name from the file leads to an object below the one that lists it.
bool is_relative_path(std::string_view name) {
  return !name.empty() && name.front() != '/' && name.find('\0') == std::string_view::npos;
}

/// "SGD/iter:0", "Adam/iteration:0", "adam/iteration", in Keras's order of time.
bool is_step_counter(std::string_view name) {
  name = name.substr(name.rfind('/') + 1);  // npos + 1 is 0
  name = name.substr(0, name.find(':'));
  return name == "iter" || name == "iteration" || name == "iterations";
}

/// Goes through the parts of an open Keras file; what is wrong with it is thrown as hdf5::Failure,
/// or as InputError when no damage explains it.
class KerasReader {
 public:
  /// Is given one array after the other, as yet without its values.
  using Visit = std::function<void(KerasArray, hdf5::Numbers&)>;

  KerasReader(hid_t file, const fs::path& path)
      : file_(file), bytes_(file, path), texts_(bytes_), bytes_left_(bytes_.size()) {
    check_kind(file, bytes_);
  }

  KerasFile read_texts() {
    KerasFile model;
    model.model_config = texts_.read_text(file_, "/", "model_config", max_config_bytes);
    if (hdf5::has_attribute(file_, "training_config")) {
      model.training_config = texts_.read_text(file_, "/", "training_config", max_config_bytes);
    }
    const hdf5::Handle weights = open_top("/model_weights");
    for (const auto& [name, text] :
         {std::pair{"keras_version", &model.keras_version}, std::pair{"backend", &model.backend}}) {
      for (const hid_t object : {weights.get(), file_}) {
        if (text->empty() && hdf5::has_attribute(object, name)) {
          const char* where = object == file_ ? "/" : "/model_weights";
          *text = texts_.read_text(object, where, name, max_text_bytes);
        }
      }
    }
    return model;
  }

  void visit_weights(const Visit& visit) {
    const std::string top = "/model_weights";
    const hdf5::Handle group = open_top(top);
    for (const std::string& layer : read_names(group.get(), top, "layer_names")) {
      const std::string path = top + "/" + layer;
      const hdf5::Handle object = hdf5::as_group(open_child(group.get(), top, layer), path);
      visit_listed(object.get(), path, layer, visit);
    }
    const char* rest = "top_level_model_weights";
    if (has_link(group.get(), rest)) {
      visit_listed(open_top(top + "/" + rest).get(), top + "/" + rest, rest, visit);
    }
  }

  void visit_optimizer(const Visit& visit) {
    if (!has_link(file_, "optimizer_weights")) return;
    const hdf5::Handle group = open_top("/optimizer_weights");
    if (hdf5::has_attribute(group.get(), "weight_names") ||
        hdf5::has_attribute(group.get(), "weight_names0")) {
      visit_listed(group.get(), "/optimizer_weights", "", visit);
    } else {
      visit_nested(group.get(), "", 1, visit);
    }
  }

 private:
  hdf5::Handle open_top(const std::string& path) {
    return hdf5::as_group(hdf5::open_checked(bytes_, file_, "", path), path);
  }

  /// A list of names; where it does not fit into one attribute, Keras cuts it into several.
  std::vector<std::string> read_names(hid_t object, const std::string& where,
                                      const std::string& name) {
    std::vector<std::string> names;
    std::string piece = hdf5::has_attribute(object, (name + "0").c_str()) ? name + "0" : name;
    for (std::size_t next = 1;; ++next) {
      auto more = texts_.read_texts(object, where, piece.c_str(), max_names_bytes);
      count(more.size());
      std::move(more.begin(), more.end(), std::back_inserter(names));
      if (piece == name) return names;
      piece = name + std::to_string(next);
      if (!hdf5::has_attribute(object, piece.c_str())) return names;
    }
  }

  /// Opens what a group lists by name. `where` is the group's path.
  hdf5::Handle open_child(hid_t group, const std::string& where, const std::string& name) {
    if (!is_relative_path(name)) {
      throw hdf5::Failure(fmt::format("the name '{}' in {} is unusable", name, where));
    }
    return hdf5::open_checked(bytes_, group, where, name);
  }

  void visit_listed(hid_t group, const std::string& where, const std::string& layer,
                    const Visit& visit) {
    for (const std::string& name : read_names(group, where, "weight_names")) {
      visit_array(open_child(group, where, name), where, layer, name, visit);
    }
  }

  /// @param prefix  of all names: empty, or the path below the optimiser's group, with a '/' behind
  void visit_nested(hid_t group, const std::string& prefix, std::size_t depth, const Visit& visit) {
    const std::string top = "/optimizer_weights";
    if (depth > max_depth) {
      throw hdf5::Failure(
          fmt::format("{}/{} is more than {} groups deep, or in itself", top, prefix, max_depth));
    }
    for (const std::string& link : hdf5::link_names(group, max_keras_arrays)) {
      count(1);
      hdf5::Handle object = open_child(group, top + "/" + prefix, link);
      if (H5Iget_type(object.get()) == H5I_GROUP) {
        visit_nested(object.get(), prefix + link + "/", depth + 1, visit);
      } else {
        visit_array(std::move(object), top, "", prefix + link, visit);
      }
    }
  }

  void visit_array(hdf5::Handle object, const std::string& where, const std::string& layer,
                   const std::string& name, const Visit& visit) {
    hdf5::Numbers numbers(std::move(object), where + "/" + name);
    // Several names may lead to one array, but never may all need more than the file has.
    if (numbers.stored_bytes() > bytes_left_) {
      throw hdf5::Failure(
          fmt::format("{} claims more bytes than the file has left", numbers.path()));
    }
    bytes_left_ -= numbers.stored_bytes();
    visit({layer, name, numbers.path(), numbers.shape(), {}}, numbers);
  }

  void count(std::size_t more) {
    if (more > names_left_) {
      throw hdf5::Failure(
          fmt::format("it has more than {} names, which is absurd", max_keras_arrays));
    }
    names_left_ -= more;
  }

  hid_t file_;
  hdf5::FileBytes bytes_;
  hdf5::TextReader texts_;
  std::uint64_t bytes_left_;
  std::size_t names_left_ = 2 * max_keras_arrays;
};

/// @throws InputError, IoError when a file cannot be opened.
void check_readable(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) {
    throw InputError(path.string(), "there is no such Keras file; check the path");
  }
  if (fs::exists(status) && !fs::is_regular_file(status)) {
    throw InputError(path.string(), "is a folder or a device; name a Keras file");
  }
  if (::access(path.c_str(), R_OK) != 0) {
    throw IoError(fmt::format("{}: cannot be read: {}", path.string(), std::strerror(errno)));
  }
}

void check_format(const fs::path& path) {
  if (H5Fis_hdf5(path.c_str()) > 0) return;
  char magic[2] = {};
  std::ifstream(path, std::ios::binary).read(magic, 2);
  if (magic[0] == 'P' && magic[1] == 'K') {
    throw InputError(
        "is of Keras's zipped format, which DAIG does not read; save the model with "
        "model.save(\"model.h5\")");
  }
  throw InputError("is not an HDF5 file, or a damaged one, and so no Keras model; check the path");
}

/// Does something with an open file, and lets its errors name the file.
/// @param name  the file that the user knows; `path` may be a copy of it
template <class Work>
auto with_file(const fs::path& name, const fs::path& path,
               hdf5::Handle (*open)(const fs::path& path), const Work& work) {
  check_readable(path);
  const hdf5::Session session;
  try {
    check_format(path);
    hdf5::Handle file = open(path);
    KerasReader reader(file.get(), path);
    return work(reader, file);
  } catch (const hdf5::Failure& failure) {
    throw InputError(name.string(), failure.what() + std::string(keras_advice));
  } catch (const InputError& error) {
    throw InputError(name.string(), error.what());
  }
}

/// Hands the new values to the arrays of an open copy, in the order in which the reader comes by.
class Overwriter {
 public:
  Overwriter(const fs::path& target, std::optional<std::uint64_t> iterations)
      : target_(target), iterations_(iterations) {}

  KerasReader::Visit write(std::span<const KerasArray> arrays) {
    return [this, arrays, next = std::size_t{0}](const KerasArray& there,
                                                 hdf5::Numbers& numbers) mutable {
      if (next == arrays.size() || arrays[next].dataset != there.dataset ||
          arrays[next].shape != there.shape) {
        throw_other_arrays(there.dataset);
      }
      write_array(arrays[next++].values, there, numbers);
      ++written_;
    };
  }

  /// For what keeps its values, the step counter perhaps excepted.
  KerasReader::Visit keep() {
    return [this](const KerasArray& there, hdf5::Numbers& numbers) {
      if (is_new_counter(there, numbers)) write_counter(numbers);
    };
  }

  /// Checks that all values have found their place.
  void finish(std::size_t arrays) const {
    if (written_ != arrays) throw_other_arrays("the last array");
    if (iterations_) throw InputError("the file has no step counter to write the new one to");
  }

  [[noreturn]] void throw_unwritten(const std::exception& reason) const {
    throw IoError(
        fmt::format("{}: the model cannot be written: {}", target_.string(), reason.what()));
  }

 private:
  [[noreturn]] static void throw_other_arrays(std::string_view where) {
    throw InputError(
        fmt::format("at {}: the arrays are not those that were read from this file; has it been "
                    "replaced meanwhile?",
                    where));
  }

  bool is_new_counter(const KerasArray& there, const hdf5::Numbers& numbers) const {
    return iterations_ && there.layer.empty() && numbers.is_integer() && numbers.size() == 1 &&
           is_step_counter(there.name);
  }

  void write_array(const std::vector<float>& values, const KerasArray& there,
                   hdf5::Numbers& numbers) {
    expects(values.size() == numbers.size(), "as many values as the shape of each array says");
    if (is_new_counter(there, numbers)) return write_counter(numbers);
    std::vector<float> old(numbers.size());
    numbers.read(old);
    if (values.empty() || std::memcmp(old.data(), values.data(), old.size() * sizeof(float)) == 0) {
      return;
    }
    try {
      numbers.write(values);
    } catch (const hdf5::Failure& failure) {
      throw_unwritten(failure);
    }
  }

  void write_counter(hdf5::Numbers& numbers) {
    numbers.read_integer();  // checks its chunk
    try {
      numbers.write_integer(*std::exchange(iterations_, std::nullopt));
    } catch (const hdf5::Failure& failure) {
      throw_unwritten(failure);
    }
  }

  const fs::path& target_;
  std::optional<std::uint64_t> iterations_;
  std::size_t written_ = 0;
};

/// Not fs::copy_file, which would copy the permissions, too: the original may be read-only.
void copy_bytes(const fs::path& from, const fs::path& to, const fs::path& name) {
  std::ifstream input(from, std::ios::binary);
  std::ofstream output(to, std::ios::binary | std::ios::trunc);
  errno = 0;
  output << input.rdbuf();
  output.close();
  if (!input || !output) {
    throw IoError(fmt::format("{}: cannot be written as a copy of {}: {}", name.string(),
                              from.string(), std::strerror(errno)));
  }
}

}  // namespace

bool is_keras_file(const fs::path& path) {
  std::error_code ignored;
  if (!fs::is_regular_file(path, ignored)) return false;
  const hdf5::Session session;
  try {
    if (H5Fis_hdf5(path.c_str()) <= 0) return false;
    const hdf5::Handle file = hdf5::open_file(path);
    hdf5::FileBytes bytes(file.get(), path);
    const Kind kind = kind_of(file.get(), bytes);
    return kind == Kind::whole_model || kind == Kind::weights_only;
  } catch (const hdf5::Failure&) {
    return false;
  }
}

KerasFile read_keras_file(const fs::path& path) {
  return with_file(path, path, hdf5::open_file, [](KerasReader& reader, hdf5::Handle&) {
    KerasFile model = reader.read_texts();
    const auto read = [](KerasArray& array, const hdf5::Numbers& numbers) {
      array.values.resize(numbers.size());
      numbers.read(array.values);
    };
    reader.visit_weights([&](KerasArray array, hdf5::Numbers& numbers) {
      read(array, numbers);
      model.weights.push_back(std::move(array));
    });
    reader.visit_optimizer([&](KerasArray array, hdf5::Numbers& numbers) {
      read(array, numbers);
      if (!model.iterations && numbers.is_integer() && numbers.size() == 1 &&
          is_step_counter(array.name)) {
        model.iterations = numbers.read_integer();
      }
      model.optimizer_weights.push_back(std::move(array));
    });
    return model;
  });
}

KerasFile read_keras_texts(const fs::path& path) {
  return with_file(path, path, hdf5::open_file,
                   [](KerasReader& reader, hdf5::Handle&) { return reader.read_texts(); });
}

void write_keras_file(const fs::path& original, const fs::path& path,
                      std::span<const KerasArray> weights,
                      std::span<const KerasArray> optimizer_weights,
                      std::optional<std::uint64_t> iterations) {
  check_readable(original);
  detail::PendingFile pending(path);
  copy_bytes(original, pending.path(), path);
  with_file(original, pending.path(), hdf5::open_file_to_change,
            [&](KerasReader& reader, hdf5::Handle& file) {
              Overwriter writer(path, iterations);
              reader.visit_weights(writer.write(weights));
              reader.visit_optimizer(optimizer_weights.empty() ? writer.keep()
                                                               : writer.write(optimizer_weights));
              writer.finish(weights.size() + optimizer_weights.size());
              try {
                hdf5::checked(H5Fflush(file.get(), H5F_SCOPE_GLOBAL), "the file is not complete");
                file.close("the file is not complete");
              } catch (const hdf5::Failure& failure) {
                writer.throw_unwritten(failure);
              }
            });
  pending.commit();
}

}  // namespace daig::store
