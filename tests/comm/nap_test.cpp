#define BOOST_TEST_MODULE nap
#include <boost/test/unit_test.hpp>

#include <daig/comm/detail/nap.hpp>

using namespace daig;
using namespace std::chrono_literals;
using comm::detail::nap_after;

BOOST_AUTO_TEST_CASE(gives_way_before_it_sleeps) {
  BOOST_CHECK(nap_after(0us) == 0us);
  BOOST_CHECK(nap_after(99us) == 0us);
}

BOOST_AUTO_TEST_CASE(naps_grow_with_idleness_within_bounds) {
  BOOST_CHECK(nap_after(100us) == 20us);
  BOOST_CHECK(nap_after(800us) == 100us);
  BOOST_CHECK(nap_after(8ms) == 1ms);
  BOOST_CHECK(nap_after(1h) == 1ms);
}

BOOST_AUTO_TEST_CASE(never_sleeps_past_the_deadline_or_a_wake) {
  comm::detail::Napper napper;
  napper.park(Deadline::in(-1s));
  napper.wake();
  const Deadline deadline = Deadline::in(60s);
  napper.park(deadline);
  BOOST_CHECK(!deadline.expired());
}
