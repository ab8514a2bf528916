#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "control/desk.hpp"

BOOST_AUTO_TEST_SUITE(membership_test)

// Ranks come and go while the run goes on.

using namespace daig;
using namespace daig::control;
using Phase = Coordinator::Phase;

namespace {

/// Ranks 1 and 2 compute at K = 1; ranks 4 and 5 are loading the weights of version 1.
Desk with_two_loading() {
  Desk desk = gathered({.rules = rules_of(1)});
  desk.hello(4);
  desk.hello(5);
  desk.compute(1);
  desk.clear();
  desk.reduce();
  return desk;
}

}  // namespace

// Coming ----------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_newcomer_is_taken_in_when_the_next_step_opens) {
  Desk desk = gathered({.rules = rules_of(2)});
  desk.compute(1);
  desk.hello(4);
  BOOST_TEST(desk.inbox(4).empty());  // in the midst of a step it waits
  desk.compute(2);
  BOOST_TEST(desk.inbox(4).empty());
  BOOST_TEST((desk.take<Close>(0).at(0).view == view_of(0, {0, 1, 2})));
  desk.clear();
  desk.reduce();

  BOOST_REQUIRE(desk.inbox(4).size() == 2u);
  BOOST_TEST(std::get<Welcome>(desk.inbox(4)[0]).samples == 100u);
  const Load load = std::get<Load>(desk.inbox(4)[1]);
  BOOST_TEST((load.chain.members == std::vector{Rank{0}, Rank{4}}));
  BOOST_TEST((load.exchange == comm::ExchangeId{3}));
  BOOST_TEST((load.version == Version{1}));
  // The coordinator's own member sends, behind its Commit; the others go on computing.
  BOOST_REQUIRE(desk.inbox(0).size() == 2u);
  BOOST_TEST(std::holds_alternative<Commit>(desk.inbox(0)[0]));
  BOOST_TEST((std::get<Load>(desk.inbox(0)[1]).exchange == load.exchange));
  for (const int rank : {1, 2}) {
    BOOST_TEST(desk.take<Load>(rank).empty());
    BOOST_TEST(desk.take<Commit>(rank).size() == 1u);
  }
  desk.compute(1);
  BOOST_TEST((desk.coordinator.view() == view_of(0, {0, 1, 2})));
  desk.inbox(4).clear();
  desk.tell(4, Ready{load.exchange});
  BOOST_TEST((desk.coordinator.view() == view_of(1, {0, 1, 2, 4})));
  BOOST_TEST(desk.noted("member_joined") == 4);

  // It has its part in this very step.
  const auto grants = desk.take<Grant>(4);
  BOOST_REQUIRE(grants.size() == 1u);
  BOOST_TEST((grants[0].version == Version{1}));
  desk.done(4, grants[0].ticket);
  for (const int rank : {0, 1, 2, 4}) {
    const Close close = desk.take<Close>(rank).at(0);
    BOOST_TEST((close.view == view_of(1, {0, 1, 2, 4})));
    BOOST_TEST((close.exchange == comm::ExchangeId{4}));
    BOOST_TEST(close.accepted == (rank == 1 || rank == 4 ? 1u : 0u));
  }
  desk.reduce();
  BOOST_TEST(desk.records.at(1).members.size() == 4u);
}

BOOST_AUTO_TEST_CASE(the_view_keeps_the_order_of_ranks) {
  Desk desk = gathered({.rules = rules_of(1)});
  for (const int newcomer : {4, 3}) {
    desk.hello(newcomer);
    desk.compute(1);
    desk.reduce();
    desk.load();
  }
  BOOST_TEST((desk.coordinator.view() == view_of(2, {0, 1, 2, 3, 4})));
}

BOOST_AUTO_TEST_CASE(a_close_waits_for_those_who_load) {
  Desk desk = with_two_loading();
  desk.hello(6);  // has to wait for the next step
  desk.compute(2);
  BOOST_TEST(desk.coordinator.banked() == 1u);  // K
  BOOST_TEST((desk.coordinator.phase() == Phase::open));
  BOOST_TEST(desk.take<Grant>(2).empty());
  desk.tell(5, Ready{comm::ExchangeId{3}});
  BOOST_TEST((desk.coordinator.phase() == Phase::open));
  BOOST_TEST(desk.take<Grant>(5).empty());
  desk.tell(4, Ready{comm::ExchangeId{3}});
  for (const int rank : {0, 1, 2, 4, 5}) {
    const auto close = desk.take<Close>(rank);
    BOOST_REQUIRE(close.size() == 1u);
    BOOST_TEST((close[0].view == view_of(2, {0, 1, 2, 4, 5})));
    BOOST_TEST(close[0].accepted == (rank == 2 ? 1u : 0u));
  }
  BOOST_TEST(desk.inbox(6).empty());
  desk.reduce();
  BOOST_TEST((desk.take<Load>(6).at(0).chain.members == std::vector{Rank{0}, Rank{6}}));
}

