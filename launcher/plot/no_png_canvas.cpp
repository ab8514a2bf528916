#include <daig/core/error.hpp>

#include "canvas.hpp"

namespace daig::launcher::plot {

std::unique_ptr<Canvas> make_png_canvas(double /*width*/, double /*height*/) {
  throw UsageError(
      "this daig was built without cairo, which draws PNG: write an .svg, or install cairo "
      "(Debian: "
      "libcairo2-dev; scripts/install-deps does it) and build daig again");
}

}  // namespace daig::launcher::plot
