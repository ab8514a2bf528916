#pragma once

/// The names of the activations, for people.

#include <algorithm>
#include <initializer_list>
#include <string>

#include <daig/nn/activation.hpp>

namespace daig::nn {

/// "linear, relu, ...", without some of them.
inline std::string list_activations(std::initializer_list<Activation> without) {
  std::string list;
  for (const auto& [activation, its_name] : detail::activation_names) {
    if (std::ranges::find(without, activation) != without.end()) continue;
    if (!list.empty()) list += ", ";
    list += its_name;
  }
  return list;
}

}  // namespace daig::nn
