#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include <daig/core/error.hpp>
#include <daig/nn/keras_spec.hpp>
#include <daig/nn/layers/dense.hpp>
#include <daig/nn/losses/elementwise_loss.hpp>
#include <daig/nn/losses/softmax_cross_entropy.hpp>
#include <daig/nn/mlp_spec.hpp>
#include <daig/nn/network.hpp>

#include "keras_network.hpp"

namespace daig::nn {
namespace {

template <class T>
std::vector<std::unique_ptr<Layer<T>>> mlp_layers(const MlpSpec& spec) {
  std::vector<std::unique_ptr<Layer<T>>> layers;
  for (std::size_t i = 1; i < spec.sizes.size(); ++i) {
    const bool last = i + 1 == spec.sizes.size();
    layers.push_back(std::make_unique<Dense<T>>(fmt::format("dense_{}", i),
                                                Shape{spec.sizes[i - 1]}, spec.sizes[i],
                                                last ? Activation::linear : spec.activation));
  }
  return layers;
}

template <class T>
std::unique_ptr<LossFunction<T>> mlp_loss(const MlpSpec& spec) {
  if (spec.loss == name(ElementLoss::Kind::squared_error)) {
    return std::make_unique<ElementwiseLoss<T>>();
  }
  return std::make_unique<SoftmaxCrossEntropy<T>>();
}

template <class T>
Network<T> mlp(const MlpSpec& spec, std::shared_ptr<const Engine<T>> engine) {
  return Network<T>(mlp_layers<T>(spec), mlp_loss<T>(spec), to_text(spec), std::move(engine));
}

template <class T>
Network<T> keras(std::string_view spec, std::shared_ptr<const Engine<T>> engine) {
  KerasParts<T> parts = keras_parts<T>(spec);
  return Network<T>(std::move(parts.layers), std::move(parts.loss), std::string(spec),
                    std::move(engine), std::move(parts.title), parts.metrics);
}

/// The beginning of a buffer of the workspace, as a matrix.
template <class T>
Matrix<T> view(std::vector<T>& buffer, std::size_t rows, std::size_t columns) {
  return {std::span<T>(buffer).first(rows * columns), rows, columns};
}

}  // namespace

template <class T>
Network<T>::Network(std::string_view spec, std::shared_ptr<const Engine<T>> engine)
    : Network(spec.starts_with(keras_spec_prefix)
                  ? keras<T>(spec, std::move(engine))
                  : mlp<T>(parse_mlp_spec(spec), std::move(engine))) {}

template <class T>
Network<T>::Network(std::vector<std::unique_ptr<Layer<T>>> layers,
                    std::unique_ptr<LossFunction<T>> loss, std::string spec,
                    std::shared_ptr<const Engine<T>> engine, std::string title,
                    std::optional<Metrics> metrics)
    : layers_(std::move(layers)),
      loss_(std::move(loss)),
      spec_(std::move(spec)),
      title_(std::move(title)),
      engine_(std::move(engine)),
      outputs_(layers_.size()) {
  expects(!layers_.empty() && loss_ && engine_, "layers, a loss and an engine");
  metrics_ = metrics.value_or(Metrics{loss_->accuracy()});
  offsets_.push_back(0);
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    expects(
        i == 0 || elements(layers_[i]->input_shape()) == elements(layers_[i - 1]->output_shape()),
        "layers that take what the one before gives");
    parameters_.push_back(layout_.parameters().size());
    layers_[i]->declare_as_trained(layout_);
    offsets_.push_back(layout_.size());
    whole_batches_ = whole_batches_ || layers_[i]->needs_whole_batch();
  }
  const auto& parameters = layout_.parameters();
  const auto lowest = std::ranges::find_if(parameters, [](const model::Parameter& parameter) {
    return parameter.role != model::Role::frozen;
  });
  while (lowest_ < layers_.size() &&
         (lowest == parameters.end() || offsets_[lowest_ + 1] <= lowest->offset)) {
    ++lowest_;
  }
}

template <class T>
void Network<T>::initialise(std::span<T> weights, std::uint64_t seed) const {
  expects(weights.size() == layout_.size(), "weights as long as the layout");
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    layers_[i]->initialise(weights.subspan(offsets_[i], offsets_[i + 1] - offsets_[i]), seed,
                           static_cast<std::uint32_t>(parameters_[i]));
  }
}

