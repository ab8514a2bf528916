#pragma once

/// A dataset: an array of features and an array of labels, sample by sample.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include <daig/data/array_source.hpp>
#include <daig/data/batch.hpp>

namespace daig::data {

/// Features and labels of the same number of samples. A value: copies share the open files. Any
/// thread may read.
class Dataset {
 public:
  /// Labels that are one integer a sample are classes, all others are targets.
  /// @param scale  of the features; nothing: the default_scale of their type
  /// @throws InputError naming both files when the counts differ.
  Dataset(ArraySource features, ArraySource labels, std::optional<Scale> scale = std::nullopt);

  /// The same samples, with the labels taken for this kind: integers may be targets, and numbers
  /// that are whole may be classes, whatever their type.
  /// @throws InputError naming the labels' file when there are several for each sample, and classes
  /// are wanted.
  Dataset with_labels_as(LabelKind kind) const;

  std::uint64_t count() const { return features_.count(); }
  const ArraySource& features() const { return features_; }
  const ArraySource& labels() const { return labels_; }
  LabelKind label_kind() const { return label_kind_; }
  /// What features are scaled by on their way to the model.
  Scale scale() const { return scale_.value_or(default_scale(features_.type())); }
  void set_scale(std::optional<Scale> scale) { scale_ = scale; }

  /// Samples first ... first + count - 1 of it. Expects them to exist, and one at least. Reads
  /// nothing.
  Dataset slice(std::uint64_t first, std::uint64_t count) const;

  /// Reads the class indices of samples first ... first + into.size() - 1. Expects class labels.
  /// @throws InputError naming the file, the sample and the value when one is negative, above
  /// 2^31 - 2, or not whole.
  void read_classes(std::uint64_t first, std::span<std::int32_t> into) const;

  /// Reads the targets of samples from `first` on, each as the number that it is in the file.
  /// Expects targets, and `into` to have the size of whole samples.
  /// @throws InputError naming the file and the sample when one is no finite number.
  void read_targets(std::uint64_t first, std::span<float> into) const;

 private:
  ArraySource features_;
  ArraySource labels_;
  LabelKind label_kind_;
  std::optional<Scale> scale_;
};

/// A dataset as it is handed around: one part to train on, and often one to test with at the end,
/// and one to watch the training by.
struct DatasetSplits {
  Dataset train;
  std::optional<Dataset> test;
  std::optional<Dataset> validation;
};

/// Holds back the last part of a dataset, as validation_split of Keras's fit does: of n samples,
/// those from floor(n * (1 - part)) on, in the order of the files. Reads nothing.
/// @throws UsageError when `part` does not lie between 0 and 1, or leaves a side without samples.
std::pair<Dataset, Dataset> hold_back(const Dataset& dataset, double part);

/// Opens a dataset by name, folder or .npz file.
///
/// "fashion-mnist" is the one that Debian packages. A folder holds either MNIST's four files,
/// (train|t10k)-images-idx3-ubyte and (train|t10k)-labels-idx1-ubyte, each plain or .gz, or
/// x_train.npy, y_train.npy, x_test.npy and y_test.npy; a .npz file, arrays of these four names.
/// What there is to test with may be missing, both.
/// @throws InputError saying what is missing, and as open_array.
DatasetSplits open_dataset(const std::string& name_or_path);

/// Opens one dataset from two files. @throws as open_array and Dataset.
Dataset open_arrays(const std::filesystem::path& features, const std::filesystem::path& labels);

/// The greatest class index + 1. Expects class labels. Cost: reads all labels.
std::int32_t class_count(const Dataset& dataset);

/// Checks that all class indices are below `classes`. Expects class labels. Cost: reads all labels.
/// @throws InputError naming the file, the first such sample and its value.
void check_labels(const Dataset& dataset, std::int32_t classes);

/// Checks that samples first ... first + count - 1 hold finite numbers only (in single precision,
/// which is what a model sees). Cost: reads them, in pieces of about a MiB; nothing for integers.
/// @throws InputError naming the file, the sample and the value.
void check_finite(const ArraySource& features, std::uint64_t first, std::uint64_t count);

/// The same for elements that were read already, of sample `first` and those that follow.
void check_finite(const ArraySource& features, std::uint64_t first,
                  std::span<const std::byte> elements);

/// Reads samples first ... first + count - 1, in their order: what evaluation goes through.
/// @throws as read_classes, read_targets and check_finite.
void read_batch(const Dataset& dataset, std::uint64_t first, std::uint64_t count, Batch& into);
Batch read_batch(const Dataset& dataset, std::uint64_t first, std::uint64_t count);

}  // namespace daig::data
