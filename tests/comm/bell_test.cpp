#include <thread>

#include <boost/test/unit_test.hpp>

#include <daig/comm/detail/bell.hpp>
#include <daig/core/deadline.hpp>

BOOST_AUTO_TEST_SUITE(bell_test)

using namespace daig;
using namespace std::chrono_literals;
using comm::detail::Bell;
using comm::detail::BellAddress;

BOOST_AUTO_TEST_CASE(a_bell_has_an_address_of_its_own) {
  const Bell first;
  const Bell second;
  BOOST_TEST(first.address().hangs());
  BOOST_TEST(first.address().machine == second.address().machine);
  BOOST_TEST((first.address().name != second.address().name));
}

BOOST_AUTO_TEST_CASE(ringing_before_or_during_a_sleep_ends_it) {
  Bell bell;
  Bell other;
  const Deadline deadline = Deadline::in(60s);
  for (int round = 0; round < 1000; ++round) {
    bell.ring();
    bell.sleep(60s);
    other.ring(bell.address());
    bell.sleep(60s);
    const std::jthread own([&] { bell.ring(); });
    bell.sleep(60s);
  }
  BOOST_TEST(!deadline.expired());
}

BOOST_AUTO_TEST_CASE(sleeps_for_no_longer_than_asked) {
  Bell bell;
  bell.sleep(1ns);
  bell.sleep(0ns);
  BOOST_TEST(!bell.has_rung());
}

BOOST_AUTO_TEST_CASE(ringing_again_and_again_never_blocks) {
  Bell bell;
  Bell other;
  for (int i = 0; i < 100'000; ++i) other.ring(bell.address());
  bell.sleep(60s);
  BOOST_TEST(!bell.has_rung());
}

BOOST_AUTO_TEST_CASE(ringing_where_no_bell_hangs_does_nothing) {
  Bell bell;
  BellAddress gone;
  {
    const Bell other;
    gone = other.address();
  }
  bell.ring(gone);
  bell.ring(BellAddress{});
  BellAddress elsewhere = bell.address();
  ++elsewhere.machine;
  bell.ring(elsewhere);
  BOOST_TEST(!bell.has_rung());
}

BOOST_AUTO_TEST_SUITE_END()
