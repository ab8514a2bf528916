#pragma once

/// Keras files as models, and their way back.

#include <filesystem>
#include <span>
#include <string_view>

#include <daig/optim/make_optimizer.hpp>
#include <daig/store/keras_file.hpp>

#include "model.hpp"

namespace daig::launcher {

/// The network that a Keras file describes, with the file's weights.
/// @param where  named in errors. @throws InputError when the model is not one that can be trained
/// here, naming the layer and the option, or when its arrays are not those that it should have.
Model model_of(const store::KerasFile& file, const std::string& where);

/// The optimiser that the model was compiled with.
/// @throws InputError when it is one that is not known here, or has options that are not.
optim::OptimizerOptions optimizer_of(const store::KerasFile& file, const std::string& where);

/// Writes `original` again, to `path`, with other weights. Expects those of its own network.
/// @throws as store::write_keras_file.
void write_keras_model(const std::filesystem::path& original, const std::filesystem::path& path,
                       std::span<const float> weights);

}  // namespace daig::launcher
