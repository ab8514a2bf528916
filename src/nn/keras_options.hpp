#pragma once

/// Options that layers of several kinds have alike.

#include <initializer_list>
#include <string>

#include <daig/nn/layers/kernel_and_bias.hpp>
#include <daig/nn/window.hpp>

#include "layer_config.hpp"

namespace daig::nn {

inline Bias bias_option(LayerConfig& layer) {
  return layer.flag("use_bias", true) ? Bias::used : Bias::none;
}

/// What concerns the making of weights, which are in the file, and what is not supported of them.
inline void kernel_and_bias_options(LayerConfig& layer) {
  layer.ignore({"kernel_initializer", "bias_initializer"});
  for (const char* option :
       {"kernel_regularizer", "bias_regularizer", "activity_regularizer", "kernel_constraint",
        "bias_constraint", "lora_rank", "lora_alpha", "quantization_config"}) {
    layer.only(option, nullptr);
  }
}

/// How a window of convolution or pooling is padded.
inline Padding padding_option(LayerConfig& layer) {
  const std::string word = layer.word("padding", "valid");
  if (word == "valid") return Padding::valid;
  if (word == "same") return Padding::same;
  layer.refuse_value("padding", ": there are valid and same");
}

}  // namespace daig::nn
