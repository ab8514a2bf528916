#pragma once

/// A multi-layer perceptron as one line of text.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <daig/nn/activation.hpp>

namespace daig::nn {

/// "mlp:784-256-128-10,activation=relu,loss=cross-entropy": inputs, hidden layers, outputs; the
/// activation of the hidden layers (any but linear and softmax; the last layer is linear); the loss
/// (cross-entropy or mse). Both options may be left out, and are then as written here.
struct MlpSpec {
  std::vector<std::size_t> sizes;
  Activation activation = Activation::relu;
  std::string loss = "cross-entropy";
};

/// @throws UsageError for text that is no such spec, or that describes more than 2^40 parameters.
MlpSpec parse_mlp_spec(std::string_view text);

/// The one canonical text of a spec, with all options; parses to the same spec.
std::string to_text(const MlpSpec& spec);

}  // namespace daig::nn
