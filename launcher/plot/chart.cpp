#include "chart.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace daig::launcher::plot {
namespace {

constexpr Color ink{50, 50, 50};
constexpr Color pale_ink{120, 120, 120};
constexpr Color grid{230, 230, 230};
constexpr Color guide_color{208, 208, 208};
constexpr Color frame{150, 150, 150};

/// Puts a chart's data where it belongs on the page.
class ChartPainter {
 public:
  ChartPainter(Canvas& canvas, const Chart& chart, const Box& box)
      : canvas_(canvas), chart_(chart), box_(box) {}

  void draw() {
    canvas_.begin_group(chart_.title);
    canvas_.text({box_.left, box_.top - 16}, chart_.title,
                 {.size = 13, .color = ink, .bold = true});
    draw_grid();
    draw_guides();
    for (const Series& series : chart_.series) {
      canvas_.begin_group(series.name);
      draw_series(series);
      canvas_.end_group();
    }
    draw_frame();
    for (const Marks& marks : chart_.marks) {
      canvas_.begin_group(marks.name);
      for (const double x : marks.x) draw_sign(marks, {to_page_x(x), box_.top - 8});
      canvas_.end_group();
    }
    draw_legend();
    canvas_.end_group();
  }

 private:
  double to_page_x(double x) const {
    return box_.left + chart_.x.place(x) * (box_.right - box_.left);
  }
  double to_page_y(double y) const {
    return box_.bottom - chart_.y.place(y) * (box_.bottom - box_.top);
  }
  Point to_page(Point data) const { return {to_page_x(data.x), to_page_y(data.y)}; }
  void stroke(Point from, Point to, double width, Color color) {
    const Point points[] = {from, to};
    canvas_.line(points, width, color);
  }

  void draw_grid() {
    for (const Tick& tick : chart_.y.ticks(chart_.y.scale() == Scale::logarithmic ? 9 : 7)) {
      const double y = to_page_y(tick.value);
      stroke({box_.left, y}, {box_.right, y}, 1, grid);
      const std::string label =
          chart_.percent ? fmt::format("{}%", short_number(100 * tick.value)) : tick.label;
      canvas_.text({box_.left - 7, y + 4}, label,
                   {.size = 11, .color = ink, .anchor = Anchor::end});
    }
    for (const Tick& tick : chart_.x.ticks(11)) {
      const double x = to_page_x(tick.value);
      stroke({x, box_.bottom}, {x, box_.bottom + 4}, 1, frame);
      canvas_.text({x, box_.bottom + 17}, tick.label,
                   {.size = 11, .color = ink, .anchor = Anchor::middle});
    }
    const double middle = (box_.top + box_.bottom) / 2;
    canvas_.text(
        {box_.left - 52, middle}, chart_.unit,
        {.size = 11, .color = pale_ink, .anchor = Anchor::middle, .direction = Direction::upwards});
    canvas_.text({(box_.left + box_.right) / 2, box_.bottom + 34}, chart_.x_label,
                 {.size = 11, .color = pale_ink, .anchor = Anchor::middle});
  }

  void draw_guides() {
    for (const Guide& guide : chart_.guides) {
      const double x = to_page_x(guide.x);
      stroke({x, box_.top}, {x, box_.bottom}, 1, guide_color);
      if (guide.label.empty()) continue;
      canvas_.text({x, box_.top - 3}, guide.label,
                   {.size = 9, .color = pale_ink, .anchor = Anchor::middle});
    }
  }

  /// Calls `piece` with every stretch of points that are all numbers.
  void for_stretches(const Series& series, auto&& piece) const {
    std::vector<Point> upper;
    std::vector<Point> lower;
    for (std::size_t i = 0; i <= series.points.size(); ++i) {
      const bool is_band = series.look == Look::band;
      if (i < series.points.size() && std::isfinite(series.points[i].y) &&
          (!is_band || std::isfinite(series.lower[i]))) {
        upper.push_back(to_page(series.points[i]));
        if (is_band) lower.push_back(to_page({series.points[i].x, series.lower[i]}));
      } else if (!upper.empty()) {
        piece(upper, lower);
        upper.clear();
        lower.clear();
      }
    }
  }

  void draw_series(const Series& series) {
    for_stretches(series, [&](std::vector<Point>& upper, const std::vector<Point>& lower) {
      if (series.look == Look::band) {
        upper.insert(upper.end(), lower.rbegin(), lower.rend());
        canvas_.area(upper, series.color);
        return;
      }
      const bool alone = upper.size() == 1;  // a line of one point would not be seen
      if (series.look != Look::dots && !alone) canvas_.line(upper, series.width, series.color);
      if (series.look == Look::dots) {
        canvas_.dots(upper, series.width, series.color);
      } else if (alone || series.look == Look::line_with_dots) {
        canvas_.dots(upper, 2.5, series.color);
      }
    });
  }

  void draw_frame() {
    stroke({box_.left, box_.bottom}, {box_.right, box_.bottom}, 1, frame);
    stroke({box_.left, box_.top}, {box_.left, box_.bottom}, 1, frame);
  }

  void draw_sign(const Marks& marks, Point at) {
    const double r = 4.5;
    if (marks.sign == Marks::Sign::cross) {
      for (const double side : {-1.0, 1.0}) {
        stroke({at.x - r, at.y - side * r}, {at.x + r, at.y + side * r}, 2, marks.color);
      }
      return;
    }
    const double tip = marks.sign == Marks::Sign::up ? -r : r;
    const Point corners[] = {{at.x - r, at.y - tip}, {at.x + r, at.y - tip}, {at.x, at.y + tip}};
    canvas_.area(corners, marks.color);
  }

  void draw_legend() {
    const double left = box_.right + 16;
    double y = box_.top + 8;
    const auto entry = [&](const std::string& name, auto&& swatch) {
      if (y > box_.bottom + 8) return;
      swatch(Point{left, y});
      canvas_.text({left + 24, y + 4}, name, {.size = 11, .color = ink});
      y += 17;
    };
    for (const Series& series : chart_.series) {
      if (series.name.empty()) continue;
      entry(series.name, [&](Point at) {
        const Point middle[] = {{at.x + 8, at.y}};
        if (series.look == Look::band) {
          const Point corners[] = {
              {at.x, at.y - 5}, {at.x + 16, at.y - 5}, {at.x + 16, at.y + 5}, {at.x, at.y + 5}};
          canvas_.area(corners, series.color);
        } else if (series.look == Look::dots) {
          canvas_.dots(middle, std::max(series.width, 2.0), series.color);
        } else {
          stroke(at, {at.x + 16, at.y}, std::max(series.width, 2.0), series.color);
          if (series.look == Look::line_with_dots) canvas_.dots(middle, 2.5, series.color);
        }
      });
    }
    for (const Marks& marks : chart_.marks) {
      entry(marks.name, [&](Point at) { draw_sign(marks, {at.x + 8, at.y}); });
    }
  }

  Canvas& canvas_;
  const Chart& chart_;
  Box box_;
};

}  // namespace

void draw(Canvas& canvas, const Chart& chart, const Box& box) {
  ChartPainter(canvas, chart, box).draw();
}

}  // namespace daig::launcher::plot