template <class T>
bool Network<T>::gradient(std::span<const T> weights, const Samples<T>& samples,
                          std::span<T> gradient, const std::stop_token& stop, Loss& loss) {
  const std::size_t count = check(weights, samples.features);
  check_labels(samples, count);
  expects(gradient.size() == layout_.size(), "a gradient as long as the layout");
  loss = {};
  if (count == 0) std::ranges::fill(gradient, T{0});
  const Matrix<const T> inputs(samples.features, count, input_size());
  const std::size_t at_once = whole_batches_ ? count : micro_batch;
  for (std::size_t first = 0; first < count; first += at_once) {
    const std::size_t rows = std::min(at_once, count - first);
    const Matrix<const T> part = inputs.slice(first, rows);
    if (!forward(weights, part, Noise{samples.noise_seed, first}, stop)) return false;
    const Matrix<T> outputs = outputs_of(layers_.size() - 1, rows);
    const Matrix<T> delta = view(deltas_[0], rows, output_size());
    const Labels<T> labels = labels_of(samples, first, rows);
    loss += loss_->compute(*engine_, outputs, labels, delta);
    if (judges_samples()) count_correct(outputs, labels, loss);
    if (!backward(weights, part, first == 0 ? T{0} : T{1}, gradient, stop)) return false;
  }
  loss.loss_sum += regularize(weights, count, gradient);
  for (const model::Parameter& parameter : layout_.parameters()) {
    if (parameter.role != model::Role::frozen) continue;
    engine_->clear(gradient.subspan(parameter.offset, parameter.size()));
  }
  return true;
}

template <class T>
Loss Network<T>::evaluate(std::span<const T> weights, const Samples<T>& samples) {
  const std::size_t count = check(weights, samples.features);
  check_labels(samples, count);
  Loss loss;
  const Matrix<const T> inputs(samples.features, count, input_size());
  for (std::size_t first = 0; first < count; first += micro_batch) {
    const std::size_t rows = std::min(micro_batch, count - first);
    forward(weights, inputs.slice(first, rows), {}, {});
    const Matrix<T> outputs = outputs_of(layers_.size() - 1, rows);
    const Matrix<T> delta = view(deltas_[0], rows, output_size());
    const Labels<T> labels = labels_of(samples, first, rows);
    loss += loss_->compute(*engine_, outputs, labels, delta);
    judge(outputs, labels, delta, loss);
  }
  loss.loss_sum += regularize(weights, count, {});
  return loss;
}

template <class T>
void Network<T>::predict(std::span<const T> weights, std::span<const T> features,
                         std::span<T> outputs) {
  const std::size_t count = check(weights, features);
  expects(outputs.size() == count * output_size(), "room for n x output size values");
  const Matrix<const T> inputs(features, count, input_size());
  for (std::size_t first = 0; first < count; first += micro_batch) {
    const std::size_t rows = std::min(micro_batch, count - first);
    forward(weights, inputs.slice(first, rows), {}, {});
    const Matrix<T> results = outputs_of(layers_.size() - 1, rows);
    loss_->finish_prediction(*engine_, results);
    std::ranges::copy(results.values(),
                      outputs.begin() + static_cast<std::ptrdiff_t>(first * output_size()));
  }
}

/// Returns what the regularisers say that so many samples cost, and adds the derivative of that to
/// the gradient, unless that is empty.
template <class T>
double Network<T>::regularize(std::span<const T> weights, std::size_t samples,
                              std::span<T> gradient) const {
  double cost = 0;
  for (const model::Parameter& parameter : layout_.parameters()) {
    if (!parameter.regularizer.any()) continue;
    const auto place = [&](auto values) {
      return values.empty() ? values : values.subspan(parameter.offset, parameter.size());
    };
    cost += engine_->penalize(parameter.regularizer, place(weights), static_cast<T>(samples),
                              place(gradient));
  }
  return cost * static_cast<double>(samples);
}

template <class T>
void Network<T>::check_features(std::span<const T> features, std::uint64_t first) const {
  layers_.front()->check_features({features, features.size() / input_size(), input_size()}, first);
}

/// Returns the number of samples.
template <class T>
std::size_t Network<T>::check(std::span<const T> weights, std::span<const T> features) const {
  expects(weights.size() == layout_.size(), "weights as long as the layout");
  expects(features.size() % input_size() == 0, "features of whole samples");
  check_features(features);
  return features.size() / input_size();
}

template <class T>
void Network<T>::check_labels(const Samples<T>& samples, std::size_t count) const {
  if (!loss_->takes(LabelKind::classes) || !samples.targets.empty()) {
    expects(loss_->takes(LabelKind::targets) && samples.classes.empty() &&
                samples.targets.size() == count * output_size(),
            "n x output size targets, or classes: what the loss takes");
    return;
  }
  expects(samples.classes.size() == count, "a class for each sample");
  for (std::size_t i = 0; i < count; ++i) {
    const std::int32_t label = samples.classes[i];
    if (label >= 0 && static_cast<std::size_t>(label) < output_size()) continue;
    throw InputError(fmt::format(
        "sample {} of a batch has class {}, but model '{}' has {} outputs, for classes 0 to {}: "
        "check the labels, or give the model more outputs",
        i, label, title(), output_size(), output_size() - 1));
  }
}

