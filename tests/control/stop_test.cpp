#include <initializer_list>

#include <boost/test/unit_test.hpp>

#include "control/desk.hpp"

BOOST_AUTO_TEST_SUITE(stop_test)

// Runs that are stopped early, in every phase.

using namespace daig;
using namespace daig::control;
using Phase = Coordinator::Phase;

namespace {

void check_stopped(Desk& desk, std::initializer_list<int> ranks, bool complete = false) {
  BOOST_TEST((desk.coordinator.phase() == Phase::finishing));
  for (const int rank : ranks) {
    const auto finish = desk.take<Finish>(rank);
    BOOST_REQUIRE(finish.size() == 1u);
    BOOST_TEST(finish[0].complete == (complete ? 1 : 0));
    BOOST_TEST(desk.take<Grant>(rank).empty());
  }
  BOOST_TEST(desk.coordinator.tickets_out() == 0u);
  BOOST_TEST(desk.coordinator.banked() == 0u);
  desk.bye();
  BOOST_TEST(desk.coordinator.over());
  BOOST_TEST(!desk.coordinator.failure());
  BOOST_TEST(desk.coordinator.complete() == complete);
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_run_that_is_stopped_before_it_began_is_over) {
  Desk nobody({});
  nobody.stop();
  BOOST_TEST(nobody.coordinator.over());
  BOOST_TEST(!nobody.coordinator.complete());

  Desk desk({});
  desk.hello(0, false);
  desk.hello(1);
  desk.stop();
  check_stopped(desk, {0, 1});
}

BOOST_AUTO_TEST_CASE(a_run_that_is_stopped_gives_up_the_step_that_is_open) {
  Desk desk = gathered({.rules = rules_of(2), .batches = 2});
  desk.compute(1);
  desk.clear();
  desk.stop();
  check_stopped(desk, {0, 1, 2});
  BOOST_TEST(desk.records.empty());
}

BOOST_AUTO_TEST_CASE(a_run_that_is_stopped_lets_go_of_those_who_load) {
  Desk desk = gathered({.rules = rules_of(1)});
  desk.hello(4);
  desk.hello(5);
  desk.compute(1);
  desk.reduce();
  desk.clear();
  desk.stop();
  for (const int rank : {4, 5}) BOOST_TEST(desk.take<Finish>(rank).size() == 1u);
  desk.tell(4, Ready{comm::ExchangeId{3}});
  desk.tell(5, Bye{99});  // of weights that it never had
  check_stopped(desk, {0, 1, 2});
}

BOOST_AUTO_TEST_CASE(a_run_that_is_stopped_commits_the_step_that_is_reduced) {
  for (const bool is_last : {false, true}) {
    Desk desk = gathered({.rules = rules_of(1), .batches = is_last ? 1u : 2u});
    desk.compute(1);
    desk.clear();
    desk.stop();
    BOOST_TEST(desk.inbox(1).empty());
    desk.reduce();
    BOOST_TEST(desk.records.size() == 1u);
    check_stopped(desk, {0, 1, 2}, is_last);
  }
}

BOOST_AUTO_TEST_CASE(a_stopped_run_reduces_again_without_the_lost_if_they_had_nothing_banked) {
  for (const int lost : {1, 2}) {
    Desk desk = gathered({.rules = rules_of(1)});
    desk.compute(1);
    desk.clear();
    desk.stop();
    desk.lose({lost});
    BOOST_TEST(desk.take<Abandon>(0).size() == 1u);
    if (lost == 2) {
      BOOST_TEST(desk.take<Close>(1).size() == 1u);
      desk.reduce();
    }
    BOOST_TEST(desk.records.size() == (lost == 2 ? 1u : 0u));
    check_stopped(desk, {0, lost == 1 ? 2 : 1});
  }
}

BOOST_AUTO_TEST_CASE(stopping_twice_or_at_the_end_changes_nothing) {
  Desk desk = gathered({.rules = rules_of(1), .batches = 1});
  desk.compute(1);
  desk.reduce();
  desk.stop();
  desk.stop();
  check_stopped(desk, {0, 1, 2}, true);
  desk.clear();
  desk.stop();
  for (const int rank : {0, 1, 2}) BOOST_TEST(desk.inbox(rank).empty());
}

BOOST_AUTO_TEST_SUITE_END()
