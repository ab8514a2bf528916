#pragma once

/// How the learning rate changes over a run: a factor of the base rate for each step.
///
/// Rank 0 evaluates it and sends the product along with the commit, so it may use the C library's
/// functions freely. It is a pure function of the step: a restart has nothing to restore.

#include <charconv>
#include <cmath>
#include <cstdint>
#include <functional>
#include <numbers>
#include <string_view>
#include <system_error>

#include <fmt/format.h>

#include <daig/core/error.hpp>

namespace daig::optim {

/// The factor for `step` (from 0) of `total_steps`. Any function of this form will do.
using Schedule = std::function<double(std::uint64_t step, std::uint64_t total_steps)>;

/// 1 throughout.
struct ConstantSchedule {
  double operator()(std::uint64_t, std::uint64_t) const { return 1; }
};

/// Rises linearly during the warm-up, then falls along half a cosine from 1 to the final fraction,
/// which it reaches at `total_steps`. From Loshchilov, Hutter, "SGDR: stochastic gradient descent
/// with warm restarts" (ICLR 2017), equation 5, without restarts; warm-up as in Goyal et al.,
/// "Accurate, large minibatch SGD" (2017).
struct CosineSchedule {
  std::uint64_t warmup = 0;  ///< steps
  double final = 0;          ///< fraction of the base rate, in [0, 1]

  double operator()(std::uint64_t step, std::uint64_t total_steps) const;
};

/// Multiplied by `factor` after every `every` steps.
struct StepSchedule {
  std::uint64_t every = 0;  ///< steps; to be set
  double factor = 0.1;      ///< in (0, 1]

  double operator()(std::uint64_t step, std::uint64_t total_steps) const;
};

/// A schedule from text: "constant", "cosine", "cosine:warmup=100,final=0.1",
/// "step:every=10,factor=0.5"; options may be left out, but for step's every. @throws UsageError
/// naming the word that makes no sense, and what would.
inline Schedule make_schedule(std::string_view text);

// ---------------------------------------------------------------------------------------------

inline double CosineSchedule::operator()(std::uint64_t step, std::uint64_t total_steps) const {
  if (step < warmup) {
    // Never 0, which would waste the first step; 1 for the first time at step == warmup.
    return (static_cast<double>(step) + 1) / (static_cast<double>(warmup) + 1);
  }
  if (step >= total_steps) return final;
  const double progress =
      static_cast<double>(step - warmup) / static_cast<double>(total_steps - warmup);
  return final + (1 - final) * 0.5 * (1 + std::cos(std::numbers::pi * progress));
}

inline double StepSchedule::operator()(std::uint64_t step, std::uint64_t) const {
  expects(every > 0, "a decay after at least one step");
  const std::uint64_t decays = step / every;
  return std::pow(factor, static_cast<double>(decays));
}

namespace detail {

template <class Number>
Number schedule_number(std::string_view schedule, std::string_view key, std::string_view text,
                       Number low, Number high) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  // The comparison is written so that NaN fails.
  if (error == std::errc() && end == text.data() + text.size() && value >= low && value <= high) {
    return value;
  }
  throw UsageError(fmt::format("schedule '{}': {} is '{}', which is no number from {} to {}",
                               schedule, key, text, low, high));
}

}  // namespace detail

inline Schedule make_schedule(std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  CosineSchedule cosine;
  StepSchedule step;
  const bool is_cosine = name == "cosine";
  const bool is_step = name == "step";
  if (!is_cosine && !is_step && name != "constant") {
    throw UsageError(
        fmt::format("no schedule is called '{}': there are constant, cosine and step", name));
  }
  constexpr std::uint64_t most_steps = std::uint64_t{1} << 53;
  for (std::string_view rest = text.substr(colon == text.npos ? text.size() : colon);
       !rest.empty();) {
    rest.remove_prefix(1);  // the colon, or the comma
    const std::string_view option = rest.substr(0, rest.find(','));
    rest.remove_prefix(option.size());
    const std::size_t equals = option.find('=');
    const std::string_view key = option.substr(0, equals);
    const std::string_view value = equals == option.npos ? "" : option.substr(equals + 1);
    if (is_cosine && key == "warmup") {
      cosine.warmup = detail::schedule_number<std::uint64_t>(text, key, value, 0, most_steps);
    } else if (is_cosine && key == "final") {
      cosine.final = detail::schedule_number<double>(text, key, value, 0, 1);
    } else if (is_step && key == "every") {
      step.every = detail::schedule_number<std::uint64_t>(text, key, value, 1, most_steps);
    } else if (is_step && key == "factor") {
      step.factor = detail::schedule_number<double>(text, key, value, 1e-9, 1);
    } else {
      throw UsageError(fmt::format(
          "schedule '{}': no option '{}': cosine takes warmup and final, step takes every and "
          "factor, constant takes none",
          text, key));
    }
  }
  if (is_step && step.every == 0) {
    throw UsageError(fmt::format("schedule '{}' needs to know how often: step:every=100", text));
  }
  if (is_cosine) return cosine;
  if (is_step) return step;
  return ConstantSchedule{};
}

}  // namespace daig::optim
