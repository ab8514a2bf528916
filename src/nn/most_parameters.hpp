#pragma once

/// What is absurd for a model.

#include <cstddef>

namespace daig::nn {

/// No model has more weights; sums of sizes below need no care.
inline constexpr std::size_t most_parameters = std::size_t{1} << 40;

}  // namespace daig::nn
