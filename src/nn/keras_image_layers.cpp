#include <cstddef>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <daig/nn/layers/average_pooling_2d.hpp>
#include <daig/nn/layers/conv_2d.hpp>
#include <daig/nn/layers/depthwise_conv_2d.hpp>
#include <daig/nn/layers/global_average_pooling_2d.hpp>
#include <daig/nn/layers/global_max_pooling_2d.hpp>
#include <daig/nn/layers/max_pooling_2d.hpp>
#include <daig/nn/layers/reshape.hpp>
#include <daig/nn/layers/zero_padding_2d.hpp>

#include "keras_activation.hpp"
#include "keras_layers.hpp"
#include "keras_options.hpp"

namespace daig::nn {
namespace {

void expect_image(LayerConfig& layer, const Shape& shape) {
  layer.only("data_format", "channels_last");
  if (shape.size() == 3) return;
  layer.refuse(
      fmt::format("its input has {} extents, not rows, columns and channels", shape.size()));
}

Extents extents(LayerConfig& layer, const char* option) {
  const auto [height, width] = layer.counts(option);
  return {height, width};
}

/// The kernel's extents, and all that has to do with how it slides.
WindowOptions window_options(LayerConfig& layer) {
  WindowOptions options{extents(layer, "kernel_size"), {}, {}, padding_option(layer)};
  if (layer.has("strides")) options.stride = extents(layer, "strides");
  if (layer.has("dilation_rate")) options.dilation = extents(layer, "dilation_rate");
  return options;
}

template <class T>
void add_conv_2d(LayerConfig& layer, LayerStack<T>& stack) {
  kernel_and_bias_options(layer);
  expect_image(layer, stack.shape());
  layer.only("groups", 1);
  const KerasActivation activation = activation_option(layer, stack);
  stack.template put<Conv2D<T>>(layer, layer.name(), stack.shape(), layer.count("filters"),
                                window_options(layer), activation.within, bias_option(layer));
  put_behind(layer, stack, activation);
}

template <class T>
void add_depthwise_conv_2d(LayerConfig& layer, LayerStack<T>& stack) {
  kernel_and_bias_options(layer);
  layer.ignore({"depthwise_initializer"});
  layer.only("depthwise_regularizer", nullptr);
  layer.only("depthwise_constraint", nullptr);
  expect_image(layer, stack.shape());
  layer.only("groups", 1);
  const KerasActivation activation = activation_option(layer, stack);
  const std::size_t multiplier =
      layer.has("depth_multiplier") ? layer.count("depth_multiplier") : 1;
  stack.template put<DepthwiseConv2D<T>>(layer, layer.name(), stack.shape(), multiplier,
                                         window_options(layer), activation.within,
                                         bias_option(layer));
  put_behind(layer, stack, activation);
}

/// A number for all sides, a pair for {rows, columns}, or a pair of pairs.
Margins margins(LayerConfig& layer) {
  constexpr const char* option = "padding";
  const nlohmann::json& written = layer.get(option);
  const auto refuse = [&] { layer.refuse_value(option, ", and no numbers of rows and columns"); };
  const auto one = [&](const nlohmann::json& value) {
    if (!value.is_number_unsigned()) refuse();
    return value.get<std::size_t>();
  };
  const auto before_and_after = [&](const nlohmann::json& value) {
    if (!value.is_array()) return std::pair(one(value), one(value));
    if (value.size() != 2) refuse();
    return std::pair(one(value[0]), one(value[1]));
  };
  const bool is_pair = written.is_array() && written.size() == 2;
  if (written.is_array() && !is_pair) refuse();
  const auto [top, bottom] = before_and_after(is_pair ? written[0] : written);
  const auto [left, right] = before_and_after(is_pair ? written[1] : written);
  return {top, bottom, left, right};
}

template <class T>
void add_zero_padding_2d(LayerConfig& layer, LayerStack<T>& stack) {
  expect_image(layer, stack.shape());
  stack.template put<ZeroPadding2D<T>>(layer, stack.shape(), margins(layer));
}

template <class Pooling, class T>
void add_pooling_2d(LayerConfig& layer, LayerStack<T>& stack) {
  expect_image(layer, stack.shape());
  std::optional<Extents> strides;
  if (layer.has("strides")) strides = extents(layer, "strides");
  stack.template put<Pooling>(layer, stack.shape(), extents(layer, "pool_size"), strides,
                              padding_option(layer));
}

template <class Pooling, class T>
void add_global_pooling_2d(LayerConfig& layer, LayerStack<T>& stack) {
  expect_image(layer, stack.shape());
  const bool keeps_axes = layer.flag("keepdims", false);
  stack.template put<Pooling>(layer, stack.shape());
  if (!keeps_axes) return;
  stack.template put<Reshape<T>>(layer, stack.shape(), Shape{1, 1, stack.shape().front()});
}

}  // namespace

template <class T>
LayerReaders<T> image_layers() {
  return {{"Conv2D", add_conv_2d<T>},
          {"DepthwiseConv2D", add_depthwise_conv_2d<T>},
          {"ZeroPadding2D", add_zero_padding_2d<T>},
          {"MaxPooling2D", add_pooling_2d<MaxPooling2D<T>, T>},
          {"AveragePooling2D", add_pooling_2d<AveragePooling2D<T>, T>},
          {"GlobalMaxPooling2D", add_global_pooling_2d<GlobalMaxPooling2D<T>, T>},
          {"GlobalAveragePooling2D", add_global_pooling_2d<GlobalAveragePooling2D<T>, T>}};
}

template LayerReaders<float> image_layers<float>();
template LayerReaders<double> image_layers<double>();

}  // namespace daig::nn
