#include <fmt/format.h>

#include <daig/nn/layers/batch_normalization.hpp>
#include <daig/nn/layers/layer_normalization.hpp>

#include "keras_layers.hpp"
#include "keras_options.hpp"
#include "parse_json.hpp"

namespace daig::nn {
namespace {

/// What gamma and beta are used, with their regularisers.
Affine affine_options(LayerConfig& layer) {
  layer.ignore({"beta_initializer", "gamma_initializer"});
  for (const char* option : {"beta_constraint", "gamma_constraint", "activity_regularizer"}) {
    layer.only(option, nullptr);
  }
  const Affine affine{layer.flag("scale", true), layer.flag("center", true)};
  const model::Regularizer of_gamma = regularizer_option(layer, "gamma_regularizer");
  const model::Regularizer of_beta = regularizer_option(layer, "beta_regularizer");
  if (affine.gamma) layer.regularize("gamma", of_gamma);
  if (affine.beta) layer.regularize("beta", of_beta);
  return affine;
}

/// The last axis is written as -1, or counted from the batch's, 0; alone or as the only one of a
/// list.
void expect_last_axis(LayerConfig& layer, const Shape& shape) {
  const nlohmann::json* written = layer.find("axis");
  if (written == nullptr) return;
  const nlohmann::json& axis =
      written->is_array() && written->size() == 1 ? written->front() : *written;
  if (axis == -1 || axis == shape.size()) return;
  layer.refuse(
      fmt::format("axis is {}: of axes, the last one alone is supported", shown(*written)));
}

double real_or(LayerConfig& layer, const char* option, double when_missing) {
  return layer.has(option) ? layer.real(option) : when_missing;
}

template <class T>
void add_batch_normalization(LayerConfig& layer, LayerStack<T>& stack) {
  expect_last_axis(layer, stack.shape());
  layer.ignore({"moving_mean_initializer", "moving_variance_initializer", "renorm_clipping",
                "renorm_momentum"});
  layer.only("renorm", false);
  layer.only("synchronized", false);
  layer.only("virtual_batch_size", nullptr);
  const Affine affine = affine_options(layer);
  stack.template put<BatchNormalization<T>>(layer, layer.name(), stack.shape(),
                                            real_or(layer, "momentum", 0.99),
                                            real_or(layer, "epsilon", 0.001), affine);
}

template <class T>
void add_layer_normalization(LayerConfig& layer, LayerStack<T>& stack) {
  expect_last_axis(layer, stack.shape());
  layer.only("rms_scaling", false);
  const Affine affine = affine_options(layer);
  stack.template put<LayerNormalization<T>>(layer, layer.name(), stack.shape(),
                                            real_or(layer, "epsilon", 0.001), affine);
}

}  // namespace

template <class T>
LayerReaders<T> normalization_layers() {
  return {{"BatchNormalization", add_batch_normalization<T>},
          {"LayerNormalization", add_layer_normalization<T>}};
}

template LayerReaders<float> normalization_layers<float>();
template LayerReaders<double> normalization_layers<double>();

}  // namespace daig::nn
