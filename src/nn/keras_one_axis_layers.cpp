#include <cstddef>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <daig/nn/layers/average_pooling_1d.hpp>
#include <daig/nn/layers/conv_1d.hpp>
#include <daig/nn/layers/global_average_pooling_1d.hpp>
#include <daig/nn/layers/global_max_pooling_1d.hpp>
#include <daig/nn/layers/max_pooling_1d.hpp>
#include <daig/nn/layers/reshape.hpp>

#include "keras_activation.hpp"
#include "keras_layers.hpp"
#include "keras_options.hpp"

namespace daig::nn {
namespace {

void expect_sequence(LayerConfig& layer, const Shape& shape) {
  layer.only("data_format", "channels_last");
  if (shape.size() == 2) return;
  layer.refuse(fmt::format("its input has {} extents, not steps and channels", shape.size()));
}

/// Keras writes 3 or [3].
std::size_t extent(LayerConfig& layer, const char* option) {
  const nlohmann::json& written = layer.get(option);
  if (!written.is_array()) return layer.count(option);
  if (written.size() != 1) layer.refuse_value(option, ", and no count");
  const nlohmann::json alone{{"class_name", layer.kind()},
                             {"config", {{"name", layer.name()}, {option, written.front()}}}};
  return LayerConfig(alone).count(option);
}

template <class T>
void add_conv_1d(LayerConfig& layer, LayerStack<T>& stack) {
  kernel_and_bias_options(layer);
  expect_sequence(layer, stack.shape());
  layer.only("groups", 1);
  Window1DOptions options;
  options.kernel = extent(layer, "kernel_size");
  if (layer.has("strides")) options.stride = extent(layer, "strides");
  if (layer.has("dilation_rate")) options.dilation = extent(layer, "dilation_rate");
  const bool causal = layer.word("padding", "valid") == "causal";
  options.padding = causal ? Padding::causal : padding_option(layer);
  const KerasActivation activation = activation_option(layer, stack);
  stack.template put<Conv1D<T>>(layer, layer.name(), stack.shape(), layer.count("filters"), options,
                                activation.within, bias_option(layer));
  put_behind(layer, stack, activation);
}

template <class Pooling, class T>
void add_pooling_1d(LayerConfig& layer, LayerStack<T>& stack) {
  expect_sequence(layer, stack.shape());
  std::optional<std::size_t> stride;
  if (layer.has("strides")) stride = extent(layer, "strides");
  stack.template put<Pooling>(layer, stack.shape(), extent(layer, "pool_size"), stride,
                              padding_option(layer));
}

template <class Pooling, class T>
void add_global_pooling_1d(LayerConfig& layer, LayerStack<T>& stack) {
  expect_sequence(layer, stack.shape());
  const bool keeps_axes = layer.flag("keepdims", false);
  stack.template put<Pooling>(layer, stack.shape());
  if (!keeps_axes) return;
  stack.template put<Reshape<T>>(layer, stack.shape(), Shape{1, stack.shape().front()});
}

}  // namespace

template <class T>
LayerReaders<T> one_axis_layers() {
  return {{"Conv1D", add_conv_1d<T>},
          {"MaxPooling1D", add_pooling_1d<MaxPooling1D<T>, T>},
          {"AveragePooling1D", add_pooling_1d<AveragePooling1D<T>, T>},
          {"GlobalMaxPooling1D", add_global_pooling_1d<GlobalMaxPooling1D<T>, T>},
          {"GlobalAveragePooling1D", add_global_pooling_1d<GlobalAveragePooling1D<T>, T>}};
}

template LayerReaders<float> one_axis_layers<float>();
template LayerReaders<double> one_axis_layers<double>();

}  // namespace daig::nn
