#pragma once

/// Model files as networks, and whether a network and data fit each other.

#include <filesystem>
#include <vector>

#include <daig/data/dataset.hpp>
#include <daig/nn/network.hpp>
#include <daig/store/model_file.hpp>

namespace daig::launcher {

/// A network with weights.
struct Model {
  nn::Network<float> network;
  std::vector<float> weights;
};

/// Reads a model file, DAIG's own or Keras's. @throws as store::read_model and
/// store::read_keras_file, and InputError when its spec is no network's,
/// or its arrays are not the ones that the network has.
Model load_model(const std::filesystem::path& path);

/// The same of what was read already. @param where  named in errors
nn::Network<float> network_of(const store::SavedModel& saved, const std::string& where);

/// Whether the parameters of both have the same names and shapes, in the same order.
bool same_arrays(const model::Layout& a, const model::Layout& b);

/// Checks that the network takes such samples. @throws UsageError naming the file and both sizes.
void check_features(const nn::Network<float>& network, const data::ArraySource& features);

/// Checks the labels, too: their kind, their number, their range.
/// @throws UsageError when they are of another kind or size than the network's loss takes;
/// InputError naming the file and the sample when a class is too large. Cost: reads all labels.
void check_dataset(const nn::Network<float>& network, const data::Dataset& dataset);

}  // namespace daig::launcher
