#include <algorithm>
#include <cmath>
#include <limits>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <daig/core/error.hpp>
#include <daig/data/dataset.hpp>
#include <daig/data/npz.hpp>

namespace daig::data {
namespace {

namespace fs = std::filesystem;

/// Samples to read at a time where many are gone through: about a MiB.
std::uint64_t samples_a_piece(const ArraySource& array) {
  constexpr std::size_t piece_bytes = std::size_t{1} << 20;
  return std::max<std::uint64_t>(1, piece_bytes / array.sample_bytes());
}

/// Calls visit(first, count) for consecutive pieces of samples first ... first + count - 1.
template <class Visit>
void for_each_piece(const ArraySource& array, std::uint64_t first, std::uint64_t count,
                    Visit&& visit) {
  const std::uint64_t step = samples_a_piece(array);
  for (std::uint64_t done = 0; done < count; done += step) {
    visit(first + done, std::min(step, count - done));
  }
}

/// Calls visit(sample, class) for all samples.
template <class Visit>
void for_each_class(const Dataset& dataset, Visit&& visit) {
  std::vector<std::int32_t> classes;
  for_each_piece(dataset.labels(), 0, dataset.count(),
                 [&](std::uint64_t first, std::uint64_t count) {
                   classes.resize(count);
                   dataset.read_classes(first, classes);
                   for (std::uint64_t i = 0; i < count; ++i) visit(first + i, classes[i]);
                 });
}

/// The file or its gzipped form; nothing when there is neither.
std::optional<fs::path> find_plain_or_gz(const fs::path& path) {
  for (const fs::path& form : {path, fs::path(path.native() + ".gz")}) {
    std::error_code unreadable;  // what may not be looked at is not there
    if (fs::exists(form, unreadable)) return form;
  }
  return std::nullopt;
}

/// Opens a pair of files of a folder; nothing when both are missing.
std::optional<Dataset> open_pair(const fs::path& folder, const char* features, const char* labels) {
  const auto features_path = find_plain_or_gz(folder / features);
  const auto labels_path = find_plain_or_gz(folder / labels);
  if (!features_path && !labels_path) return std::nullopt;
  if (!features_path || !labels_path) {
    throw InputError(
        folder.native(),
        fmt::format("has {} but no {}; features and labels come in pairs",
                    features_path ? features : labels, features_path ? labels : features));
  }
  return open_arrays(*features_path, *labels_path);
}

/// Whether a label can be a class index: whole, and from 0 to 2^31 - 2.
bool is_class(double value) {
  constexpr double limit = std::numeric_limits<std::int32_t>::max();
  return value >= 0 && value < limit && value == std::trunc(value);
}

/// The arrays that Keras's own datasets have, too: mnist.npz, imdb.npz and others.
DatasetSplits open_npz_dataset(const fs::path& path) {
  const ByteSourcePtr file = open_file(path);
  std::vector<std::byte> start(std::min<std::uint64_t>(file->size(), 4));
  file->read(0, start);
  if (!is_npz(start)) {
    throw InputError(path.native(),
                     "is a file that is no .npz file; give its arrays with --data and --labels");
  }
  const std::vector<std::string> names = npz_names(*file);
  const auto open_pair_of = [&](const char* features, const char* labels) {
    return Dataset(open_npz(file, features), open_npz(file, labels));
  };
  DatasetSplits splits{open_pair_of("x_train", "y_train"), std::nullopt, std::nullopt};
  const auto holds = [&](const char* name) { return std::ranges::count(names, name) > 0; };
  if (holds("x_test") || holds("y_test")) splits.test = open_pair_of("x_test", "y_test");
  return splits;
}

constexpr const char* packaged_folder = "/usr/share/datasets/fashion-mnist";

}  // namespace

Dataset::Dataset(ArraySource features, ArraySource labels, std::optional<Scale> scale)
    : features_(std::move(features)),
      labels_(std::move(labels)),
      label_kind_(is_floating(labels_.type()) || labels_.sample_size() != 1 ? LabelKind::targets
                                                                            : LabelKind::classes),
      scale_(scale) {
  if (features_.count() != labels_.count()) {
    throw InputError(features_.name(),
                     fmt::format("holds {} samples, but {} holds {} labels; every "
                                 "sample needs one",
                                 features_.count(), labels_.name(), labels_.count()));
  }
}

Dataset Dataset::with_labels_as(LabelKind kind) const {
  if (kind == LabelKind::classes && labels_.sample_size() != 1) {
    throw InputError(labels_.name(),
                     fmt::format("holds numbers of shape {} for each sample; a class label is one "
                                 "whole number (from one-hot labels, array.argmax(1))",
                                 to_text(labels_.sample_shape())));
  }
  Dataset same = *this;
  same.label_kind_ = kind;
  return same;
}

Dataset Dataset::slice(std::uint64_t first, std::uint64_t count) const {
  Dataset part = *this;
  part.features_ = features_.slice(first, count);
  part.labels_ = labels_.slice(first, count);
  return part;
}

std::pair<Dataset, Dataset> hold_back(const Dataset& dataset, double part) {
  if (!(part > 0 && part < 1)) {
    throw UsageError(
        fmt::format("a part of {} cannot be held back: give one between 0 and 1, e.g. "
                    "0.2",
                    part));
  }
  const std::uint64_t count = dataset.count();
  const auto rest =
      static_cast<std::uint64_t>(std::floor(static_cast<double>(count) * (1.0 - part)));
  if (rest == 0 || rest >= count) {
    throw UsageError(fmt::format(
        "a part of {} of the {} samples of {} leaves none {}; choose "
        "another",
        part, count, dataset.features().name(), rest == 0 ? "to train on" : "to validate with"));
  }
  return {dataset.slice(0, rest), dataset.slice(rest, count - rest)};
}

void Dataset::read_classes(std::uint64_t first, std::span<std::int32_t> into) const {
  expects(label_kind() == LabelKind::classes, "class labels");
  std::vector<std::byte> bytes(into.size() * labels_.sample_bytes());
  labels_.read(first, into.size(), bytes);
  with_type(labels_.type(), [&](auto element) {
    const auto* values = reinterpret_cast<const decltype(element)*>(bytes.data());
    for (std::size_t i = 0; i < into.size(); ++i) {
      const auto value = static_cast<double>(values[i]);
      if (!is_class(value)) {
        const Place place = labels_.locate(first + i);
        throw InputError(place.name, fmt::format("the label of sample {} is {}; a class index is a "
                                                 "whole number and goes from 0 to 2^31 - 2",
                                                 place.sample, value));
      }
      into[i] = static_cast<std::int32_t>(value);
    }
  });
}

void Dataset::read_targets(std::uint64_t first, std::span<float> into) const {
  expects(label_kind() == LabelKind::targets, "targets");
  expects(into.size() % labels_.sample_size() == 0, "room for whole samples");
  std::vector<std::byte> bytes(into.size() * size_of(labels_.type()));
  labels_.read(first, into.size() / labels_.sample_size(), bytes);
  check_finite(labels_, first, bytes);
  to_floats(labels_.type(), bytes, into, Scale{});  // bytes, too, are what they are
}

DatasetSplits open_dataset(const std::string& name_or_path) {
  const bool packaged = name_or_path == "fashion-mnist";
  const fs::path folder = packaged ? packaged_folder : name_or_path;
  std::error_code unreadable;  // what may not be looked at is not there
  if (fs::is_regular_file(folder, unreadable)) return open_npz_dataset(folder);
  const bool is_folder = fs::is_directory(folder, unreadable);
  if (packaged && !is_folder) {
    throw InputError("fashion-mnist", fmt::format("there is no {}; install Debian's package "
                                                  "dataset-fashion-mnist, or give a folder with "
                                                  "the four files",
                                                  packaged_folder));
  }
  if (!is_folder) {
    throw InputError(name_or_path,
                     "is neither a folder, a .npz file nor the name of a dataset; the name that "
                     "is known is fashion-mnist");
  }
  if (auto train = open_pair(folder, "train-images-idx3-ubyte", "train-labels-idx1-ubyte")) {
    return {std::move(*train),
            open_pair(folder, "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"), std::nullopt};
  }
  if (auto train = open_pair(folder, "x_train.npy", "y_train.npy")) {
    return {std::move(*train), open_pair(folder, "x_test.npy", "y_test.npy"), std::nullopt};
  }
  throw InputError(name_or_path,
                   "holds no dataset: neither train-images-idx3-ubyte[.gz] and "
                   "train-labels-idx1-ubyte[.gz] nor x_train.npy and y_train.npy");
}

Dataset open_arrays(const fs::path& features, const fs::path& labels) {
  return {open_array(features), open_array(labels)};
}

std::int32_t class_count(const Dataset& dataset) {
  std::int32_t greatest = 0;
  for_each_class(dataset,
                 [&](std::uint64_t, std::int32_t label) { greatest = std::max(greatest, label); });
  return greatest + 1;
}

void check_labels(const Dataset& dataset, std::int32_t classes) {
  for_each_class(dataset, [&](std::uint64_t sample, std::int32_t label) {
    if (label < classes) return;
    const Place place = dataset.labels().locate(sample);
    throw InputError(
        place.name, fmt::format("the label of sample {} is {}, but there are {} classes, from 0 to "
                                "{}; give the model more outputs or correct the labels",
                                place.sample, label, classes, classes - 1));
  });
}

void check_finite(const ArraySource& features, std::uint64_t first, std::uint64_t count) {
  if (!is_floating(features.type())) return;
  std::vector<std::byte> elements;
  for_each_piece(features, first, count, [&](std::uint64_t start, std::uint64_t samples) {
    elements.resize(samples * features.sample_bytes());
    features.read(start, samples, elements);
    check_finite(features, start, elements);
  });
}

void check_finite(const ArraySource& features, std::uint64_t first,
                  std::span<const std::byte> elements) {
  const std::size_t bad = find_not_finite(features.type(), elements);
  if (bad * size_of(features.type()) == elements.size()) return;
  const auto* start = elements.data() + bad * size_of(features.type());
  const double value = with_type(features.type(), [start](auto element) {
    return static_cast<double>(*reinterpret_cast<const decltype(element)*>(start));
  });
  const Place place = features.locate(first + bad / features.sample_size());
  throw InputError(place.name,
                   fmt::format("element {} of sample {} is {}, no finite number of single "
                               "precision; training on it would turn all weights into nan: repair "
                               "or remove the sample",
                               bad % features.sample_size(), place.sample, value));
}

void read_batch(const Dataset& dataset, std::uint64_t first, std::uint64_t count, Batch& into) {
  const ArraySource& features = dataset.features();
  into.samples = count;
  into.sample_size = features.sample_size();
  into.features.resize(count * into.sample_size);
  std::vector<std::byte> elements(count * features.sample_bytes());
  features.read(first, count, elements);
  check_finite(features, first, elements);
  to_floats(features.type(), elements, into.features, dataset.scale());
  const bool classes = dataset.label_kind() == LabelKind::classes;
  into.target_size = classes ? 0 : dataset.labels().sample_size();
  into.classes.resize(classes ? count : 0);
  into.targets.resize(count * into.target_size);
  if (classes) {
    dataset.read_classes(first, into.classes);
  } else {
    dataset.read_targets(first, into.targets);
  }
}

Batch read_batch(const Dataset& dataset, std::uint64_t first, std::uint64_t count) {
  Batch batch;
  read_batch(dataset, first, count, batch);
  return batch;
}

}  // namespace daig::data
