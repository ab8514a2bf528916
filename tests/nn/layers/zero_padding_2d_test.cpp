#include <limits>
#include <string_view>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <daig/nn/layers/zero_padding_2d.hpp>

#include "naive_window.hpp"
#include "nn/numeric_gradient.hpp"

BOOST_AUTO_TEST_SUITE(zero_padding_2d_test)

namespace {

using namespace daig::nn;

BOOST_AUTO_TEST_CASE(zeros_lie_round_the_image) {
  for (const Margins& margins : {Margins{}, Margins{1, 2, 3, 4}, Margins{0, 1, 0, 0},
                                 Margins{5, 0, 0, 0}, Margins{0, 0, 2, 0}, Margins{0, 0, 0, 3}}) {
    const Shape image{2, 3, 2};
    ZeroPadding2D<double> layer(image, margins);
    const Shape& out = layer.output_shape();
    BOOST_TEST(out ==
               (Shape{margins.top + 2 + margins.bottom, margins.left + 3 + margins.right, 2}));
    const std::vector<double> inputs = test::random_values(2 * elements(image), 1);
    std::vector<double> expected(2 * elements(out));
    for (std::size_t n = 0; n < 2; ++n) {
      for (std::size_t y = 0; y < 2; ++y) {
        for (std::size_t x = 0; x < 3; ++x) {
          for (std::size_t c = 0; c < 2; ++c) {
            expected[((n * out[0] + y + margins.top) * out[1] + x + margins.left) * 2 + c] =
                inputs[((n * 2 + y) * 3 + x) * 2 + c];
          }
        }
      }
    }
    BOOST_TEST(test::forward(layer, {}, inputs, 2) == expected);
    test::check_layer(layer, 2, 3);
  }
}

auto says(std::string_view words) {
  return [words](const daig::UsageError& error) {
    return std::string_view(error.what()).find(words) != std::string_view::npos;
  };
}

BOOST_AUTO_TEST_CASE(absurd_margins_are_refused) {
  const auto make = [](const Shape& image, const Margins& margins) {
    const ZeroPadding2D<float> layer(image, margins);
  };
  constexpr std::size_t largest = std::numeric_limits<std::size_t>::max();
  BOOST_CHECK_EXCEPTION(make({4, 4}, {}), daig::UsageError, says("2 axes"));
  BOOST_CHECK_EXCEPTION(make({4, 4, 1}, {largest, 1, 0, 0}), daig::UsageError, says("margins of"));
  BOOST_CHECK_EXCEPTION(make({4, 4, 1}, {0, 0, std::size_t{1} << 30, std::size_t{1} << 30}),
                        daig::UsageError, says("margins of"));
  BOOST_CHECK_EXCEPTION(make({4, 4, 1}, {1U << 20, 0, 1U << 20, 0}), daig::UsageError,
                        says("use smaller margins"));
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
