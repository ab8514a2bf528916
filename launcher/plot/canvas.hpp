#pragma once

/// What a page is drawn on. The same drawing becomes SVG or PNG.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string_view>

namespace daig::launcher::plot {

/// In pixels from the page's upper left corner, or where a chart says so, in its data.
struct Point {
  double x = 0;
  double y = 0;
};

struct Color {
  std::uint8_t red = 0;
  std::uint8_t green = 0;
  std::uint8_t blue = 0;
  double alpha = 1;

  Color faded(double by) const { return {red, green, blue, alpha * by}; }
};

/// Which part of a text lies at its point.
enum class Anchor { start, middle, end };
enum class Direction { across, upwards };

struct TextStyle {
  double size = 12;  ///< of the font
  Color color;
  Anchor anchor = Anchor::start;
  bool bold = false;
  Direction direction = Direction::across;
};

/// A white page, drawn on from back to front.
class Canvas {
 public:
  Canvas() = default;
  Canvas(const Canvas&) = delete;
  Canvas& operator=(const Canvas&) = delete;
  Canvas(Canvas&&) = delete;
  Canvas& operator=(Canvas&&) = delete;
  virtual ~Canvas() = default;

  virtual void line(std::span<const Point> points, double width, Color color) = 0;
  virtual void dots(std::span<const Point> centers, double radius, Color color) = 0;
  /// Fills what the outline encloses.
  virtual void area(std::span<const Point> outline, Color color) = 0;
  /// The point is on the base line. What is no UTF-8, or cannot be shown, becomes question marks.
  virtual void text(Point at, std::string_view text, const TextStyle& style) = 0;

  /// What is drawn until the group ends is one thing and has a name, where the format keeps names.
  virtual void begin_group(std::string_view name) = 0;
  virtual void end_group() = 0;

  /// Writes the page to a file as it is. @throws IoError
  virtual void save(const std::filesystem::path& path) const = 0;
};

/// A page of so many pixels as SVG, with texts as texts.
std::unique_ptr<Canvas> make_svg_canvas(double width, double height);

/// The same as PNG, by cairo, two pixels for one: for screens that have as many.
/// @throws UsageError where this program was built without cairo, with what to do about it.
std::unique_ptr<Canvas> make_png_canvas(double width, double height);

}  // namespace daig::launcher::plot
