#pragma once

/// One page that shows a run: loss, accuracy, step times, and who contributed what.

#include <string>
#include <vector>

#include "canvas.hpp"
#include "chart.hpp"
#include "run_curves.hpp"

namespace daig::launcher::plot {

/// What the page says of the run in words.
struct PageHeader {
  std::string title;
  std::string subtitle;
};

/// The charts, from top to bottom; of accuracy only where the run has some. Their series are there
/// even before the first step, without points.
std::vector<Chart> charts_of(const RunCurves& curves);

inline constexpr double page_width = 1000;
/// Of a page with these charts, in pixels.
double page_height(const std::vector<Chart>& charts);

void draw_page(Canvas& canvas, const PageHeader& header, const std::vector<Chart>& charts);

}  // namespace daig::launcher::plot
