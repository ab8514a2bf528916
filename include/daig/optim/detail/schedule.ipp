// The bodies of optim/schedule.hpp.

#pragma once

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include <daig/core/error.hpp>
#include <daig/core/inline.hpp>
#include <daig/optim/decays.hpp>
#include <daig/optim/detail/schedule_words.hpp>
#include <daig/optim/schedule.hpp>

namespace daig::optim {

DAIG_INLINE double CosineSchedule::operator()(std::uint64_t step, std::uint64_t total_steps) const {
  if (step < warmup) {
    // Never 0, which would waste the first step; 1 for the first time at step == warmup.
    return (static_cast<double>(step) + 1) / (static_cast<double>(warmup) + 1);
  }
  if (step >= total_steps) return final;
  const double progress =
      static_cast<double>(step - warmup) / static_cast<double>(total_steps - warmup);
  return final + (1 - final) * 0.5 * (1 + std::cos(std::numbers::pi * progress));
}

DAIG_INLINE double StepSchedule::operator()(std::uint64_t step, std::uint64_t) const {
  expects(every > 0, "a decay after at least one step");
  const std::uint64_t decays = step / every;
  return std::pow(factor, static_cast<double>(decays));
}

namespace detail {

inline constexpr std::uint64_t most_steps = std::uint64_t{1} << 53;

/// @throws UsageError when an option without which there is no schedule was not given.
template <class Number>
Number needed(const ScheduleWords& words, std::optional<Number> option, const char* example) {
  if (option) return *option;
  throw UsageError(fmt::format("schedule '{}' needs to know more: {}", words.text(), example));
}

DAIG_INLINE std::optional<double> take_steps(ScheduleWords& words, std::string_view key) {
  const auto steps = words.take<std::uint64_t>(key, 1, most_steps);
  return steps ? std::optional(static_cast<double>(*steps)) : std::nullopt;
}

DAIG_INLINE bool take_flag(ScheduleWords& words, std::string_view key) {
  return words.take<int>(key, 0, 1).value_or(0) != 0;
}

DAIG_INLINE Schedule make_step(ScheduleWords& words) {
  const auto every = words.take<std::uint64_t>("every", 1, most_steps);
  const double factor = words.take<double>("factor", 1e-9, 1).value_or(0.1);
  words.finish("every, factor and start");
  return StepSchedule{needed(words, every, "step:every=100"), factor};
}

DAIG_INLINE Schedule make_cosine(ScheduleWords& words) {
  const auto steps = take_steps(words, "steps");
  const double final = words.take<double>("final", 0, 1).value_or(0);
  const auto warmup = words.take<std::uint64_t>("warmup", 0, most_steps).value_or(0);
  if (!steps) {
    words.finish("warmup and final; with steps also first and start");
    return CosineSchedule{warmup, final};
  }
  const double first = words.take<double>("first", 0, 1e9).value_or(0);
  words.finish("steps, final, warmup, first and start");
  return CosineDecay{*steps, final, static_cast<double>(warmup), first};
}

DAIG_INLINE Schedule make_exponential(ScheduleWords& words) {
  const char* example = "exponential:every=100,factor=0.9";
  const auto every = take_steps(words, "every");
  const auto factor = words.take<double>("factor", 0, 1e9);
  const bool staircase = take_flag(words, "staircase");
  words.finish("every, factor, staircase and start");
  return ExponentialDecay{needed(words, every, example), needed(words, factor, example), staircase};
}

DAIG_INLINE Schedule make_inverse(ScheduleWords& words) {
  const auto every = take_steps(words, "every");
  const auto rate = words.take<double>("rate", 0, 1e9);
  const bool staircase = take_flag(words, "staircase");
  words.finish("rate, every, staircase and start");
  return InverseTimeDecay{every.value_or(1), needed(words, rate, "inverse:rate=0.01"), staircase};
}

DAIG_INLINE Schedule make_polynomial(ScheduleWords& words) {
  const auto steps = take_steps(words, "steps");
  const double power = words.take<double>("power", 0, 1e9).value_or(1);
  const double final = words.take<double>("final", 0, 1e9).value_or(0);
  const bool cycle = take_flag(words, "cycle");
  words.finish("steps, power, final, cycle and start");
  return PolynomialDecay{needed(words, steps, "polynomial:steps=1000"), power, final, cycle};
}

DAIG_INLINE Schedule make_piecewise(ScheduleWords& words) {
  PiecewiseConstant schedule;
  for (const auto& [step, factor] : words.rest()) {
    const auto from = words.number<std::uint64_t>("a step", step, 0, most_steps);
    if (!schedule.pieces.empty() && from <= schedule.pieces.back().first) {
      throw UsageError(
          fmt::format("schedule '{}': step {} comes too late in it: give the steps in their order",
                      words.text(), from));
    }
    schedule.pieces.emplace_back(from, words.number<double>("a factor", factor, 0, 1e9));
  }
  if (schedule.pieces.empty()) {
    throw UsageError(fmt::format("schedule '{}' needs to know more: piecewise:1000=0.1,2000=0.01",
                                 words.text()));
  }
  return schedule;
}

DAIG_INLINE Schedule make_schedule(ScheduleWords& words) {
  const std::string_view name = words.name();
  if (name == "constant") {
    words.finish("none, but start");
    return ConstantSchedule{};
  }
  if (name == "cosine") return make_cosine(words);
  if (name == "step") return make_step(words);
  if (name == "exponential") return make_exponential(words);
  if (name == "inverse") return make_inverse(words);
  if (name == "polynomial") return make_polynomial(words);
  if (name == "piecewise") return make_piecewise(words);
  throw UsageError(
      fmt::format("no schedule is called '{}': there are constant, cosine, step, exponential, "
                  "inverse, polynomial and piecewise",
                  name));
}

}  // namespace detail

DAIG_INLINE std::string schedule_from(std::string_view text, std::uint64_t start) {
  const Schedule schedule = make_schedule(text);
  const bool same = schedule.target<ConstantSchedule>() != nullptr ||
                    schedule.target<CosineSchedule>() != nullptr;
  if (start == 0 || same) return std::string(text);
  const char separator = text.find(':') == text.npos ? ':' : ',';
  return fmt::format("{}{}start={}", text, separator, std::min(start, detail::most_steps));
}

DAIG_INLINE Schedule make_schedule(std::string_view text) {
  detail::ScheduleWords words(text);
  const auto start = words.take<std::uint64_t>("start", 0, detail::most_steps);
  Schedule schedule = detail::make_schedule(words);
  if (start && schedule.target<CosineSchedule>() != nullptr) {
    throw UsageError(fmt::format(
        "schedule '{}': no option 'start': this cosine ends with the run; give it steps", text));
  }
  if (!start) return schedule;
  return [schedule = std::move(schedule), start = *start](std::uint64_t step, std::uint64_t total) {
    return schedule(step + start, total);
  };
}

}  // namespace daig::optim
