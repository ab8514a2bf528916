#pragma once

/// The activations that Keras has, as options of a layer and as layers.

#include <optional>

#include <daig/nn/activation.hpp>
#include <daig/nn/layers/pointwise.hpp>
#include <daig/nn/pointwise.hpp>

#include "keras_generation.hpp"
#include "keras_stack.hpp"
#include "layer_config.hpp"

namespace daig::nn {

/// One of the two does something: what a layer can apply itself, or what takes a layer behind it.
struct KerasActivation {
  Activation within = Activation::linear;
  std::optional<Pointwise> behind;
};

/// Of a layer's option: a name, or a layer such as {"class_name": "LeakyReLU", "config": {...}}.
/// @throws UsageError naming the layer, for what is not supported; for hard_sigmoid, too, where it
/// is not known which Keras has written it
KerasActivation keras_activation(LayerConfig& layer, std::optional<KerasGeneration> generation,
                                 const char* option = "activation");

/// Of a layer that is nothing but an activation with options of its own; nothing for other kinds.
/// @throws UsageError as keras_activation does
std::optional<KerasActivation> keras_activation_layer(LayerConfig& layer);

/// The activation of a layer that is about to be laid on the stack.
template <class T>
KerasActivation activation_option(LayerConfig& layer, LayerStack<T>& stack) {
  KerasActivation activation = keras_activation(layer, stack.generation());
  activation.within = stack.applied(activation.within);
  return activation;
}

/// What the layer has not applied itself.
template <class T>
void put_behind(const LayerConfig& layer, LayerStack<T>& stack, const KerasActivation& activation) {
  if (!activation.behind) return;
  stack.template put<PointwiseLayer<T>>(layer, stack.shape(), *activation.behind);
}

}  // namespace daig::nn
