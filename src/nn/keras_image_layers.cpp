#include <optional>
#include <string>

#include <fmt/format.h>

#include <daig/nn/layers/average_pooling_2d.hpp>
#include <daig/nn/layers/conv_2d.hpp>
#include <daig/nn/layers/global_average_pooling_2d.hpp>
#include <daig/nn/layers/global_max_pooling_2d.hpp>
#include <daig/nn/layers/max_pooling_2d.hpp>

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

Padding padding(LayerConfig& layer) {
  const std::string word = layer.word("padding", "valid");
  if (word == "valid") return Padding::valid;
  if (word == "same") return Padding::same;
  layer.refuse(fmt::format("padding is '{}': there are valid and same", word));
}

template <class T>
void add_conv_2d(LayerConfig& layer, LayerStack<T>& stack) {
  kernel_and_bias_options(layer);
  expect_image(layer, stack.shape());
  layer.only("groups", 1);
  WindowOptions options{extents(layer, "kernel_size"), {}, {}, padding(layer)};
  if (layer.has("strides")) options.stride = extents(layer, "strides");
  if (layer.has("dilation_rate")) options.dilation = extents(layer, "dilation_rate");
  stack.template put<Conv2D<T>>(layer, layer.name(), stack.shape(), layer.count("filters"), options,
                                stack.applied(layer.activation()), bias_option(layer));
}

template <class Pooling, class T>
void add_pooling_2d(LayerConfig& layer, LayerStack<T>& stack) {
  expect_image(layer, stack.shape());
  std::optional<Extents> strides;
  if (layer.has("strides")) strides = extents(layer, "strides");
  stack.template put<Pooling>(layer, stack.shape(), extents(layer, "pool_size"), strides,
                              padding(layer));
}

template <class Pooling, class T>
void add_global_pooling_2d(LayerConfig& layer, LayerStack<T>& stack) {
  expect_image(layer, stack.shape());
  layer.only("keepdims", false);
  stack.template put<Pooling>(layer, stack.shape());
}

}  // namespace

template <class T>
LayerReaders<T> image_layers() {
  return {{"Conv2D", add_conv_2d<T>},
          {"MaxPooling2D", add_pooling_2d<MaxPooling2D<T>, T>},
          {"AveragePooling2D", add_pooling_2d<AveragePooling2D<T>, T>},
          {"GlobalMaxPooling2D", add_global_pooling_2d<GlobalMaxPooling2D<T>, T>},
          {"GlobalAveragePooling2D", add_global_pooling_2d<GlobalAveragePooling2D<T>, T>}};
}

template LayerReaders<float> image_layers<float>();
template LayerReaders<double> image_layers<double>();

}  // namespace daig::nn
