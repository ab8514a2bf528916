#include "model.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <daig/core/error.hpp>
#include <daig/data/batch.hpp>
#include <daig/data/shape.hpp>
#include <daig/store/keras_file.hpp>

#include "keras_model.hpp"
#include "outcome.hpp"

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
  return {.network = std::move(network), .weights = std::move(saved.weights)};
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

void warn_of_metrics(const Model& model, const std::string& where) {
  if (model.ignored_metrics.empty()) return;
  warn(fmt::format("{}: metrics that are not computed here: {}", where,
                   fmt::join(model.ignored_metrics, ", ")));
}

data::Dataset fit_labels(const nn::Network<float>& network, const data::Dataset& dataset) {
  const nn::LossFunction<float>& loss = network.loss();
  const bool takes_classes = loss.takes(nn::LabelKind::classes);
  const bool takes_targets = loss.takes(nn::LabelKind::targets);
  const std::size_t labels = dataset.labels().sample_size();
  if (takes_classes && labels == 1) return dataset.with_labels_as(data::LabelKind::classes);
  if (takes_targets && labels == network.output_size()) {
    return dataset.with_labels_as(data::LabelKind::targets);
  }
  const std::string which = fmt::format(
      "{}: a sample has {} label{}, and the loss of the model {}, {}, takes ",
      dataset.labels().name(), labels, labels == 1 ? "" : "s", network.title(), loss.name());
  if (takes_targets) {
    throw UsageError(which + fmt::format("{} targets, one for each output{}", network.output_size(),
                                         takes_classes ? ", or one class" : ""));
  }
  throw UsageError(which +
                   "one class: from one-hot labels, take array.argmax(1), or compile a Keras model "
                   "with categorical_crossentropy");
}

train::OptimizerState optimizer_state_of(const store::SavedModel& saved) {
  return {{saved.optimizer.slots.begin(), saved.optimizer.slots.end()}, saved.optimizer.scalars};
}

void check_features(const nn::Network<float>& network, const data::ArraySource& features) {
  if (features.sample_size() == network.input_size()) return;
  throw UsageError(fmt::format("{}: a sample has {} numbers, shape {}, and the model {} takes {}",
                               features.name(), features.sample_size(),
                               data::to_text(features.sample_shape()), network.title(),
                               network.input_size()));
}

void check_values(const nn::Network<float>& network, const data::ArraySource& features,
                  data::Scale scale) {
  if (!network.checks_features()) return;
  if (scale != data::Scale{}) {
    throw UsageError(
        fmt::format("{}: these numbers are scaled on their way to the model, as bytes always are "
                    "unless told otherwise, and the model {} takes indices: give --scale 1",
                    features.name(), network.title()));
  }
  constexpr std::uint64_t piece = 1000;
  std::vector<std::byte> elements;
  std::vector<float> values;
  for (std::uint64_t first = 0; first < features.count(); first += piece) {
    const std::uint64_t count = std::min(piece, features.count() - first);
    elements.resize(count * features.sample_bytes());
    values.resize(count * features.sample_size());
    features.read(first, count, elements);
    data::to_floats(features.type(), elements, values, scale);
    try {
      network.check_features(values, first);
    } catch (const InputError& error) {
      throw InputError(features.name(), error.what());
    }
  }
}

void check_labels(const nn::Network<float>& network, const data::Dataset& dataset) {
  if (dataset.label_kind() == data::LabelKind::targets) return;
  data::check_labels(dataset, static_cast<std::int32_t>(network.output_size()));
}

void check_dataset(const nn::Network<float>& network, const data::Dataset& dataset) {
  check_features(network, dataset.features());
  check_values(network, dataset.features(), dataset.scale());
  check_labels(network, dataset);
}

}  // namespace daig::launcher
