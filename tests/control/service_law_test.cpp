#include <cmath>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <daig/control/service_law.hpp>

BOOST_AUTO_TEST_SUITE(service_law_test)

using namespace daig;
using namespace daig::control;
using Shape = ServiceLaw::Shape;

namespace {

/// Share of 20,000 values above x, and the least value.
std::pair<double, double> share_above(const ServiceLaw& law, double x) {
  Random random(1, Stream::test);
  int above = 0;
  double least = HUGE_VAL;
  for (int i = 0; i < 20'000; ++i) {
    const double value = law.draw(random);
    above += value > x ? 1 : 0;
    least = std::min(least, value);
  }
  return {above / 20'000.0, least};
}

}  // namespace

BOOST_AUTO_TEST_CASE(values_follow_their_distribution) {
  const auto [exponential, none] = share_above({.rate = 2}, 1);
  BOOST_TEST(std::abs(exponential - std::exp(-2)) < 0.01);
  BOOST_TEST(none >= 0);
  const auto [shifted, shift] = share_above({.shift_s = 3, .rate = 2}, 4);
  BOOST_TEST(shifted == exponential);
  BOOST_TEST(shift >= 3);
  const auto [pareto, least] = share_above({.shape = Shape::pareto, .shift_s = 2, .tail = 1.5}, 8);
  BOOST_TEST(std::abs(pareto - std::pow(0.25, 1.5)) < 0.01);
  BOOST_TEST(least >= 2);
}

BOOST_AUTO_TEST_CASE(means) {
  BOOST_TEST((ServiceLaw{.shift_s = 1, .rate = 4}.mean_s()) == 1.25);
  BOOST_TEST((ServiceLaw{.shape = Shape::pareto, .shift_s = 2, .tail = 3}.mean_s()) == 3.0);
}

BOOST_AUTO_TEST_CASE(what_is_no_distribution_is_refused) {
  const double nan = std::nan("");
  for (const ServiceLaw& law :
       std::vector<ServiceLaw>{{.shift_s = -1},
                               {.shift_s = nan},
                               {.shift_s = HUGE_VAL},
                               {.rate = 0},
                               {.rate = -1},
                               {.rate = nan},
                               {.rate = HUGE_VAL},
                               {.shape = Shape::pareto, .shift_s = 0},
                               {.shape = Shape::pareto, .shift_s = 1, .tail = 1},
                               {.shape = Shape::pareto, .shift_s = 1, .tail = nan}}) {
    BOOST_CHECK_THROW(law.check(), UsageError);
  }
  BOOST_CHECK_NO_THROW((ServiceLaw{.shape = Shape::pareto, .shift_s = 1, .rate = 0}.check()));
  BOOST_CHECK_NO_THROW(ServiceLaw{}.check());
}

BOOST_AUTO_TEST_SUITE_END()
