#include <boost/test/unit_test.hpp>

#include <daig/comm/detail/nap.hpp>

BOOST_AUTO_TEST_SUITE(nap_test)

using namespace daig;
using namespace std::chrono_literals;
using comm::Urgency;

namespace {

constexpr Duration nap_after(Duration idle, Urgency urgency, Duration calm = 7ms) {
  return comm::detail::nap_after(idle, urgency, calm);
}

}  // namespace

BOOST_AUTO_TEST_CASE(gives_way_before_it_sleeps) {
  BOOST_CHECK(nap_after(0us, Urgency::prompt) == 0us);
  BOOST_CHECK(nap_after(499us, Urgency::prompt) == 0us);
}

BOOST_AUTO_TEST_CASE(naps_at_once_when_nothing_presses) {
  BOOST_CHECK(nap_after(0us, Urgency::calm) == 7ms);
  BOOST_CHECK(nap_after(1h, Urgency::calm) == 7ms);
}

BOOST_AUTO_TEST_CASE(naps_briefly_while_somebody_idles) {
  BOOST_CHECK(nap_after(0us, Urgency::soon) == 50us);
  BOOST_CHECK(nap_after(2ms, Urgency::soon) == 500us);
  BOOST_CHECK(nap_after(1h, Urgency::soon) == 1ms);
}

BOOST_AUTO_TEST_CASE(naps_until_a_nudge_where_all_others_can_give_one) {
  BOOST_CHECK(nap_after(0us, Urgency::nudged) == 7ms);
  for (const Duration idle : {Duration(0us), Duration(2ms), Duration(1h)}) {
    BOOST_CHECK(nap_after(idle, Urgency::nudged, 1ms) == nap_after(idle, Urgency::soon));
  }
}

BOOST_AUTO_TEST_CASE(naps_grow_with_idleness_within_bounds) {
  BOOST_CHECK(nap_after(800us, Urgency::prompt) == 100us);
  BOOST_CHECK(nap_after(1600us, Urgency::prompt) == 200us);
  BOOST_CHECK(nap_after(8ms, Urgency::prompt) == 1ms);
  BOOST_CHECK(nap_after(1h, Urgency::prompt) == 1ms);
}

BOOST_AUTO_TEST_CASE(never_sleeps_past_the_deadline_or_a_wake) {
  comm::detail::Napper napper;
  napper.park(Deadline::in(-1s), Urgency::prompt);
  napper.wake();
  const Deadline deadline = Deadline::in(60s);
  napper.park(deadline, Urgency::prompt);
  BOOST_CHECK(!deadline.expired());
}

BOOST_AUTO_TEST_SUITE_END()
