#pragma once

/// Model files as networks, and whether a network and data fit each other.

#include <filesystem>
#include <string>
#include <vector>

#include <daig/data/dataset.hpp>
#include <daig/nn/network.hpp>
#include <daig/store/model_file.hpp>
#include <daig/train/task.hpp>

namespace daig::launcher {

/// A network with weights.
struct Model {
  nn::Network<float> network;
  std::vector<float> weights;
  std::vector<std::string> ignored_metrics = {};  ///< that a Keras model was compiled with
};

/// Reads a model file, DAIG's own or Keras's. @throws as store::read_model and
/// store::read_keras_file, and InputError when its spec is no network's,
/// or its arrays are not the ones that the network has.
Model load_model(const std::filesystem::path& path);

/// The same of what was read already. @param where  named in errors
nn::Network<float> network_of(const store::SavedModel& saved, const std::string& where);

/// A line on stderr for the metrics that are ignored, if there are some.
void warn_of_metrics(const Model& model, const std::string& where);

/// The dataset with its labels taken for what the network's loss takes: classes, or as many targets
/// as outputs, of whatever type they are. @throws UsageError naming the file, what its labels are,
/// and what the loss takes. Cost: reads nothing.
data::Dataset fit_labels(const nn::Network<float>& network, const data::Dataset& dataset);
/// The state of the optimiser that the model was saved with.
train::OptimizerState optimizer_state_of(const store::SavedModel& saved);
/// Whether the parameters of both have the same names and shapes, in the same order.
bool same_arrays(const model::Layout& a, const model::Layout& b);

/// Checks that the network takes such samples. @throws UsageError naming the file and both sizes.
void check_features(const nn::Network<float>& network, const data::ArraySource& features);

/// Checks what is in the samples, where the network can take some values only.
/// @throws UsageError for features that are scaled, InputError naming the file, the sample, its
/// value and the layer. Cost: reads all features; nothing for networks that take any values.
void check_values(const nn::Network<float>& network, const data::ArraySource& features,
                  data::Scale scale);

/// Expects the labels to be of fit_labels. @throws InputError naming the file and the sample when
/// one is no class of the network's. Cost: reads all labels that are classes.
void check_labels(const nn::Network<float>& network, const data::Dataset& dataset);

/// All three.
void check_dataset(const nn::Network<float>& network, const data::Dataset& dataset);

}  // namespace daig::launcher
