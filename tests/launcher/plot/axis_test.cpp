#include "launcher/plot/axis.hpp"

#include <cmath>
#include <limits>
#include <set>

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(axis_test)

using daig::launcher::plot::Axis;
using daig::launcher::plot::Scale;
using daig::launcher::plot::short_number;
using daig::launcher::plot::Tick;

namespace {

std::string labels(const Axis& axis, int most) {
  std::string all;
  for (const Tick& tick : axis.ticks(most)) all += (all.empty() ? "" : " ") + tick.label;
  return all;
}

constexpr double no_number = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double largest = std::numeric_limits<double>::max();

}  // namespace

BOOST_AUTO_TEST_CASE(values_lie_where_they_belong) {
  const Axis linear(Scale::linear, -1, 3);
  BOOST_CHECK_EQUAL(linear.place(-1), 0);
  BOOST_CHECK_EQUAL(linear.place(0), 0.25);
  BOOST_CHECK_EQUAL(linear.place(3), 1);
  BOOST_CHECK_EQUAL(linear.place(7), 1);
  BOOST_CHECK_EQUAL(linear.place(-7), 0);
  const Axis logarithmic(Scale::logarithmic, 0.01, 100);
  BOOST_CHECK_CLOSE(logarithmic.place(1), 0.5, 1e-9);
  BOOST_CHECK_CLOSE(logarithmic.place(10), 0.75, 1e-9);
  BOOST_CHECK_EQUAL(logarithmic.place(-5), 0);
}

BOOST_AUTO_TEST_CASE(ticks_are_round) {
  BOOST_CHECK_EQUAL(labels({Scale::linear, 0, 30}, 8), "0 5 10 15 20 25 30");
  BOOST_CHECK_EQUAL(labels({Scale::linear, 0, 1}, 6), "0 0.2 0.4 0.6 0.8 1");
  BOOST_CHECK_EQUAL(labels({Scale::linear, -0.3, 0.3}, 4), "-0.2 0 0.2");
  BOOST_CHECK(!std::signbit(Axis(Scale::linear, 0, 1).ticks(6).front().value));
  BOOST_CHECK_EQUAL(labels({Scale::linear, 0, 1e6}, 6), "0 200k 400k 600k 800k 1M");
  BOOST_CHECK_EQUAL(labels({Scale::linear, 1000, 1003}, 6), "1000 1001 1002 1003");
  BOOST_CHECK_EQUAL(labels({Scale::logarithmic, 0.01, 100}, 6), "0.01 0.1 1 10 100");
  BOOST_CHECK_EQUAL(labels({Scale::logarithmic, 0.03, 3}, 9), "0.05 0.1 0.2 0.5 1 2");
  BOOST_CHECK_EQUAL(labels({Scale::logarithmic, 2, 8}, 4), "2 4 6 8");
}

/// Whatever two numbers a run comes up with, the axis can be drawn.
BOOST_AUTO_TEST_CASE(any_range_has_few_ticks_inside_of_it) {
  const double ends[] = {0,     1,       -1,       0.1,    1e-300,   -1e-12,    1e12,
                         1e300, largest, -largest, 5e-324, infinity, no_number, 1 + 1e-15};
  for (const Scale scale : {Scale::linear, Scale::logarithmic}) {
    for (const double low : ends) {
      for (const double high : ends) {
        for (const int most : {2, 6, 8}) {
          BOOST_TEST_CONTEXT(low << " to " << high << ", " << most) {
            const Axis axis(scale, low, high);
            BOOST_CHECK(std::isfinite(axis.low()) && std::isfinite(axis.high()));
            BOOST_CHECK_LT(axis.low(), axis.high());
            const auto ticks = axis.ticks(most);
            BOOST_CHECK_LE(ticks.size(), static_cast<std::size_t>(most));
            std::set<double> places;
            for (const Tick& tick : ticks) {
              const double place = axis.place(tick.value);
              BOOST_CHECK(place >= 0 && place <= 1);
              places.insert(place);
            }
            BOOST_CHECK_EQUAL(places.size(), ticks.size());
          }
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(an_axis_that_cannot_be_logarithmic_is_linear) {
  BOOST_CHECK(Axis(Scale::logarithmic, 0, 1).scale() == Scale::linear);
  BOOST_CHECK(Axis(Scale::logarithmic, -1, 1).scale() == Scale::linear);
  BOOST_CHECK(Axis(Scale::logarithmic, 1, 10).scale() == Scale::logarithmic);
}

BOOST_AUTO_TEST_CASE(numbers_are_short) {
  BOOST_CHECK_EQUAL(short_number(0), "0");
  BOOST_CHECK_EQUAL(short_number(1500), "1500");
  BOOST_CHECK_EQUAL(short_number(15000), "15k");
  BOOST_CHECK_EQUAL(short_number(-2.5e6), "-2.5M");
  BOOST_CHECK_EQUAL(short_number(3e9), "3G");
  BOOST_CHECK_EQUAL(short_number(1e15), "1e+15");
}

BOOST_AUTO_TEST_SUITE_END()
