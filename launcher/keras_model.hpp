#pragma once

/// Keras files as models, and their way back.

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include <daig/model/layout.hpp>
#include <daig/optim/optimizer_options.hpp>
#include <daig/store/keras_file.hpp>
#include <daig/train/task.hpp>

#include "model.hpp"

namespace daig::launcher {

/// The network that a Keras file describes, with the file's weights.
/// @param where  named in errors. @throws InputError when the model is not one that can be trained
/// here, naming the layer and the option, or when its arrays are not those that it should have.
Model model_of(const store::KerasFile& file, const std::string& where);

/// For each parameter of the layout, its array in the file: a layer's arrays are in the order of
/// its parameters. @throws InputError when they are not those that it should have.
std::vector<const store::KerasArray*> match_arrays(const model::Layout& layout,
                                                   const store::KerasFile& file,
                                                   const std::string& where);

/// The same with null in the place of those that no optimiser moves, as find_state wants it.
std::vector<const store::KerasArray*> trained_arrays(const model::Layout& layout,
                                                     std::vector<const store::KerasArray*> arrays);

/// How far a run with a Keras file's own optimiser has come from the state in the file.
struct KerasProgress {
  const optim::OptimizerOptions& optimizer;
  const train::OptimizerState& state;
  std::uint64_t steps = 0;
};

/// Writes `original` again, to `path`, with other weights, and with the state of its optimiser
/// where it holds one. Expects those of its own network.
/// @param progress  null when the optimiser was another one. @throws as store::write_keras_file.
void write_keras_model(const std::filesystem::path& original, const std::filesystem::path& path,
                       std::span<const float> weights, const KerasProgress* progress = nullptr);

}  // namespace daig::launcher
