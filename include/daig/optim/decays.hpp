#pragma once

/// Keras's learning-rate schedules, as factors of the base rate. They are functions of the step
/// alone: how long the run is does not matter.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <utility>
#include <vector>

namespace daig::optim {

/// factor^(step / every); with a staircase, of the whole part of the exponent.
struct ExponentialDecay {
  double every = 0;  ///< steps, above 0
  double factor = 0;
  bool staircase = false;

  double operator()(std::uint64_t step, std::uint64_t) const;
};

/// 1 / (1 + rate * step / every); with a staircase, of the whole part of the fraction.
struct InverseTimeDecay {
  double every = 1;  ///< steps, above 0
  double rate = 0;
  bool staircase = false;

  double operator()(std::uint64_t step, std::uint64_t) const;
};

/// From 1 to the final fraction in so many steps, as final + (1 - final) * (1 - step /
/// steps)^power. Then it stays there, or with cycles, goes on as if `steps` were its next multiple.
struct PolynomialDecay {
  double steps = 0;  ///< above 0
  double power = 1;
  double final = 0;
  bool cycle = false;

  double operator()(std::uint64_t step, std::uint64_t) const;
};

/// During the warm-up linearly from the first fraction to 1, then along half a cosine to the final
/// one, which it reaches `steps` steps later.
struct CosineDecay {
  double steps = 0;  ///< above 0
  double final = 0;
  double warmup = 0;  ///< steps
  double first = 0;

  double operator()(std::uint64_t step, std::uint64_t) const;
};

/// 1, until other factors take over, each from its step on.
struct PiecewiseConstant {
  std::vector<std::pair<std::uint64_t, double>> pieces;  ///< in the order of their steps

  double operator()(std::uint64_t step, std::uint64_t) const;
};

// ---------------------------------------------------------------------------------------------

inline double ExponentialDecay::operator()(std::uint64_t step, std::uint64_t) const {
  const double part = static_cast<double>(step) / every;
  return std::pow(factor, staircase ? std::floor(part) : part);
}

inline double InverseTimeDecay::operator()(std::uint64_t step, std::uint64_t) const {
  const double part = static_cast<double>(step) / every;
  return 1 / (1 + rate * (staircase ? std::floor(part) : part));
}

inline double PolynomialDecay::operator()(std::uint64_t step, std::uint64_t) const {
  const auto at = static_cast<double>(step);
  const double length = cycle ? steps * std::max(std::ceil(at / steps), 1.0) : steps;
  return final + (1 - final) * std::pow(1 - std::min(at / length, 1.0), power);
}

inline double CosineDecay::operator()(std::uint64_t step, std::uint64_t) const {
  const auto at = static_cast<double>(step);
  if (at < warmup) return first + (1 - first) * at / warmup;
  const double part = std::min((at - warmup) / steps, 1.0);
  return final + (1 - final) * 0.5 * (1 + std::cos(std::numbers::pi * part));
}

inline double PiecewiseConstant::operator()(std::uint64_t step, std::uint64_t) const {
  double factor = 1;
  for (const auto& [from, next] : pieces) {
    if (step >= from) factor = next;
  }
  return factor;
}

}  // namespace daig::optim
