#include <algorithm>
#include <fstream>
#include <memory>
#include <optional>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <daig/core/error.hpp>
#include <daig/store/hdf5_array.hpp>

#include "hdf5.hpp"
#include "hdf5_bytes.hpp"
#include "hdf5_header.hpp"
#include "hdf5_numbers.hpp"

namespace daig::store {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_arrays = 1000;
constexpr std::size_t most_objects = 10'000;
constexpr int most_depth = 16;

/// Collects the arrays below a group; knows each object by its path, and gives up on too many.
class ArrayList {
 public:
  ArrayList(hid_t file, hdf5::FileBytes& bytes) : bytes_(bytes) {
    walk(hdf5::open_checked(bytes_, file, "", "/").get(), "", 0);
  }

  std::vector<std::string> take() && { return std::move(names_); }

 private:
  void walk(hid_t group, const std::string& prefix, int depth) {
    if (depth > most_depth) return;
    for (const std::string& name : hdf5::link_names(group, most_objects)) {
      if (names_.size() == most_arrays || ++seen_ > most_objects) return;
      const std::string path = prefix + "/" + name;
      std::optional<hdf5::Handle> object;
      try {
        object.emplace(hdf5::open_checked(bytes_, group, prefix, name));
      } catch (const hdf5::Failure&) {
        continue;  // a link that leads nowhere, or elsewhere, or to what is damaged
      }
      const H5I_type_t type = H5Iget_type(object->get());
      if (type == H5I_DATASET) names_.push_back(path);
      if (type == H5I_GROUP) walk(object->get(), path, depth + 1);
    }
  }

  hdf5::FileBytes& bytes_;
  std::vector<std::string> names_;
  std::size_t seen_ = 0;
};

std::string listed(std::vector<std::string> names) {
  constexpr std::size_t most = 20;
  if (names.empty()) return "no array";
  const std::size_t more = names.size() > most ? names.size() - most : 0;
  names.resize(names.size() - more);
  for (std::string& name : names) {
    std::ranges::replace_if(
        name, [](char c) { return c < ' ' || c > '~'; }, '?');
  }
  if (more > 0) names.push_back(fmt::format("{} more", more));
  return fmt::format("{}", fmt::join(names, ", "));
}

/// The file's only array. @throws InputError when there is none, or a choice.
std::string only_array(hid_t file, hdf5::FileBytes& bytes, const fs::path& path) {
  const std::vector<std::string> names = ArrayList(file, bytes).take();
  if (names.size() == 1) return names.front();
  const std::string shown = path.string();
  throw InputError(shown, fmt::format("holds {}; say which array is meant, as in {}:/NAME",
                                      listed(names), shown));
}

/// @throws InputError when there is no array of this name, or none that is whole.
hdf5::Handle open_array(hid_t file, hdf5::FileBytes& bytes, const fs::path& path,
                        const std::string& name, const std::string& wanted) {
  std::string why = "it is something else";
  try {
    hdf5::open_checked(bytes, file, "", "/");  // whose links lead to all others
    hdf5::Handle object = hdf5::open_checked(bytes, file, "", name);
    if (H5Iget_type(object.get()) == H5I_DATASET) return object;
  } catch (const hdf5::Failure& failure) {
    why = failure.what();
  }
  throw InputError(path.string(), fmt::format("has no array '{}' of numbers: {}; the file holds {}",
                                              wanted, why, listed(ArrayList(file, bytes).take())));
}

data::Shape shape_of(const hdf5::Numbers& numbers) {
  data::Shape shape(numbers.shape().begin(), numbers.shape().end());
  if (shape.empty() || shape.size() > data::max_rank) {
    throw hdf5::Failure(
        fmt::format("it has {} axes; an array of samples has from 1 to {}, the "
                    "first counting the samples",
                    shape.size(), data::max_rank));
  }
  if (numbers.size() == 0) {
    throw hdf5::Failure(fmt::format("its shape {} holds no element; there is nothing to train on",
                                    data::to_text(shape)));
  }
  return shape;
}

/// Closes what HDF5 has open under HDF5's lock, whichever thread lets go last.
class Hdf5Samples final : public data::SampleReader {
 public:
  /// Expects a Session.
  Hdf5Samples(std::string name, hdf5::Handle file, hdf5::Numbers numbers)
      : SampleReader(std::move(name), numbers.type(), shape_of(numbers)),
        file_(std::move(file)),
        numbers_(std::move(numbers)) {}
  ~Hdf5Samples() override {
    const hdf5::Session session;
    numbers_.reset();
    file_.reset();
  }
  Hdf5Samples(const Hdf5Samples&) = delete;
  Hdf5Samples& operator=(const Hdf5Samples&) = delete;
  Hdf5Samples(Hdf5Samples&&) = delete;
  Hdf5Samples& operator=(Hdf5Samples&&) = delete;

  void read(std::uint64_t first, std::uint64_t count, std::span<std::byte> into) const override {
    const hdf5::Session session;
    try {
      numbers_->read_rows(first, count, into);
    } catch (const hdf5::Failure& failure) {
      throw InputError(name(),
                       fmt::format("{}; the file is damaged: get it again", failure.what()));
    }
  }

 private:
  std::optional<hdf5::Handle> file_;
  mutable std::optional<hdf5::Numbers> numbers_;  ///< remembers which chunks were looked at
};

}  // namespace

bool is_hdf5_file(const fs::path& path) {
  constexpr std::string_view magic = "\x89HDF\r\n\x1A\n";
  std::string start(magic.size(), '\0');
  std::error_code unreadable;
  if (!fs::is_regular_file(path, unreadable)) return false;
  std::ifstream file(path, std::ios::binary);
  return file.read(start.data(), static_cast<std::streamsize>(start.size())) && start == magic;
}

std::vector<std::string> hdf5_array_names(const fs::path& path) {
  const hdf5::Session session;
  try {
    const hdf5::Handle file = hdf5::open_file(path);
    hdf5::FileBytes bytes(file.get(), path);
    return ArrayList(file.get(), bytes).take();
  } catch (const hdf5::Failure& failure) {
    throw InputError(path.string(), failure.what());
  }
}

data::SampleReaderPtr open_hdf5_array(const fs::path& path, const std::string& array) {
  const hdf5::Session session;
  std::string where = path.string();
  try {
    hdf5::Handle file = hdf5::open_file(path);
    hdf5::FileBytes bytes(file.get(), path);
    const std::string name = array.empty()            ? only_array(file.get(), bytes, path)
                             : array.starts_with('/') ? array
                                                      : "/" + array;
    hdf5::Handle object = open_array(file.get(), bytes, path, name, array);
    where += ":" + name;
    hdf5::Numbers numbers(std::move(object), "the array", hdf5::Booleans::are_numbers);
    if (numbers.stored_bytes() > fs::file_size(path)) {
      throw hdf5::Failure(
          fmt::format("it claims {} bytes, more than the file has", numbers.stored_bytes()));
    }
    return std::make_shared<const Hdf5Samples>(where, std::move(file), std::move(numbers));
  } catch (const hdf5::Failure& failure) {
    throw InputError(where, failure.what());
  } catch (const fs::filesystem_error& error) {
    throw InputError(where, error.code().message());
  }
}

}  // namespace daig::store
