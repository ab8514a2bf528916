#include <cstddef>
#include <cstdint>
#include <optional>

#include <nlohmann/json.hpp>

#include <daig/nn/layers/dense.hpp>
#include <daig/nn/layers/dropout.hpp>
#include <daig/nn/layers/flatten.hpp>
#include <daig/nn/layers/reshape.hpp>

#include "keras_activation.hpp"
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
  const KerasActivation activation = activation_option(layer, stack);
  stack.template put<Dense<T>>(layer, layer.name(), stack.shape(), layer.count("units"),
                               activation.within, bias_option(layer));
  put_behind(layer, stack, activation);
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

/// One extent may be -1: what the others leave.
template <class T>
void add_reshape(LayerConfig& layer, LayerStack<T>& stack) {
  constexpr const char* option = "target_shape";
  const auto refuse = [&] { layer.refuse_value(option, ", and no shape of a sample"); };
  const nlohmann::json& written = layer.get(option);
  if (!written.is_array() || written.empty()) refuse();
  Shape shape;
  std::optional<std::size_t> open;  // which extent is -1
  for (const nlohmann::json& extent : written) {
    if (extent == -1 && !open) {
      open = shape.size();
      shape.push_back(1);
    } else {
      if (!extent.is_number_unsigned()) refuse();
      shape.push_back(extent.get<std::size_t>());
    }
  }
  if (!is_sample_shape(shape)) refuse();
  if (open) shape[*open] = elements(stack.shape()) / elements(shape);
  if (!is_sample_shape(shape)) refuse();
  stack.template put<Reshape<T>>(layer, stack.shape(), shape);
}

}  // namespace

template <class T>
LayerReaders<T> core_layers() {
  return {{"InputLayer", add_input<T>},
          {"Dense", add_dense<T>},
          {"Flatten", add_flatten<T>},
          {"Reshape", add_reshape<T>},
          {"Dropout", add_dropout<T>}};
}

template LayerReaders<float> core_layers<float>();
template LayerReaders<double> core_layers<double>();

}  // namespace daig::nn
