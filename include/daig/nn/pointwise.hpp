#pragma once

/// Functions of one value that Activation has no place for.

#include <limits>

namespace daig::nn {

/// A function of one value that has parameters, or whose derivative does not follow from its value:
/// a layer that applies it keeps its inputs.
///
///     rectifier  x above the threshold, but at most max_value; else negative_slope (x - threshold)
///     elu        x, below 0 alpha (e^x - 1)
///     gelu       x P(X <= x) for a normal X: x (1 + erf(x / sqrt 2)) / 2 (Hendrycks, Gimpel,
///                "Gaussian error linear units", 2016)
///     silu       x sigmoid(x), which is also called swish
///     mish       x tanh(log(1 + e^x)) (Misra, "Mish", 2019)
///     hard_silu  x times x/6 + 1/2 within 0 and 1, which is also called hard swish
struct Pointwise {
  enum class Kind { rectifier, elu, gelu, silu, mish, hard_silu };

  Kind kind = Kind::rectifier;
  double alpha = 1;  ///< of elu
  double negative_slope = 0;
  double threshold = 0;
  double max_value = std::numeric_limits<double>::infinity();
};

}  // namespace daig::nn
