#include <cmath>
#include <limits>

#include <boost/test/unit_test.hpp>

#include <daig/control/policies.hpp>

BOOST_AUTO_TEST_SUITE(policies_test)

using namespace daig::control;

BOOST_AUTO_TEST_CASE(no_balance_leaves_all_to_whoever_is_first) {
  for (const std::uint64_t k : {1, 2, 7, 1000}) BOOST_TEST(share_cap(k, 0, 4) == k);
}

BOOST_AUTO_TEST_CASE(full_balance_means_equal_shares) {
  BOOST_TEST(share_cap(8, 1, 8) == 1u);
  BOOST_TEST(share_cap(4, 1, 8) == 1u);  // K-sync
  BOOST_TEST(share_cap(1, 1, 8) == 1u);
  BOOST_TEST(share_cap(9, 1, 8) == 2u);
  BOOST_TEST(share_cap(16, 1, 8) == 2u);
  BOOST_TEST(share_cap(10, 1, 1) == 10u);
}

BOOST_AUTO_TEST_CASE(between_them_the_cap_is_linear) {
  BOOST_TEST(share_cap(16, 0.5, 8) == 9u);   // 16 - 0.5 * 14
  BOOST_TEST(share_cap(10, 0.25, 2) == 9u);  // 10 - 0.25 * 5 = 8.75
}

BOOST_AUTO_TEST_CASE(all_shares_together_always_make_a_step) {
  for (std::uint64_t k = 1; k <= 40; ++k) {
    for (std::uint64_t volunteers = 1; volunteers <= 20; ++volunteers) {
      std::uint64_t last = k;
      for (const double balance : {0.0, 0.1, 1.0 / 3, 0.5, 0.9, 1.0}) {
        const std::uint64_t cap = share_cap(k, balance, volunteers);
        BOOST_REQUIRE(cap * volunteers >= k);
        BOOST_REQUIRE(cap <= last);
        last = cap;
      }
      BOOST_REQUIRE(last == (k + volunteers - 1) / volunteers);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_deadline_comes_from_measured_service_times) {
  BOOST_TEST(ticket_deadline_s(0, 1) == 30.0);
  BOOST_TEST(ticket_deadline_s(0, 3, 7.0) == 7.0);
  BOOST_TEST(ticket_deadline_s(2.0, 1) == 8.0);
  BOOST_TEST(ticket_deadline_s(2.0, 2) == 16.0);
  BOOST_TEST(ticket_deadline_s(1e-6, 1) == 0.1);
  BOOST_TEST(ticket_deadline_s(1e300, 1) == 86'400.0);
}

BOOST_AUTO_TEST_CASE(the_first_service_time_counts_whole_and_the_next_a_sixteenth) {
  ServiceTime service;
  BOOST_TEST(service.mean_s() == 0.0);
  service.add(2.0);
  BOOST_TEST(service.mean_s() == 2.0);
  service.add(18.0);
  BOOST_TEST(service.mean_s() == 3.0);
}

BOOST_AUTO_TEST_CASE(a_service_time_that_no_clock_measured_is_left_out) {
  ServiceTime service;
  service.add(2.0);
  service.add(-1.0);
  service.add(std::numeric_limits<double>::infinity());
  service.add(std::nan(""));
  BOOST_TEST(service.mean_s() == 2.0);
}

BOOST_AUTO_TEST_CASE(a_service_time_not_waited_for_is_a_lower_bound) {
  ServiceTime service;
  service.at_least(5.0);
  BOOST_TEST(service.mean_s() == 5.0);
  service.at_least(4.0);
  BOOST_TEST(service.mean_s() == 5.0);
}

BOOST_AUTO_TEST_SUITE_END()
