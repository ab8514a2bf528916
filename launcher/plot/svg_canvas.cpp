#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>

#include <fmt/format.h>

#include <daig/core/error.hpp>

#include "canvas.hpp"
#include "printable.hpp"

namespace daig::launcher::plot {
namespace {

/// A tenth of a pixel is seen by nobody, and shorter numbers make a smaller file.
double tenths(double pixels) {
  const double rounded = std::round(pixels * 10) / 10;
  return rounded == 0 ? 0 : rounded;  // no -0
}

std::string escaped(std::string_view text) {
  std::string xml;
  for (const char c : printable(text)) {
    switch (c) {
      case '&':
        xml += "&amp;";
        break;
      case '<':
        xml += "&lt;";
        break;
      case '>':
        xml += "&gt;";
        break;
      case '"':
        xml += "&quot;";
        break;
      default:
        xml += c;
    }
  }
  return xml;
}

/// "fill" or "stroke", with the opacity where it is not whole.
std::string paint(const char* attribute, Color color) {
  std::string text =
      fmt::format(R"({}="#{:02x}{:02x}{:02x}")", attribute, color.red, color.green, color.blue);
  if (color.alpha < 1) text += fmt::format(R"( {}-opacity="{:.3g}")", attribute, color.alpha);
  return text;
}

class SvgCanvas : public Canvas {
 public:
  SvgCanvas(double width, double height) {
    text_ = fmt::format(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} "
        "{1}\" font-family=\"DejaVu Sans, Verdana, Helvetica, sans-serif\">\n"
        "<rect width=\"{0}\" height=\"{1}\" fill=\"#ffffff\"/>\n",
        tenths(width), tenths(height));
  }

  void line(std::span<const Point> points, double width, Color color) override {
    if (points.empty()) return;
    add(R"(<path d="{}" fill="none" {} stroke-width="{}" stroke-linejoin="round"/>)",
        path_of(points), paint("stroke", color), tenths(width));
  }
  void dots(std::span<const Point> centers, double radius, Color color) override {
    if (centers.empty()) return;
    std::string path;  // lines of no length, with round ends
    for (const Point& center : centers) {
      fmt::format_to(std::back_inserter(path), "M{} {}h0", tenths(center.x), tenths(center.y));
    }
    add(R"(<path d="{}" fill="none" {} stroke-width="{}" stroke-linecap="round"/>)", path,
        paint("stroke", color), tenths(2 * radius));
  }
  void area(std::span<const Point> outline, Color color) override {
    if (outline.empty()) return;
    add(R"(<path d="{}Z" {}/>)", path_of(outline), paint("fill", color));
  }
  void text(Point at, std::string_view text, const TextStyle& style) override {
    constexpr const char* anchors[] = {"start", "middle", "end"};
    std::string more;
    if (style.bold) more += R"( font-weight="bold")";
    if (style.direction == Direction::upwards) {
      more += fmt::format(R"-( transform="rotate(-90 {} {})")-", tenths(at.x), tenths(at.y));
    }
    add(R"(<text x="{}" y="{}" font-size="{}" text-anchor="{}" {}{}>{}</text>)", tenths(at.x),
        tenths(at.y), tenths(style.size), anchors[static_cast<std::size_t>(style.anchor)],
        paint("fill", style.color), more, escaped(text));
  }
  void begin_group(std::string_view name) override { add("<g><title>{}</title>", escaped(name)); }
  void end_group() override { add("</g>"); }

  void save(const std::filesystem::path& path) const override {
    std::ofstream file(path, std::ios::binary);
    file << text_ << "</svg>\n";
    file.close();
    if (file) return;
    throw IoError(fmt::format("{}: cannot be written: {}", path.string(), std::strerror(errno)));
  }

 private:
  template <class... Args>
  void add(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(text_), format, std::forward<Args>(args)...);
    text_ += '\n';
  }
  static std::string path_of(std::span<const Point> points) {
    std::string path;
    for (const Point& point : points) {
      fmt::format_to(std::back_inserter(path), "{}{} {}", path.empty() ? "M" : "L", tenths(point.x),
                     tenths(point.y));
    }
    return path;
  }

  std::string text_;
};

}  // namespace

std::unique_ptr<Canvas> make_svg_canvas(double width, double height) {
  return std::make_unique<SvgCanvas>(width, height);
}

}  // namespace daig::launcher::plot
