#pragma once

/// The activation functions and their names.

#include <array>
#include <optional>
#include <string_view>
#include <utility>

namespace daig::nn {

/// Each has a derivative that follows from its value y alone, so that only outputs are kept:
/// linear 1; relu [y > 0]; tanh 1 - y^2; sigmoid y (1 - y); softmax, over a row, y_i ([i = j] -
/// y_j).
enum class Activation { linear, relu, tanh, sigmoid, softmax };

constexpr std::string_view name(Activation activation);
/// Nothing when there is none of this name.
constexpr std::optional<Activation> activation_named(std::string_view name);

// ---------------------------------------------------------------------------------------------

namespace detail {

inline constexpr std::array<std::pair<Activation, std::string_view>, 5> activation_names{
    {{Activation::linear, "linear"},
     {Activation::relu, "relu"},
     {Activation::tanh, "tanh"},
     {Activation::sigmoid, "sigmoid"},
     {Activation::softmax, "softmax"}}};

}  // namespace detail

constexpr std::string_view name(Activation activation) {
  for (const auto& [known, its_name] : detail::activation_names) {
    if (known == activation) return its_name;
  }
  return "unknown";
}

constexpr std::optional<Activation> activation_named(std::string_view name) {
  for (const auto& [known, its_name] : detail::activation_names) {
    if (its_name == name) return known;
  }
  return std::nullopt;
}

}  // namespace daig::nn
