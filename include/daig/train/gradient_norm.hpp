#pragma once

/// The norm of a gradient, which tells whether it can be believed.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <span>

#include <daig/model/layout.hpp>

namespace daig::train {

/// The Euclidean norm; infinite or no number when some value is, or when the squares' sum is too
/// large for a float (norms above 1e18 are not to be believed either). Cost: one pass over memory.
inline double norm(std::span<const float> values);
/// The same of a gradient, without the places of statistics: what stands there has other units than
/// the rest, and would hide it. They have to be finite all the same.
inline double norm(std::span<const float> gradient, const model::Layout& layout);

// ---------------------------------------------------------------------------------------------

/// Independent sums, so that the compiler can use vector registers, in pieces short enough that
/// single precision does not lose what is small.
inline double norm(std::span<const float> values) {
  constexpr std::size_t lanes = 16;
  constexpr std::size_t piece = 4096;
  double total = 0;
  while (!values.empty()) {
    const auto now = values.first(std::min(piece, values.size()));
    values = values.subspan(now.size());
    std::array<float, lanes> sums{};
    std::size_t at = 0;
    for (; at + lanes <= now.size(); at += lanes) {
      for (std::size_t lane = 0; lane < lanes; ++lane) {
        sums[lane] += now[at + lane] * now[at + lane];
      }
    }
    for (; at < now.size(); ++at) sums[0] += now[at] * now[at];
    for (const float sum : sums) total += static_cast<double>(sum);
  }
  return std::sqrt(total);
}

inline double norm(std::span<const float> gradient, const model::Layout& layout) {
  if (layout.has_none(model::Role::statistic)) return norm(gradient);
  double squares = 0;
  for (const model::Parameter& parameter : layout.parameters()) {
    const double part = norm(gradient.subspan(parameter.offset, parameter.size()));
    const bool counts = parameter.role != model::Role::statistic || !std::isfinite(part);
    if (counts) squares += part * part;
  }
  return std::sqrt(squares);
}

}  // namespace daig::train
