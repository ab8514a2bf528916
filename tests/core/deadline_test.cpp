#include <chrono>

#include <boost/test/unit_test.hpp>

#include <daig/core/deadline.hpp>

BOOST_AUTO_TEST_SUITE(deadline_test)

using namespace daig;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_CASE(the_past_is_expired) {
  const Deadline past = Deadline::at(Clock::now() - 1s);
  BOOST_CHECK(past.expired());
  BOOST_CHECK(past.remaining() == Duration::zero());
}

BOOST_AUTO_TEST_CASE(now_is_expired) {
  BOOST_CHECK(Deadline::in(0s).expired());
}

BOOST_AUTO_TEST_CASE(the_future_is_not_expired_and_comes_nearer) {
  const Deadline future = Deadline::in(1h);
  BOOST_CHECK(!future.expired());
  const Duration first = future.remaining();
  const Duration second = future.remaining();
  BOOST_CHECK(first <= 1h);
  BOOST_CHECK(second <= first);
  BOOST_CHECK(second > 0s);
}

BOOST_AUTO_TEST_CASE(keeps_the_time_it_was_given) {
  const TimePoint when = Clock::now() + 5s;
  BOOST_CHECK(Deadline::at(when).when() == when);
}

BOOST_AUTO_TEST_CASE(a_wait_longer_than_the_clock_can_tell_ends_at_its_last_moment) {
  const Deadline farthest = Deadline::in(Duration::max());
  BOOST_CHECK(!farthest.expired());
  BOOST_CHECK(farthest.remaining() > 24h);
  BOOST_CHECK(Deadline::at(TimePoint::min()).remaining() == Duration::zero());
}

BOOST_AUTO_TEST_CASE(the_earlier_deadline_is_the_smaller) {
  const TimePoint now = Clock::now();
  BOOST_CHECK(Deadline::at(now) < Deadline::at(now + 1ns));
  BOOST_CHECK(std::min(Deadline::at(now), Deadline::at(now + 1s)) == Deadline::at(now));
}

BOOST_AUTO_TEST_CASE(seconds_are_doubles) {
  BOOST_CHECK_EQUAL(seconds(1500ms), 1.5);
  BOOST_CHECK_EQUAL(seconds(Duration::zero()), 0.0);
}

BOOST_AUTO_TEST_SUITE_END()
