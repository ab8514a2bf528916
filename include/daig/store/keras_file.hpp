#pragma once

/// Keras's model files in HDF5, as model.save("model.h5") of Keras 2.2 to 3.x writes them: read
/// them, and write them back with other values. What the configuration in them means is for others.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace daig::store {

/// One array of a Keras model, as the file has it.
struct KerasArray {
  std::string layer;               ///< empty for what the optimiser remembers
  std::string name;                ///< as Keras lists it, e.g. "conv2d/kernel:0"
  std::string dataset;             ///< its path in the file
  std::vector<std::size_t> shape;  ///< empty for a scalar
  std::vector<float> values;       ///< row-major; from whatever number type the file has

  friend bool operator==(const KerasArray&, const KerasArray&) = default;
};

/// What a Keras file holds.
struct KerasFile {
  std::string model_config;     ///< JSON, verbatim
  std::string training_config;  ///< JSON, verbatim; empty when the model was not compiled
  std::string keras_version;    ///< empty when the file does not say
  std::string backend;          ///< empty when the file does not say
  /// Layer after layer, in Keras's order; weights that belong to no layer (the group
  /// "top_level_model_weights") come last.
  std::vector<KerasArray> weights;
  /// In Keras's order, or where the file lists no names, in that of the names in their groups.
  /// The integer ones, e.g. the step counter, are here too.
  std::vector<KerasArray> optimizer_weights;
  /// The optimiser's step counter, exactly: a float would round one above 2^24.
  std::optional<std::uint64_t> iterations;
};

/// Whether this looks like a file of Keras's: a whole model, or weights only (which read_keras_file
/// refuses with advice). False for DAIG's own model files, for what is no HDF5, and for what cannot
/// be read. Threads: as read_keras_file. Cost: opens the file, reads a few hundred bytes.
bool is_keras_file(const std::filesystem::path& path);

/// Reads a Keras file. Numbers of 16, 32 or 64 bits of any byte order become floats; arrays may be
/// chunked and packed by deflate. Nothing is believed unchecked: links to other files are refused,
/// and memory is bounded by what the file can hold (the file's size; 1032 times that where packed).
/// Threads: any; HDF5 is used by one at a time. Cost: one read of the file.
/// @throws InputError naming the file, the place in it, what is wrong, and what to do; so for
///         weights without an architecture and for the zipped ".keras" format, too;
///         IoError when the system does not let the file be read.
KerasFile read_keras_file(const std::filesystem::path& path);

/// The same without the arrays, of which nothing is read. Cost: as is_keras_file, and the texts.
KerasFile read_keras_texts(const std::filesystem::path& path);

/// Writes `original` again with other values: a byte copy in which only arrays are overwritten,
/// each in its own number type. Configuration, names and all else stay as they are; so does an
/// array whose values have not changed, so that what a float cannot hold is not rounded. Under a
/// temporary name, flushed to the disk, then renamed; `path` may be `original`. Expects `weights`
/// (and `optimizer_weights`, unless empty: the old ones stay) as read_keras_file gave them for
/// `original`, with as many values. `iterations`, if given, is the new step counter, which the file
/// has to have. Threads: as read_keras_file. Cost: two reads of `original`, one write of the whole
/// file and one of the arrays, one fsync; memory for one array.
/// @throws InputError when `original` cannot be read, or has other arrays;
///         IoError naming `path` and the reason; the temporary file is then gone.
void write_keras_file(const std::filesystem::path& original, const std::filesystem::path& path,
                      std::span<const KerasArray> weights,
                      std::span<const KerasArray> optimizer_weights = {},
                      std::optional<std::uint64_t> iterations = {});

}  // namespace daig::store
