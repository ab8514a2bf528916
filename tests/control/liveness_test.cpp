#include <boost/test/unit_test.hpp>

#include <daig/control/liveness.hpp>

BOOST_AUTO_TEST_SUITE(liveness_test)

using namespace daig;
using namespace daig::control;

namespace {

Duration of(double time_s) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(time_s));
}

double patience_s(const Liveness& liveness, double heartbeat_s = 0.25, double limit_s = 2) {
  return seconds(liveness.patience(of(heartbeat_s), of(limit_s)));
}

}  // namespace

BOOST_AUTO_TEST_CASE(who_was_never_heard_of_is_silent_since_it_is_known) {
  const Liveness liveness(of(3));
  BOOST_TEST(seconds(liveness.last()) == 3.0);
  BOOST_TEST(seconds(Liveness().last()) == 0.0);
}

BOOST_AUTO_TEST_CASE(patience_is_two_heartbeats_the_mean_gap_and_four_deviations) {
  // The mean moves by an eighth of its error, the deviation by a quarter towards the error's size.
  Liveness liveness;
  BOOST_TEST(patience_s(liveness, 0.25, 0.75) == 0.5);  // two heartbeats: nothing is known yet
  liveness.heard(of(0.5));                              // error 0.5: mean 0.0625, deviation 0.125
  BOOST_TEST(seconds(liveness.last()) == 0.5);
  BOOST_TEST(patience_s(liveness) == 0.5 + 0.0625 + 4 * 0.125);
  liveness.heard(of(0.5625));  // no error: the deviation alone falls, to 0.09375
  BOOST_TEST(patience_s(liveness, 0.25, 1.5) == 0.5 + 0.0625 + 4 * 0.09375);
  liveness.heard(of(1.125));  // error 0.5 again: mean 0.125, deviation 0.1953125
  BOOST_TEST(patience_s(liveness) == 0.5 + 0.125 + 4 * 0.1953125);
}

BOOST_AUTO_TEST_CASE(with_a_steady_member_patience_falls_to_half_the_limit_and_no_further) {
  Liveness liveness;
  for (int beat = 1; beat <= 100; ++beat) liveness.heard(of(0.25 * beat));
  BOOST_TEST(patience_s(liveness) == 1.0);
  // The mean gap is a heartbeat, and nothing deviates from it: three heartbeats.
  BOOST_TEST(patience_s(liveness, 0.25, 1.25) == 0.75, boost::test_tools::tolerance(0.001));
}

BOOST_AUTO_TEST_CASE(with_an_unsteady_member_patience_rises_to_the_limit_and_no_further) {
  Liveness liveness;
  liveness.heard(of(1.5));  // mean 0.1875, deviation 0.375
  BOOST_TEST(patience_s(liveness) == 2.0);
  BOOST_TEST(patience_s(liveness, 0.25, 4) == 0.5 + 0.1875 + 4 * 0.375);
  liveness.heard(of(1e6));
  BOOST_TEST(patience_s(liveness) == 2.0);
}

BOOST_AUTO_TEST_CASE(many_messages_at_once_do_not_make_patience_vanish) {
  Liveness liveness;
  for (int message = 0; message < 1000; ++message) liveness.heard(of(1));
  BOOST_TEST(patience_s(liveness) == 1.0);
  // However short the limit, who keeps to its heartbeats is not lost between two of them.
  BOOST_TEST(patience_s(liveness, 0.25, 0.3) == 0.3);
}

BOOST_AUTO_TEST_SUITE_END()
