#pragma once

/// The layers of a Keras model in the order in which samples pass them.

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <daig/nn/layer.hpp>

namespace daig::nn {

/// Points into the JSON that it was made of.
struct KerasChain {
  std::string name;
  Shape input;            ///< of a sample
  bool trainable = true;  ///< if not, all its layers are frozen, whatever they say
  std::vector<const nlohmann::json*> layers;
};

/// Of a Sequential model, or of a functional one in which every layer has one predecessor and one
/// successor. @throws UsageError saying where it is no such chain, or what is missing.
KerasChain keras_chain(const nlohmann::json& model);

}  // namespace daig::nn
