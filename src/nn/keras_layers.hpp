#pragma once

/// The kinds of layers that Keras models may have, family by family.

#include <map>
#include <string_view>

#include "keras_stack.hpp"
#include "layer_config.hpp"

namespace daig::nn {

/// Reads a layer's options and lays the layer on the stack. @throws UsageError naming the layer and
/// the option that is not supported
template <class T>
using LayerReader = void (*)(LayerConfig& layer, LayerStack<T>& stack);

/// By Keras's name of the kind.
template <class T>
using LayerReaders = std::map<std::string_view, LayerReader<T>>;

/// Dense, Flatten, Dropout, activations, and the InputLayer, which adds nothing.
template <class T>
LayerReaders<T> core_layers();

/// Convolutions and poolings.
template <class T>
LayerReaders<T> image_layers();

/// BatchNormalization and LayerNormalization.
template <class T>
LayerReaders<T> normalization_layers();

}  // namespace daig::nn
