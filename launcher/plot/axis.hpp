#pragma once

/// Where values lie along an axis, and which of them are written beside it.

#include <string>
#include <vector>

namespace daig::launcher::plot {

enum class Scale { linear, logarithmic };

struct Tick {
  double value;
  std::string label;
};

/// An axis from one value to another.
class Axis {
 public:
  /// Any two numbers will do: their order does not matter, a range of nothing is widened, what is
  /// no number is left out, and a logarithmic axis that would begin at 0 or below is linear.
  Axis(Scale scale, double low, double high);

  Scale scale() const { return scale_; }
  double low() const { return low_; }
  double high() const { return high_; }

  /// From 0 at the low end to 1 at the high one; what lies beyond an end is put there.
  double place(double value) const;

  /// Round values (1, 2 or 5 times a power of ten), at most so many, and most often half of that or
  /// more; a logarithmic axis of less than a decade has the ticks of a linear one. Labels
  /// are short: 0.5, 20, 15k, 3M. Expects two ticks to be allowed.
  std::vector<Tick> ticks(int most) const;

 private:
  std::vector<double> round_values(int most) const;

  Scale scale_;
  double low_;
  double high_;
};

/// The same number in at most `digits` significant digits, with k, M or G for thousands.
std::string short_number(double value, int digits = 6);

}  // namespace daig::launcher::plot