BOOST_AUTO_TEST_CASE(who_loads_together_with_one_that_is_lost_loads_again) {
  Desk desk = with_two_loading();
  desk.clear();
  desk.lose({4});
  BOOST_TEST(desk.take<Expelled>(4).size() == 1u);
  for (const int rank : {0, 5}) {
    BOOST_TEST((desk.take<Abandon>(rank).at(0).exchange == comm::ExchangeId{3}));
    const auto load = desk.take<Load>(rank);
    BOOST_REQUIRE(load.size() == 1u);
    BOOST_TEST((load[0].chain.members == std::vector{Rank{0}, Rank{5}}));
    BOOST_TEST((load[0].exchange == comm::ExchangeId{4}));
  }
  BOOST_TEST(desk.take<Abandon>(1).empty());  // was not part of it
  desk.tell(5, Ready{comm::ExchangeId{3}});   // of the exchange that was given up
  BOOST_TEST((desk.coordinator.view() == view_of(0, {0, 1, 2})));
  desk.tell(5, Ready{comm::ExchangeId{4}});
  BOOST_TEST((desk.coordinator.view() == view_of(1, {0, 1, 2, 5})));
  BOOST_TEST(desk.take<Grant>(5).size() == 1u);
}

BOOST_AUTO_TEST_CASE(who_has_loaded_stays_a_member_when_another_is_lost) {
  Desk desk = with_two_loading();
  desk.tell(5, Ready{comm::ExchangeId{3}});
  desk.clear();
  desk.lose({4});
  BOOST_TEST(desk.take<Load>(5).empty());
  BOOST_TEST((desk.coordinator.view() == view_of(1, {0, 1, 2, 5})));
}

BOOST_AUTO_TEST_CASE(a_full_step_closes_once_those_it_waited_for_are_lost) {
  Desk desk = with_two_loading();
  desk.compute(1);
  BOOST_TEST((desk.coordinator.phase() == Phase::open));
  desk.clear();
  desk.lose({4});
  // Rank 5 is not waited for a second time: it loads at the next step.
  BOOST_TEST((desk.take<Close>(1).at(0).view == view_of(0, {0, 1, 2})));
  BOOST_TEST(desk.take<Abandon>(5).size() == 1u);
  BOOST_TEST(desk.take<Load>(5).empty());
  desk.reduce();
  BOOST_TEST(desk.take<Load>(5).size() == 1u);
}

