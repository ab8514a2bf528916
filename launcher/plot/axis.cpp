#include "axis.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

namespace daig::launcher::plot {
namespace {

/// Far from where doubles end, so that differences, ratios and powers stay numbers.
constexpr double largest = 1e150;
constexpr double smallest = 1e-150;

double tamed(double value) {
  return std::abs(value) < smallest ? 0 : std::clamp(value, -largest, largest);
}

/// 1, 2 or 5 times a power of ten, no less than the value. Expects a positive one.
double round_up(double value) {
  const double power = std::pow(10, std::floor(std::log10(value)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= value * (1 - 1e-9)) return factor * power;
  }
  return 10 * power;
}

}  // namespace

Axis::Axis(Scale scale, double low, double high) : scale_(scale), low_(low), high_(high) {
  if (!std::isfinite(low_)) low_ = std::isfinite(high_) ? high_ : 0;
  if (!std::isfinite(high_)) high_ = low_;
  if (low_ > high_) std::swap(low_, high_);
  low_ = tamed(low_);
  high_ = tamed(high_);
  if (low_ < smallest) scale_ = Scale::linear;
  const double size = std::max(std::abs(low_), std::abs(high_));
  if (high_ - low_ <= size * 1e-9) {  // also where rounding would swallow the ticks
    const double more = size == 0 ? 1 : size / 10;
    low_ -= more;
    high_ += more;
  }
}

double Axis::place(double value) const {
  const double inside = std::clamp(value, low_, high_);
  if (scale_ == Scale::linear) return (inside - low_) / (high_ - low_);
  return std::log(inside / low_) / std::log(high_ / low_);
}

std::vector<double> Axis::round_values(int most) const {
  std::vector<double> values;
  if (scale_ == Scale::linear || high_ < 10 * low_) {
    const double step = round_up((high_ - low_) / (most - 1));
    const double first = std::ceil(low_ / step - 1e-9);
    for (double i = first; i * step <= high_ + step * 1e-9; ++i) {
      values.push_back(i * step + 0.0);  // no -0
    }
    return values;
  }
  const double decades = std::log10(high_ / low_);
  const auto stride = std::max(1, static_cast<int>(std::ceil((decades + 1) / most)));
  const auto first = static_cast<int>(std::floor(std::log10(low_)));
  // 1, 2 and 5 of every decade where there is room for three; else 1 of some.
  const bool three = 3 * (decades + 1) <= most;
  for (int decade = first; std::pow(10, decade) <= high_ * (1 + 1e-9); decade += stride) {
    for (const double factor : {1.0, 2.0, 5.0}) {
      const double value = factor * std::pow(10, decade);
      const bool inside = value >= low_ * (1 - 1e-9) && value <= high_ * (1 + 1e-9);
      if (inside && (three || factor == 1.0)) values.push_back(value);
    }
  }
  return values;
}

std::vector<Tick> Axis::ticks(int most) const {
  std::vector<Tick> ticks;
  for (const double value : round_values(most)) {
    ticks.push_back({value, short_number(std::abs(value) < (high_ - low_) * 1e-9 ? 0 : value)});
  }
  return ticks;
}

std::string short_number(double value, int digits) {
  const double size = std::abs(value);
  if (size >= 1e12 || !std::isfinite(value)) return fmt::format("{:.{}g}", value, digits);
  if (size >= 1e9) return fmt::format("{:.{}g}G", value / 1e9, digits);
  if (size >= 1e6) return fmt::format("{:.{}g}M", value / 1e6, digits);
  if (size >= 1e4) return fmt::format("{:.{}g}k", value / 1e3, digits);
  return fmt::format("{:.{}g}", value, digits);
}

}  // namespace daig::launcher::plot
