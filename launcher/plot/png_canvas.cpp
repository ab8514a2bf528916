#include <cmath>
#include <numbers>
#include <string>

#include <cairo/cairo.h>
#include <fmt/format.h>

#include <daig/core/error.hpp>

#include "canvas.hpp"
#include "printable.hpp"

namespace daig::launcher::plot {
namespace {

constexpr double pixels = 2;  ///< for one of the page's

struct Destroy {
  void operator()(cairo_surface_t* surface) const { cairo_surface_destroy(surface); }
  void operator()(cairo_t* context) const { cairo_destroy(context); }
};

class PngCanvas : public Canvas {
 public:
  PngCanvas(double width, double height)
      : surface_(cairo_image_surface_create(CAIRO_FORMAT_RGB24,
                                            static_cast<int>(std::ceil(width * pixels)),
                                            static_cast<int>(std::ceil(height * pixels)))),
        context_(cairo_create(surface_.get())) {
    cairo_scale(context(), pixels, pixels);
    cairo_set_line_join(context(), CAIRO_LINE_JOIN_ROUND);
    color({255, 255, 255});
    cairo_paint(context());
  }

  void line(std::span<const Point> points, double width, Color stroke) override {
    trace(points);
    color(stroke);
    cairo_set_line_width(context(), width);
    cairo_set_line_cap(context(), CAIRO_LINE_CAP_BUTT);
    cairo_stroke(context());
  }
  void dots(std::span<const Point> centers, double radius, Color fill) override {
    color(fill);
    cairo_new_path(context());
    for (const Point& center : centers) {
      cairo_new_sub_path(context());
      cairo_arc(context(), center.x, center.y, radius, 0, 2 * std::numbers::pi);
    }
    cairo_fill(context());
  }
  void area(std::span<const Point> outline, Color fill) override {
    trace(outline);
    cairo_close_path(context());
    color(fill);
    cairo_fill(context());
  }
  void text(Point at, std::string_view text, const TextStyle& style) override {
    const std::string shown = printable(text);
    cairo_select_font_face(context(), "sans-serif", CAIRO_FONT_SLANT_NORMAL,
                           style.bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(context(), style.size);
    cairo_text_extents_t extents;
    cairo_text_extents(context(), shown.c_str(), &extents);
    const double before = static_cast<double>(style.anchor) / 2 * extents.x_advance;
    color(style.color);
    cairo_save(context());
    cairo_translate(context(), at.x, at.y);
    if (style.direction == Direction::upwards) cairo_rotate(context(), -std::numbers::pi / 2);
    cairo_move_to(context(), -before, 0);
    cairo_show_text(context(), shown.c_str());
    cairo_restore(context());
  }
  void begin_group(std::string_view /*name*/) override {}
  void end_group() override {}

  void save(const std::filesystem::path& path) const override {
    cairo_status_t status = cairo_status(context());
    if (status == CAIRO_STATUS_SUCCESS) {
      status = cairo_surface_write_to_png(surface_.get(), path.c_str());
    }
    if (status == CAIRO_STATUS_SUCCESS) return;
    throw IoError(
        fmt::format("{}: cannot be written: {}", path.string(), cairo_status_to_string(status)));
  }

 private:
  cairo_t* context() const { return context_.get(); }
  void color(Color color) {
    cairo_set_source_rgba(context(), color.red / 255.0, color.green / 255.0, color.blue / 255.0,
                          color.alpha);
  }
  void trace(std::span<const Point> points) {
    cairo_new_path(context());
    for (const Point& point : points) cairo_line_to(context(), point.x, point.y);
  }

  std::unique_ptr<cairo_surface_t, Destroy> surface_;
  std::unique_ptr<cairo_t, Destroy> context_;
};

}  // namespace

std::unique_ptr<Canvas> make_png_canvas(double width, double height) {
  return std::make_unique<PngCanvas>(width, height);
}

}  // namespace daig::launcher::plot
