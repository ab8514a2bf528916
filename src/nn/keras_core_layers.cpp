#include <cstdint>

#include <daig/nn/layers/activation.hpp>
#include <daig/nn/layers/dense.hpp>
#include <daig/nn/layers/dropout.hpp>
#include <daig/nn/layers/flatten.hpp>

#include "keras_layers.hpp"
#include "keras_options.hpp"

namespace daig::nn {
namespace {

template <class T>
void add_input(LayerConfig& layer, LayerStack<T>&) {
  layer.only("sparse", false);
  layer.only("ragged", false);
  layer.only("optional", false);
}

template <class T>
void add_dense(LayerConfig& layer, LayerStack<T>& stack) {
  kernel_and_bias_options(layer);
  if (stack.shape().size() != 1) layer.refuse("its input is not flat: put a Flatten before it");
  stack.template put<Dense<T>>(layer, layer.name(), stack.shape(), layer.count("units"),
                               stack.applied(layer.activation()), bias_option(layer));
}

template <class T>
void add_flatten(LayerConfig& layer, LayerStack<T>& stack) {
  layer.only("data_format", "channels_last");
  stack.template put<Flatten<T>>(layer, stack.shape());
}

template <class T>
void add_dropout(LayerConfig& layer, LayerStack<T>& stack) {
  layer.only("noise_shape", nullptr);
  layer.ignore({"seed"});  // draws come from the run's
  stack.template put<Dropout<T>>(layer, stack.shape(), layer.real("rate"),
                                 static_cast<std::uint32_t>(stack.size()));
}

template <class T>
void put_activation(const LayerConfig& layer, LayerStack<T>& stack, Activation activation) {
  if (activation == Activation::softmax && stack.shape().size() != 1) {
    layer.refuse("softmax of what is not flat is not supported");
  }
  stack.template put<ActivationLayer<T>>(layer, stack.shape(), stack.applied(activation));
}

template <class T>
void add_activation(LayerConfig& layer, LayerStack<T>& stack) {
  put_activation(layer, stack, layer.activation());
}

template <class T>
void add_relu(LayerConfig& layer, LayerStack<T>& stack) {
  layer.only("max_value", nullptr);
  layer.only("negative_slope", 0.0);
  layer.only("threshold", 0.0);
  put_activation(layer, stack, Activation::relu);
}

template <class T>
void add_softmax(LayerConfig& layer, LayerStack<T>& stack) {
  layer.only("axis", -1);
  put_activation(layer, stack, Activation::softmax);
}

}  // namespace

template <class T>
LayerReaders<T> core_layers() {
  return {{"InputLayer", add_input<T>}, {"Dense", add_dense<T>}, {"Flatten", add_flatten<T>},
          {"Dropout", add_dropout<T>},  {"ReLU", add_relu<T>},   {"Activation", add_activation<T>},
          {"Softmax", add_softmax<T>}};
}

template LayerReaders<float> core_layers<float>();
template LayerReaders<double> core_layers<double>();

}  // namespace daig::nn
