#pragma once

/// Options that layers of several kinds have alike.

#include <initializer_list>

#include <daig/model/regularizer.hpp>
#include <daig/nn/layers/kernel_and_bias.hpp>

#include "layer_config.hpp"

namespace daig::nn {

inline Bias bias_option(LayerConfig& layer) {
  return layer.flag("use_bias", true) ? Bias::used : Bias::none;
}

/// {"class_name": "L2", "config": {"l2": 0.01}} and the like, or a name, which stands for the usual
/// numbers; none when the option is missing or null.
model::Regularizer regularizer_option(LayerConfig& layer, const char* option);

/// What concerns the making of weights, which are in the file, their regularisers, and what is not
/// supported of them.
inline void kernel_and_bias_options(LayerConfig& layer) {
  layer.ignore({"kernel_initializer", "bias_initializer"});
  layer.regularize("kernel", regularizer_option(layer, "kernel_regularizer"));
  const model::Regularizer of_bias = regularizer_option(layer, "bias_regularizer");
  if (bias_option(layer) == Bias::used) layer.regularize("bias", of_bias);
  for (const char* option : {"activity_regularizer", "kernel_constraint", "bias_constraint",
                             "lora_rank", "lora_alpha", "quantization_config"}) {
    layer.only(option, nullptr);
  }
}

}  // namespace daig::nn
