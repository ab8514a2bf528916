#include "model.hpp"

#include <algorithm>

#include <fmt/format.h>

#include <daig/core/error.hpp>
#include <daig/data/shape.hpp>
#include <daig/store/keras_file.hpp>

#include "keras_model.hpp"

namespace daig::launcher {

bool same_arrays(const model::Layout& a, const model::Layout& b) {
  return std::ranges::equal(a.parameters(), b.parameters(),
                            [](const model::Parameter& left, const model::Parameter& right) {
                              return left.name == right.name && left.shape == right.shape;
                            });
}

Model load_model(const std::filesystem::path& path) {
  if (store::is_keras_file(path)) return model_of(store::read_keras_file(path), path.string());
  store::SavedModel saved = store::read_model(path);
  nn::Network<float> network = network_of(saved, path.string());
  return {std::move(network), std::move(saved.weights)};
}

nn::Network<float> network_of(const store::SavedModel& saved, const std::string& where) {
  try {
    nn::Network<float> network(saved.spec);
    if (same_arrays(network.layout(), saved.layout)) return network;
  } catch (const UsageError& error) {
    throw InputError(where, error.what());
  }
  throw InputError(where,
                   "the arrays are not those of the model that the file is said to hold; it "
                   "was written by another program");
}

void check_features(const nn::Network<float>& network, const data::ArraySource& features) {
  if (features.sample_size() == network.input_size()) return;
  throw UsageError(fmt::format("{}: a sample has {} numbers, shape {}, and the model {} takes {}",
                               features.name(), features.sample_size(),
                               data::to_text(features.sample_shape()), network.title(),
                               network.input_size()));
}

void check_dataset(const nn::Network<float>& network, const data::Dataset& dataset) {
  check_features(network, dataset.features());
  const std::string& name = dataset.labels().name();
  const bool wants_classes = network.loss().label_kind() == nn::LabelKind::classes;
  const bool has_classes = dataset.label_kind() == data::LabelKind::classes;
  if (wants_classes != has_classes) {
    throw UsageError(
        fmt::format("{}: these labels are {}, and the loss {} of the model {} is for {}", name,
                    has_classes ? "classes (integers)" : "targets (floats)", network.loss().name(),
                    network.title(), wants_classes ? "classes" : "targets"));
  }
  if (has_classes) {
    return data::check_labels(dataset, static_cast<std::int32_t>(network.output_size()));
  }
  if (dataset.labels().sample_size() == network.output_size()) return;
  throw UsageError(fmt::format("{}: a sample has {} targets, and the model {} gives {}", name,
                               dataset.labels().sample_size(), network.title(),
                               network.output_size()));
}

}  // namespace daig::launcher
