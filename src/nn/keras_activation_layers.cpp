#include <daig/core/error.hpp>
#include <daig/nn/layers/activation.hpp>

#include "keras_activation.hpp"
#include "keras_layers.hpp"

namespace daig::nn {
namespace {

template <class T>
void put_activation(const LayerConfig& layer, LayerStack<T>& stack,
                    const KerasActivation& activation) {
  if (activation.behind) return put_behind(layer, stack, activation);
  stack.template put<ActivationLayer<T>>(layer, stack.shape(), stack.applied(activation.within));
}

template <class T>
void add_activation(LayerConfig& layer, LayerStack<T>& stack) {
  put_activation(layer, stack, keras_activation(layer, stack.generation()));
}

template <class T>
void add_activation_kind(LayerConfig& layer, LayerStack<T>& stack) {
  const auto activation = keras_activation_layer(layer);
  expects(activation.has_value(), "a kind of layers that is an activation");
  put_activation(layer, stack, *activation);
}

/// Its axis may be counted from the batch's on, or be alone in a list.
template <class T>
void add_softmax(LayerConfig& layer, LayerStack<T>& stack) {
  if (const nlohmann::json* axis = layer.find("axis")) {
    if (axis->is_array() && axis->size() == 1) axis = &axis->front();
    if (*axis != -1 && *axis != stack.shape().size()) {
      layer.refuse_value("axis", ": softmax over the last axis, -1, is supported");
    }
  }
  put_activation(layer, stack, {Activation::softmax, {}});
}

}  // namespace

template <class T>
LayerReaders<T> activation_layers() {
  return {{"Activation", add_activation<T>},
          {"ReLU", add_activation_kind<T>},
          {"LeakyReLU", add_activation_kind<T>},
          {"ELU", add_activation_kind<T>},
          {"Softmax", add_softmax<T>}};
}

template LayerReaders<float> activation_layers<float>();
template LayerReaders<double> activation_layers<double>();

}  // namespace daig::nn