BOOST_AUTO_TEST_CASE(what_was_done_too_late_is_computed_again_when_the_step_turns_out_not_full) {
  Desk desk = with_two_loading();
  desk.compute(1);  // K: the Close waits
  desk.compute(2);  // too late
  BOOST_TEST(desk.take<Cancel>(2).size() == 1u);
  BOOST_TEST(desk.coordinator.tickets_out() == 0u);
  desk.lose({1, 4, 5});
  BOOST_TEST(desk.take<Grant>(2).size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_newcomer_that_is_heard_of_but_does_not_load_is_expelled) {
  Desk desk = with_two_loading();
  desk.tell(5, Ready{comm::ExchangeId{3}});
  desk.compute(1);
  desk.live(300);
  BOOST_TEST((desk.coordinator.phase() == Phase::open));
  desk.live(0.25);
  const Expelled expelled = desk.take<Expelled>(4).at(0);
  BOOST_TEST(expelled.reason == "it did not load the weights within 300 s");
  BOOST_TEST(expelled.may_return == 1);
  BOOST_TEST((desk.coordinator.phase() == Phase::reducing));
}

BOOST_AUTO_TEST_CASE(what_a_newcomer_fails_of_is_its_own_affair) {
  Desk desk = with_two_loading();
  desk.clear();
  desk.tell(4, Failed{static_cast<int>(ExitCode::input), "no such file"});
  BOOST_TEST(desk.take<Expelled>(4).at(0).reason == "no such file");
  BOOST_TEST(!desk.coordinator.over());
  BOOST_TEST(desk.take<Load>(5).size() == 1u);
  desk.hello(6);
  desk.tell(6, Failed{static_cast<int>(ExitCode::input), "no such file"});
  BOOST_TEST(desk.take<Expelled>(6).size() == 1u);
  // Once a member, it is everybody's.
  desk.tell(5, Ready{comm::ExchangeId{4}});
  desk.tell(5, Failed{static_cast<int>(ExitCode::input), "no such file"});
  BOOST_REQUIRE(desk.coordinator.failure());
  BOOST_TEST((desk.coordinator.failure()->code == ExitCode::input));
}

BOOST_AUTO_TEST_CASE(who_was_started_with_other_settings_is_not_let_in_and_the_run_goes_on) {
  Rules rules = rules_of(1);
  rules.settings_digest = 5;
  for (const Hello& hello : {Hello{.trains = 1, .settings_digest = 6},
                             Hello{.protocol = 1, .trains = 1, .settings_digest = 5}}) {
    Desk desk = gathered({.rules = rules});
    desk.tell(4, hello);
    BOOST_REQUIRE(desk.inbox(4).size() == 1u);
    const auto& expelled = std::get<Expelled>(desk.inbox(4)[0]);
    BOOST_TEST(expelled.may_return == 0);
    BOOST_TEST(mentions(expelled.reason, "rank 4 was started with other settings"));
    desk.compute(1);
    desk.reduce();
    BOOST_TEST(desk.take<Load>(4).empty());
    BOOST_TEST((desk.coordinator.view() == view_of(0, {0, 1, 2})));
  }
}

BOOST_AUTO_TEST_CASE(those_who_wait_are_told_that_the_coordinator_is_alive_and_are_to_be_heard_of) {
  Desk desk = gathered({.rules = rules_of(9)});
  desk.hello(4);
  desk.hello(5);
  desk.live(2.5, {5});
  BOOST_TEST(desk.take<Heartbeat>(4).size() >= 4u);
  BOOST_TEST(desk.take<Expelled>(4).empty());
  BOOST_TEST(desk.take<Expelled>(5).size() == 1u);
  BOOST_TEST((desk.coordinator.view() == view_of(0, {0, 1, 2})));  // was in none

  Desk gathering({});
  gathering.hello(0, false);
  gathering.hello(1);
  gathering.live(1);
  BOOST_TEST(gathering.take<Heartbeat>(1).size() >= 1u);
  BOOST_TEST(gathering.inbox(2).empty());  // is not there yet
}

BOOST_AUTO_TEST_CASE(who_comes_while_others_gather_takes_part_from_the_first_step_on) {
  Desk desk({.rules = rules_of(1), .members = 2});
  desk.hello(0, false);
  desk.hello(7);
  BOOST_TEST(desk.inbox(7).empty());
  desk.hello(1);
  desk.load();
  BOOST_TEST((desk.coordinator.view() == view_of(0, {0, 1, 7})));
  BOOST_TEST((desk.coordinator.phase() == Phase::open));
}

BOOST_AUTO_TEST_CASE(who_is_lost_while_others_gather_is_not_waited_for) {
  Desk desk({.rules = rules_of(1)});
  desk.hello(0, false);
  desk.hello(1);
  desk.hello(2);
  desk.lose({2});
  BOOST_TEST((desk.coordinator.phase() == Phase::gathering));
  desk.load();
  BOOST_TEST((desk.coordinator.phase() == Phase::open));
  BOOST_TEST((desk.coordinator.view().members == std::vector{Rank{0}, Rank{1}}));
}

// Leaving ---------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(who_has_nothing_banked_leaves_at_once) {
  Desk desk = gathered({.rules = rules_of(2)});
  const Work held = desk.take<Grant>(2).at(0).work;
  desk.tell(2, Leave{});
  const auto finish = desk.take<Finish>(2);
  BOOST_REQUIRE(finish.size() == 1u);
  BOOST_TEST(finish[0].complete == 0);
  BOOST_TEST(desk.take<Expelled>(2).empty());
  BOOST_TEST((desk.coordinator.view() == view_of(1, {0, 1})));
  BOOST_TEST(desk.noted("member_left") == 1);
  BOOST_TEST(finish[0].lost == 1);  // it does not wait for the others, nor they for it
  BOOST_TEST(desk.coordinator.has_lost());
  desk.tell(2, Bye{5});
  desk.compute(1);
  BOOST_TEST((desk.compute(1) == held));
  BOOST_TEST((desk.take<Close>(0).at(0).view == view_of(1, {0, 1})));
}

BOOST_AUTO_TEST_CASE(who_has_something_banked_stays_until_it_is_committed) {
  Desk desk = gathered({.rules = rules_of(3)});
  desk.compute(2);
  const TicketId held = desk.take<Grant>(2).at(0).ticket;
  desk.clear();
  desk.tell(2, Leave{});
  desk.tell(2, Leave{});
  desk.done(2, held);  // it was taken back
  BOOST_TEST(desk.inbox(2).empty());
  BOOST_TEST(desk.noted("member_leaving") == 1);
  BOOST_TEST(desk.coordinator.banked() == 1u);
  desk.done(1, TicketId{1});
  BOOST_TEST(desk.compute(1).batch.value() == 2u);  // what it gave back
  BOOST_TEST(desk.take<Close>(2).at(0).accepted == 1u);
  desk.reduce();
  BOOST_REQUIRE(desk.inbox(2).size() == 2u);
  BOOST_TEST(std::holds_alternative<Commit>(desk.inbox(2)[0]));
  BOOST_TEST(std::get<Finish>(desk.inbox(2)[1]).complete == 0);
  BOOST_TEST((desk.records.at(0).batches[0].volunteer == Rank{2}));
  BOOST_TEST((desk.coordinator.view() == view_of(1, {0, 1})));
}

