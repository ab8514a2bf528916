#pragma once

/// A chart: series over a common x axis, with a legend beside it.

#include <string>
#include <vector>

#include "axis.hpp"
#include "canvas.hpp"

namespace daig::launcher::plot {

enum class Look {
  line,
  dots,
  line_with_dots,  ///< few points, each of which matters
  band             ///< the area between `points` and `lower`
};

/// One thing to see. Points are in the chart's data; one that is no number breaks a line.
struct Series {
  std::string name;  ///< in the legend
  Look look = Look::line;
  Color color;
  std::vector<Point> points;
  std::vector<double> lower = {};  ///< of a band: one value for each point
  double width = 1.6;              ///< of a line; of a dot, its radius
};

/// A vertical line through the chart.
struct Guide {
  double x;
  std::string label;  ///< above; may be empty
};

/// Small signs above the chart.
struct Marks {
  std::string name;  ///< in the legend
  enum class Sign { up, down, cross } sign;
  Color color;
  std::vector<double> x;
};

struct Chart {
  std::string title;
  std::string unit;  ///< beside the y axis
  Axis x;
  Axis y;
  std::string x_label = {};  ///< empty where the chart below has the same axis
  bool percent = false;      ///< y are parts of 1
  std::vector<Guide> guides = {};
  std::vector<Series> series = {};  ///< from back to front
  std::vector<Marks> marks = {};
};

struct Box {
  double left;
  double top;
  double right;
  double bottom;
};

/// Draws the chart, its axes inside the box; titles, ticks and legend lie around it: 30 pixels
/// above, 40 below, 60 at the left and 200 at the right.
void draw(Canvas& canvas, const Chart& chart, const Box& box);

}  // namespace daig::launcher::plot
