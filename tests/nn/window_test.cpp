#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <daig/core/error.hpp>
#include <daig/nn/window.hpp>

BOOST_AUTO_TEST_SUITE(window_test)

namespace {

using namespace daig::nn;

using Image = std::vector<std::size_t>;

WindowAxis rows(std::size_t in, std::size_t kernel, std::size_t stride, std::size_t dilation,
                Padding padding) {
  return make_window(Image{in, 1, 1}, {{kernel, 1}, {stride, 1}, {dilation, 1}, padding}).rows;
}

BOOST_AUTO_TEST_CASE(valid_windows_stay_within) {
  const auto out = [](std::size_t in, std::size_t kernel, std::size_t stride,
                      std::size_t dilation) {
    const WindowAxis axis = rows(in, kernel, stride, dilation, Padding::valid);
    BOOST_TEST(axis.before == 0U);
    return axis.out;
  };
  BOOST_TEST(out(28, 3, 1, 1) == 26U);
  BOOST_TEST(out(13, 2, 2, 1) == 6U);  // the last row is left out
  BOOST_TEST(out(7, 3, 2, 1) == 3U);
  BOOST_TEST(out(8, 3, 2, 1) == 3U);
  BOOST_TEST(out(9, 3, 2, 1) == 4U);
  BOOST_TEST(out(5, 3, 1, 2) == 1U);  // spans all of it
  BOOST_TEST(out(7, 3, 1, 2) == 3U);
  BOOST_TEST(out(5, 1, 3, 1) == 2U);
  BOOST_TEST(out(1, 1, 9, 9) == 1U);
}

BOOST_AUTO_TEST_CASE(same_windows_are_padded_as_in_tensorflow) {
  struct Case {
    std::size_t in, kernel, stride, dilation, out, before;
  };
  for (const Case& c : {Case{28, 3, 1, 1, 28, 1}, Case{28, 2, 1, 1, 28, 0},
                        Case{28, 4, 1, 1, 28, 1},  // 3 in all: the smaller half before
                        Case{28, 3, 2, 1, 14, 0},  // 1 in all
                        Case{29, 3, 2, 1, 15, 1},  // 2 in all
                        Case{13, 2, 2, 1, 7, 0}, Case{5, 1, 3, 1, 2, 0},  // none needed
                        Case{10, 3, 1, 2, 10, 2}, Case{2, 5, 1, 1, 2, 2}, Case{1, 2, 1, 2, 1, 1},
                        Case{3, 1, 5, 1, 1, 0}}) {
    BOOST_TEST_CONTEXT(c.in << ", kernel " << c.kernel << ", stride " << c.stride) {
      const WindowAxis axis = rows(c.in, c.kernel, c.stride, c.dilation, Padding::same);
      BOOST_TEST(axis.out == c.out);
      BOOST_TEST(axis.before == c.before);
    }
  }
}

BOOST_AUTO_TEST_CASE(causal_windows_are_padded_before_only) {
  struct Case {
    std::size_t in, kernel, stride, dilation, out, before;
  };
  for (const Case& c : {Case{9, 1, 1, 1, 9, 0}, Case{9, 3, 1, 1, 9, 2}, Case{9, 3, 1, 4, 9, 8},
                        Case{9, 2, 2, 1, 5, 1}, Case{4, 3, 4, 1, 1, 2}, Case{1, 5, 1, 1, 1, 4}}) {
    BOOST_TEST_CONTEXT(c.in << ", kernel " << c.kernel << ", stride " << c.stride) {
      const WindowAxis axis = rows(c.in, c.kernel, c.stride, c.dilation, Padding::causal);
      BOOST_TEST(axis.out == c.out);
      BOOST_TEST(axis.before == c.before);
      BOOST_TEST(axis.is_padded() == (c.before > 0));
    }
  }
  BOOST_TEST(rows(7, 3, 2, 1, Padding::same).is_padded());
  BOOST_TEST(!rows(9, 2, 3, 1, Padding::same).is_padded());
  BOOST_TEST(!rows(9, 2, 3, 1, Padding::valid).is_padded());
}

BOOST_AUTO_TEST_CASE(axes_do_not_mix) {
  const Window window = make_window(Image{10, 20, 3}, {{3, 5}, {1, 2}, {2, 1}, Padding::valid});
  BOOST_TEST(window.rows.out == 6U);
  BOOST_TEST(window.columns.out == 8U);
  BOOST_TEST(window.image_size() == 600U);
  BOOST_TEST(window.patch_size() == 45U);
  BOOST_TEST(window.positions() == 48U);
  BOOST_TEST(!window.is_identity());
  BOOST_TEST(make_window(Image{10, 20, 3}, {}).is_identity());
  BOOST_TEST(!make_window(Image{10, 20, 3}, {{1, 1}, {1, 2}, {}, Padding::valid}).is_identity());
}

BOOST_AUTO_TEST_CASE(the_window_of_the_whole_image_has_one_position) {
  const Window window = make_window_of_whole(Image{10, 20, 3});
  BOOST_TEST(window.positions() == 1U);
  BOOST_TEST(window.patch_size() == 600U);
  BOOST_CHECK_THROW(make_window_of_whole(Image{10}), daig::UsageError);
  BOOST_CHECK_THROW(make_window_of_whole(Image{10, 0, 3}), daig::UsageError);
}

/// Whether the error's text has these words in it.
auto says(std::string_view words) {
  return [words](const daig::UsageError& error) {
    return std::string_view(error.what()).find(words) != std::string_view::npos;
  };
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_refused) {
  BOOST_CHECK_EXCEPTION(make_window(Image{4, 9, 1}, {{5, 3}}), daig::UsageError,
                        says("window of height 5 (kernel 5, dilation 1) does not fit"));
  BOOST_CHECK_EXCEPTION(make_window(Image{9, 4, 1}, {{3, 3}, {}, {1, 2}}), daig::UsageError,
                        says("window of width 5 (kernel 3, dilation 2) does not fit"));
  BOOST_CHECK_NO_THROW(make_window(Image{5, 3, 1}, {{5, 3}}));
  BOOST_CHECK_EXCEPTION(make_window(Image{28, 28}, {{3, 3}}), daig::UsageError, says("2 axes"));
}

BOOST_AUTO_TEST_CASE(extents_of_nothing_are_refused) {
  BOOST_CHECK_EXCEPTION(make_window(Image{0, 4, 1}, {}), daig::UsageError,
                        says("image extent (height) 0"));
  BOOST_CHECK_EXCEPTION(make_window(Image{4, 4, 0}, {}), daig::UsageError,
                        says("number of channels 0"));
  BOOST_CHECK_EXCEPTION(make_window(Image{4, 4, 1}, {{1, 0}}), daig::UsageError,
                        says("kernel (width) 0"));
  BOOST_CHECK_EXCEPTION(make_window(Image{4, 4, 1}, {{}, {0, 1}}), daig::UsageError,
                        says("stride (height) 0"));
  BOOST_CHECK_EXCEPTION(make_window(Image{4, 4, 1}, {{}, {}, {1, 0}}), daig::UsageError,
                        says("dilation (width) 0"));
}

BOOST_AUTO_TEST_CASE(absurd_extents_do_not_overflow) {
  constexpr std::size_t largest = std::numeric_limits<std::size_t>::max();
  constexpr std::size_t most = std::numeric_limits<std::int32_t>::max();
  for (const Padding padding : {Padding::valid, Padding::same, Padding::causal}) {
    BOOST_CHECK_THROW(make_window(Image{largest, 1, 1}, {}), daig::UsageError);
    BOOST_CHECK_THROW(make_window(Image{most, most, most}, {}), daig::UsageError);
    BOOST_CHECK_THROW(make_window(Image{4, 4, 1}, {{largest, 1}, {}, {}, padding}),
                      daig::UsageError);
    BOOST_CHECK_THROW(make_window(Image{4, 4, 1}, {{most, most}, {}, {}, padding}),
                      daig::UsageError);
    BOOST_CHECK_THROW(make_window(Image{4, 4, 1}, {{2, 2}, {}, {largest, 1}, padding}),
                      daig::UsageError);
  }
  BOOST_TEST(rows(4, 2, 1, most, Padding::same).out == 4U);
  BOOST_TEST(rows(4, most, most, most, Padding::same).out == 1U);
  BOOST_TEST(rows(4, most, most, most, Padding::causal).out == 1U);
  BOOST_TEST(rows(most, 1, 1, 1, Padding::valid).out == most);
  BOOST_CHECK_THROW(rows(4, most, 1, most, Padding::valid), daig::UsageError);
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
