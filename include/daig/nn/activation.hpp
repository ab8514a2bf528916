#pragma once

/// The activation functions and their names.

#include <array>
#include <optional>
#include <string_view>
#include <utility>

namespace daig::nn {

/// Each has a derivative that follows from its value y alone, so that only outputs are kept:
/// linear 1; relu [y > 0]; tanh 1 - y^2; sigmoid y (1 - y); softmax, over a row, y_i ([i = j] -
/// y_j). What has not, or has parameters, is a Pointwise.
///
/// With s = 1.0507..., a = 1.6732... (Klambauer et al., "Self-normalizing neural networks", 2017):
///
///     elu                 x, below 0 e^x - 1        1, below 0 y + 1
///     selu                s times elu with a        s, below 0 y + s a
///     softplus            log(1 + e^x)              1 - e^-y
///     softsign            x / (1 + |x|)             (1 - |y|)^2
///     exponential         e^x                       y
///     relu6               x within 0 and 6          [0 < y < 6]
///     leaky_relu          x, below 0 x / 5          1, below 0 1/5
///     hard_sigmoid_fifth  x/5 + 1/2 within 0 and 1  [0 < y < 1] / 5
///     hard_sigmoid_sixth  x/6 + 1/2 within 0 and 1  [0 < y < 1] / 6
///
/// The last two are what Keras 2 and Keras 3 call hard_sigmoid.
enum class Activation {
  linear,
  relu,
  tanh,
  sigmoid,
  softmax,
  elu,
  selu,
  softplus,
  softsign,
  exponential,
  relu6,
  leaky_relu,
  hard_sigmoid_fifth,
  hard_sigmoid_sixth
};

constexpr std::string_view name(Activation activation);
/// Nothing when there is none of this name.
constexpr std::optional<Activation> activation_named(std::string_view name);

// ---------------------------------------------------------------------------------------------

namespace detail {

inline constexpr std::array<std::pair<Activation, std::string_view>, 14> activation_names{
    {{Activation::linear, "linear"},
     {Activation::relu, "relu"},
     {Activation::tanh, "tanh"},
     {Activation::sigmoid, "sigmoid"},
     {Activation::softmax, "softmax"},
     {Activation::elu, "elu"},
     {Activation::selu, "selu"},
     {Activation::softplus, "softplus"},
     {Activation::softsign, "softsign"},
     {Activation::exponential, "exponential"},
     {Activation::relu6, "relu6"},
     {Activation::leaky_relu, "leaky_relu"},
     {Activation::hard_sigmoid_fifth, "hard_sigmoid_fifth"},
     {Activation::hard_sigmoid_sixth, "hard_sigmoid_sixth"}}};

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
