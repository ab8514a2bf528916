#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include <fmt/format.h>

#include <daig/core/error.hpp>
#include <daig/nn/layers/bidirectional.hpp>
#include <daig/nn/layers/embedding.hpp>
#include <daig/nn/layers/gru.hpp>
#include <daig/nn/layers/lstm.hpp>
#include <daig/nn/layers/simple_rnn.hpp>

#include "keras_layers.hpp"
#include "keras_options.hpp"

namespace daig::nn {
namespace {

template <class T>
void add_embedding(LayerConfig& layer, LayerStack<T>& stack) {
  layer.ignore({"embeddings_initializer", "input_length"});
  for (const char* option : {"activity_regularizer", "embeddings_constraint", "lora_rank",
                             "lora_alpha", "quantization_config"}) {
    layer.only(option, nullptr);
  }
  layer.regularize("embeddings", regularizer_option(layer, "embeddings_regularizer"));
  layer.only("sparse", false);
  if (layer.flag("mask_zero", false)) {
    layer.refuse(
        "mask_zero is true: masks are not supported; with mask_zero=False, index 0 is a vector "
        "like the others");
  }
  if (stack.size() > 0) {
    layer.refuse("it is not the model's first layer: indices have to come from the data");
  }
  stack.template put<Embedding<T>>(layer, layer.name(), stack.shape(), layer.count("input_dim"),
                                   layer.count("output_dim"));
}

/// Keras changed what hard_sigmoid means, and so the file has to say which Keras wrote it: before 3
/// a layer with gates had an "implementation", and from 3 on it has always "zero_output_for_mask".
CellActivation hard_sigmoid(LayerConfig& layer, const char* option) {
  if (layer.has("implementation")) return CellActivation::hard_sigmoid_5;
  if (layer.has("zero_output_for_mask")) return CellActivation::hard_sigmoid_6;
  layer.refuse(fmt::format(
      "{} is hard_sigmoid, and nothing tells which: Keras before 3 means clip(x / 5 + 1/2), "
      "Keras 3 clip(x / 6 + 1/2)",
      option));
}

CellActivation cell_activation(LayerConfig& layer, const char* option, const char* usual) {
  const std::string word = layer.word(option, usual);
  if (word == "linear") return CellActivation::linear;
  if (word == "relu") return CellActivation::relu;
  if (word == "tanh") return CellActivation::tanh;
  if (word == "sigmoid") return CellActivation::sigmoid;
  if (word == "hard_sigmoid") return hard_sigmoid(layer, option);
  layer.refuse(fmt::format(
      "{} is '{}': there are linear, relu, tanh, sigmoid and hard_sigmoid in recurrent layers",
      option, word));
}

CellActivations cell_activations(LayerConfig& layer) {
  return {cell_activation(layer, "activation", "tanh"),
          cell_activation(layer, "recurrent_activation", "sigmoid")};
}

RecurrentOptions recurrent_options(LayerConfig& layer, std::uint32_t layer_index) {
  kernel_and_bias_options(layer);
  layer.ignore({"recurrent_initializer", "unit_forget_bias"});
  layer.ignore({"implementation", "unroll", "zero_output_for_mask"});  // of no effect without masks
  layer.ignore({"seed"});                                              // draws come from the run's
  layer.regularize("recurrent_kernel", regularizer_option(layer, "recurrent_regularizer"));
  layer.only("recurrent_constraint", nullptr);
  for (const char* option : {"stateful", "return_state", "time_major"}) layer.only(option, false);
  RecurrentOptions options;
  options.units = layer.count("units");
  options.bias = bias_option(layer);
  if (layer.flag("return_sequences", false)) options.returned = Returned::all_states;
  if (layer.flag("go_backwards", false)) options.order = TimeOrder::backward;
  if (layer.has("dropout")) options.dropout = layer.real("dropout");
  if (layer.has("recurrent_dropout")) options.recurrent_dropout = layer.real("recurrent_dropout");
  options.layer_index = layer_index;
  return options;
}

/// Passes what its kind of recurrent layer is made of to make.template operator()<Kind>(...).
template <class T, class Make>
void make_recurrent(LayerConfig& layer, const std::string& name, const Shape& input,
                    const RecurrentOptions& options, Make make) {
  if (layer.kind() == "LSTM") {
    make.template operator()<Lstm<T>>(name, input, options, cell_activations(layer));
  } else if (layer.kind() == "GRU") {
    // Files from before Keras had the option are from before it had that way.
    const bool after = layer.flag("reset_after", false);
    make.template operator()<Gru<T>>(name, input, options,
                                     after ? Reset::after_product : Reset::before_product,
                                     cell_activations(layer));
  } else {
    make.template operator()<SimpleRnn<T>>(name, input, options, layer.activation());
  }
}

template <class T>
void add_recurrent(LayerConfig& layer, LayerStack<T>& stack) {
  const RecurrentOptions options =
      recurrent_options(layer, static_cast<std::uint32_t>(stack.size()));
  make_recurrent<T>(
      layer, layer.name(), Shape(stack.shape()), options,
      [&]<class Kind>(const auto&... arguments) { stack.template put<Kind>(layer, arguments...); });
}

/// The options of one of the two layers of a Bidirectional.
RecurrentOptions reader_options(LayerConfig& layer, std::uint32_t layer_index) {
  if (layer.kind() != "LSTM" && layer.kind() != "GRU" && layer.kind() != "SimpleRNN") {
    layer.refuse(
        "of layers of this kind nothing bidirectional can be made: there are LSTM, GRU and "
        "SimpleRNN");
  }
  return recurrent_options(layer, layer_index);
}

template <class T>
std::unique_ptr<Recurrent<T>> make_reader(LayerConfig& layer, const std::string& name,
                                          const Shape& input, const RecurrentOptions& options) {
  std::unique_ptr<Recurrent<T>> made;
  make_recurrent<T>(layer, name, input, options, [&]<class Kind>(const auto&... arguments) {
    try {
      made = std::make_unique<Kind>(arguments...);
    } catch (const UsageError& error) {
      layer.refuse(error.what());
    }
  });
  layer.finish();
  return made;
}

Merge merge_option(LayerConfig& layer) {
  const std::string word = layer.word("merge_mode", "none");
  if (word == "concat") return Merge::concatenate;
  if (word == "sum") return Merge::sum;
  if (word == "mul") return Merge::product;
  if (word == "ave") return Merge::mean;
  layer.refuse(fmt::format("merge_mode is {}: there are concat, sum, mul and ave", word));
}

/// Keras before 2.3, and wherever none was given before 3, writes no backward layer: it is like the
/// forward one, but for the order.
template <class T>
void add_bidirectional(LayerConfig& layer, LayerStack<T>& stack) {
  layer.only("return_state", false);
  const auto index = static_cast<std::uint32_t>(stack.size());
  constexpr std::uint32_t second = std::uint32_t{1} << 31;  // beyond the number of any layer
  LayerConfig forward(layer.object("layer"));
  const RecurrentOptions options = reader_options(forward, index);
  const bool has_own = layer.has("backward_layer");
  LayerConfig backward(layer.object(has_own ? "backward_layer" : "layer"));
  RecurrentOptions backward_options = reader_options(backward, index + second);
  if (!has_own) {
    backward_options.order =
        options.order == TimeOrder::forward ? TimeOrder::backward : TimeOrder::forward;
  }
  backward_options.given_order = TimeOrder::backward;  // step by step as the other one
  if (forward.regularizers() != backward.regularizers()) {
    layer.refuse("its two layers have different regularizers, which is not supported");
  }
  for (const auto& [parameter, regularizer] : forward.regularizers()) {
    layer.regularize(parameter, regularizer);
  }
  const bool all_train = forward.trainable() && backward.trainable();
  if (layer.trainable() && !all_train) {
    layer.refuse("a layer in it has trainable false: freeze all of it, or nothing");
  }
  const Shape input = stack.shape();
  auto first = make_reader<T>(forward, layer.name() + "/forward", input, options);
  auto other = make_reader<T>(backward, layer.name() + "/backward", input, backward_options);
  stack.template put<Bidirectional<T>>(layer, std::move(first), std::move(other),
                                       merge_option(layer));
}

}  // namespace

template <class T>
LayerReaders<T> recurrent_layers() {
  return {{"Embedding", add_embedding<T>},
          {"LSTM", add_recurrent<T>},
          {"GRU", add_recurrent<T>},
          {"SimpleRNN", add_recurrent<T>},
          {"Bidirectional", add_bidirectional<T>}};
}

template LayerReaders<float> recurrent_layers<float>();
template LayerReaders<double> recurrent_layers<double>();

}  // namespace daig::nn