BOOST_AUTO_TEST_CASE(a_leaver_takes_part_in_a_step_that_is_being_reduced) {
  Desk desk = gathered({.rules = rules_of(1)});
  desk.compute(1);
  desk.tell(2, Leave{});
  BOOST_TEST(desk.take<Finish>(2).empty());
  desk.live(60);  // however long that takes
  desk.reduce();
  BOOST_TEST(desk.records.at(0).members.size() == 3u);
  BOOST_TEST(desk.take<Finish>(2).size() == 1u);
}

BOOST_AUTO_TEST_CASE(the_last_volunteer_leaves_at_once_and_a_newcomer_goes_on) {
  Desk desk = gathered({.rules = rules_of(3), .members = 2});
  desk.compute(1);
  desk.tell(1, Leave{});
  BOOST_TEST(desk.take<Finish>(1).size() == 1u);
  BOOST_TEST(desk.coordinator.banked() == 0u);
  BOOST_TEST((desk.coordinator.phase() == Phase::open));
  desk.clear();
  desk.hello(1);
  desk.load();
  std::set<std::uint64_t> batches;
  for (int i = 0; i < 3; ++i) batches.insert(desk.compute(1).batch.value());
  BOOST_TEST((batches == std::set<std::uint64_t>{0, 1, 2}));
  BOOST_TEST((desk.coordinator.phase() == Phase::reducing));
}

BOOST_AUTO_TEST_CASE(a_leaver_leaves_its_share_to_the_others) {
  for (const bool equal_shares : {true, false}) {
    Rules rules = rules_of(4);
    rules.balance = equal_shares ? 1 : 0;
    rules.max_contributors = equal_shares ? 0 : 1;
    Desk desk = gathered({.rules = rules});
    desk.compute(1);
    desk.tell(1, Leave{});
    for (int i = 0; i < 3; ++i) desk.compute(2);
    BOOST_TEST(desk.take<Close>(1).at(0).accepted == 1u);
  }
}

BOOST_AUTO_TEST_CASE(when_all_wish_to_leave_all_go) {
  Desk desk = gathered({.rules = rules_of(3)});
  desk.compute(1);
  desk.compute(2);
  desk.tell(1, Leave{});
  BOOST_TEST(desk.take<Finish>(1).empty());
  desk.tell(2, Leave{});
  for (const int rank : {1, 2}) BOOST_TEST(desk.take<Finish>(rank).size() == 1u);
  BOOST_TEST((desk.coordinator.view() == view_of(1, {0})));
}

BOOST_AUTO_TEST_CASE(what_a_leaver_has_banked_is_given_up_when_the_others_take_too_long) {
  Desk desk = gathered({.rules = rules_of(3)});
  desk.compute(2);
  desk.tell(2, Leave{});
  desk.live(10);
  BOOST_TEST(desk.take<Expelled>(2).empty());
  desk.live(0.25);
  BOOST_TEST(mentions(desk.take<Expelled>(2).at(0).reason, "it wished to leave 10 s ago"));
  std::set<std::uint64_t> batches;
  for (int i = 0; i < 3; ++i) batches.insert(desk.compute(1).batch.value());
  BOOST_TEST((batches == std::set<std::uint64_t>{0, 1, 2}));
  BOOST_TEST(desk.take<Close>(1).at(0).accepted == 3u);
}

BOOST_AUTO_TEST_CASE(a_newcomer_that_changes_its_mind_is_let_go) {
  Desk desk = with_two_loading();
  desk.hello(6);
  desk.clear();
  desk.tell(6, Leave{});  // waits
  BOOST_TEST(desk.take<Finish>(6).at(0).complete == 0);
  desk.tell(4, Leave{});  // loads
  BOOST_TEST(desk.take<Finish>(4).at(0).complete == 0);
  desk.load();
  BOOST_TEST((desk.coordinator.view() == view_of(1, {0, 1, 2, 5})));
}

BOOST_AUTO_TEST_CASE(the_coordinators_own_member_does_not_leave_or_begin_anew) {
  Desk desk = gathered({});
  desk.clear();
  desk.tell(0, Leave{});
  desk.hello(0);
  desk.tell(0, Hello{.settings_digest = 99, .life = 9});
  BOOST_TEST(desk.inbox(0).empty());
  BOOST_TEST((desk.coordinator.view() == view_of(0, {0, 1, 2})));
}

BOOST_AUTO_TEST_SUITE_END()