/// Makes the workspace large enough for so many rows.
template <class T>
void Network<T>::reserve(std::size_t rows) {
  if (rows <= rows_) return;
  std::size_t widest = 0;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const std::size_t width = elements(layers_[i]->output_shape());
    outputs_[i].resize(rows * width);
    widest = std::max(widest, width);
  }
  for (std::vector<T>& delta : deltas_) delta.resize(rows * widest);
  rows_ = rows;
}

template <class T>
Matrix<T> Network<T>::outputs_of(std::size_t layer, std::size_t rows) {
  return view(outputs_[layer], rows, elements(layers_[layer]->output_shape()));
}

template <class T>
Labels<T> Network<T>::labels_of(const Samples<T>& samples, std::size_t first,
                                std::size_t rows) const {
  if (samples.targets.empty()) return {samples.classes.subspan(first, rows), {}};
  return {{}, samples.targets.subspan(first * output_size(), rows * output_size())};
}

template <class T>
void Network<T>::count_correct(Matrix<const T> outputs, const Labels<T>& labels, Loss& loss) const {
  const Accuracy accuracy = labels.targets.empty() ? Accuracy::categorical : metrics_.accuracy;
  loss.correct += engine_->count_correct(accuracy, outputs, labels, loss_->threshold());
  loss.judged += accuracy == Accuracy::binary ? outputs.values().size() : outputs.rows();
}

/// Adds what the metrics ask for; the outputs become predictions.
template <class T>
void Network<T>::judge(Matrix<T> outputs, const Labels<T>& labels, Matrix<T> scratch,
                       Loss& loss) const {
  const bool classes = labels.targets.empty();
  if (metrics_.accuracy != Accuracy::none) count_correct(outputs, labels, loss);
  if (classes || !(metrics_.squared_error || metrics_.absolute_error)) return;
  loss_->finish_prediction(*engine_, outputs);
  const auto error = [&](ElementLoss::Kind kind) {
    const Matrix<const T> targets(labels.targets, outputs.rows(), outputs.columns());
    return engine_->elementwise_loss({kind}, outputs, targets, scratch).loss_sum;
  };
  loss.squared_error_sum += error(ElementLoss::Kind::squared_error);
  loss.absolute_error_sum += error(ElementLoss::Kind::absolute_error);
}

template <class T>
std::span<const T> Network<T>::weights_of(std::size_t layer, std::span<const T> weights) const {
  return weights.subspan(offsets_[layer], offsets_[layer + 1] - offsets_[layer]);
}

/// Fills outputs_. False when stopped.
template <class T>
bool Network<T>::forward(std::span<const T> weights, Matrix<const T> inputs,
                         std::optional<Noise> training, const std::stop_token& stop) {
  reserve(inputs.rows());
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    if (stop.stop_requested()) return false;
    const Matrix<T> outputs = outputs_of(i, inputs.rows());
    layers_[i]->forward(*engine_, {weights_of(i, weights), inputs, outputs, training});
    inputs = outputs;
  }
  return true;
}

/// From the last layer's delta in deltas_[0] down to the lowest layer that learns: what is below
/// has no part in the gradient. False when stopped.
template <class T>
bool Network<T>::backward(std::span<const T> weights, Matrix<const T> inputs, T beta,
                          std::span<T> gradient, const std::stop_token& stop) {
  const std::size_t rows = inputs.rows();
  for (std::size_t i = layers_.size(); i-- > lowest_;) {
    if (stop.stop_requested()) return false;
    BackwardPass<T> pass;
    pass.weights = weights_of(i, weights);
    pass.inputs = i == 0 ? inputs : outputs_of(i - 1, rows);
    pass.outputs = outputs_of(i, rows);
    pass.delta = view(deltas_[0], rows, pass.outputs.columns());
    pass.beta = beta;
    pass.gradient = gradient.subspan(offsets_[i], offsets_[i + 1] - offsets_[i]);
    pass.frozen = layers_[i]->frozen();
    // Nobody wants the derivative by what the lowest layer gets, the features mostly: a product as
    // large as its own is saved.
    if (i > lowest_) pass.input_delta = view(deltas_[1], rows, pass.inputs.columns());
    layers_[i]->backward(*engine_, pass);
    deltas_[0].swap(deltas_[1]);
  }
  return true;
}

template class Network<float>;
template class Network<double>;

}  // namespace daig::nn
