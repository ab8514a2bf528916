#include <cmath>
#include <initializer_list>
#include <limits>

#include <boost/test/unit_test.hpp>

#include <daig/control/norm_watch.hpp>

BOOST_AUTO_TEST_SUITE(norm_watch_test)

using namespace daig::control;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

NormWatch watch_of(double factor, std::initializer_list<double> norms) {
  NormWatch watch(factor);
  for (const double norm : norms) watch.add(norm);
  return watch;
}

}  // namespace

BOOST_AUTO_TEST_CASE(until_eight_are_known_any_number_is_believed) {
  NormWatch watch(10);
  for (int known = 0; known < 8; ++known) {
    BOOST_TEST(watch.bound() == infinity);
    BOOST_TEST(watch.believes(1e300));
    watch.add(1);
  }
  BOOST_TEST(watch.bound() == 10.0);
}

BOOST_AUTO_TEST_CASE(what_is_no_number_or_no_norm_is_never_believed) {
  for (const NormWatch& watch : {NormWatch(10), watch_of(10, {1, 1, 1, 1, 1, 1, 1, 1})}) {
    for (const double norm : {std::nan(""), infinity, -infinity, -1.0}) {
      BOOST_TEST(!watch.believes(norm));
    }
    BOOST_TEST(watch.believes(0));
  }
}

BOOST_AUTO_TEST_CASE(the_bound_is_the_factor_times_the_median_and_is_itself_believed) {
  // The upper of the two in the middle: of 1, 2, 3, 4, 5, 6, 7 and 1000, that is 5.
  const NormWatch watch = watch_of(10, {1000, 7, 1, 5, 3, 2, 6, 4});
  BOOST_TEST(watch.bound() == 50.0);
  BOOST_TEST(watch.believes(50));
  BOOST_TEST(!watch.believes(50.001));
}

BOOST_AUTO_TEST_CASE(the_bound_follows_with_every_eighth_norm) {
  NormWatch watch = watch_of(10, {1, 1, 1, 1, 1, 1, 1, 1});
  for (int known = 8; known < 15; ++known) {
    watch.add(3);
    BOOST_TEST(watch.bound() == 10.0);
  }
  watch.add(3);  // eight of each
  BOOST_TEST(watch.bound() == 30.0);
}

BOOST_AUTO_TEST_CASE(only_the_last_thirty_one_count) {
  NormWatch watch(10);
  for (int i = 0; i < 16; ++i) watch.add(1);
  for (int i = 0; i < 16; ++i) watch.add(3);
  BOOST_TEST(watch.bound() == 30.0);  // 15 of the first are left
  for (int i = 0; i < 8; ++i) watch.add(100);
  BOOST_TEST(watch.bound() == 30.0);  // 7, 16 and 8
  for (int i = 0; i < 8; ++i) watch.add(100);
  BOOST_TEST(watch.bound() == 1000.0);  // 15 and 16
}

BOOST_AUTO_TEST_CASE(the_bound_stays_when_gradients_vanish) {
  NormWatch watch = watch_of(10, {2, 2, 2, 2, 2, 2, 2, 2});
  for (int i = 0; i < 64; ++i) watch.add(1e-6);
  BOOST_TEST(watch.bound() == 20.0);
}

BOOST_AUTO_TEST_CASE(where_most_gradients_vanish_there_is_no_bound) {
  const NormWatch watch = watch_of(10, {0, 0, 0, 0, 0, 5, 5, 5});
  BOOST_TEST(watch.bound() == infinity);
  BOOST_TEST(watch.believes(1e9));
}

BOOST_AUTO_TEST_SUITE_END()
