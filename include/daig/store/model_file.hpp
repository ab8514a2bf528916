#pragma once

/// Model files: the weights of a model, and all that is needed to go on training it, in one HDF5
/// file that any HDF5 tool can open. Snapshots and final models are the same. docs/formats.md
/// describes the file.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <daig/core/id.hpp>
#include <daig/model/layout.hpp>

namespace daig::store {

/// What an optimiser remembers from step to step.
struct SavedOptimizer {
  std::string name;     ///< e.g. "adam"; empty when there is nothing to remember
  std::string options;  ///< as text, in the words of whoever reads it back
  /// One value a weight, e.g. "momentum"; each as long as the weights.
  std::vector<std::pair<std::string, std::vector<float>>> slots;
  std::map<std::string, double> scalars;

  friend bool operator==(const SavedOptimizer&, const SavedOptimizer&) = default;
};

/// A model at one weights version.
struct SavedModel {
  std::string spec;  ///< what model it is, e.g. "mlp:784-128-10"; opaque here
  model::Layout layout;
  std::vector<float> weights;  ///< flat, in the layout's order
  SavedOptimizer optimizer;
  Version version;  ///< committed steps
  Epoch epoch;      ///< the epoch that the next batches are from
  std::uint64_t seed = 0;
};

/// Writes a model file: under a temporary name in the same folder, flushed to the disk, then
/// renamed. Whatever happens half-way, `path` names either the old file or the whole new one.
/// Expects array and slot names that HDF5 can hold as paths: "a/b", without empty or dotted parts.
/// Threads: any; HDF5 is used by one at a time. Cost: one write of all arrays, and one fsync.
/// @param before_rename  for experiments: called once the temporary file is written
/// @throws IoError naming the path and the system's reason; the temporary file is then gone.
void write_model(const std::filesystem::path& path, const SavedModel& model,
                 const std::function<void()>& before_rename = {});

/// Reads a model file back. Shapes, types, sizes and digests are checked before they are believed,
/// and nothing larger than the file itself is allocated. Threads: as write_model.
/// @throws InputError naming the file, what is wrong in it, and what to do;
///         IoError when the system does not let the file be read.
SavedModel read_model(const std::filesystem::path& path);

/// What a model file holds, in words, a few lines. Reads and checks all of it, as read_model.
std::string describe_model(const std::filesystem::path& path);

/// Finds out early whether write_model could write here: creates and removes a file beside `path`.
/// @throws IoError naming the path and the reason.
void check_writable(const std::filesystem::path& path);

/// The digest that proves that two ranks, or a rank and a file, hold the same weights.
std::uint64_t weights_digest(const SavedModel& model);

}  // namespace daig::store
