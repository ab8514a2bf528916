#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "control/desk.hpp"

BOOST_AUTO_TEST_SUITE(loss_test)

// Members are lost, in every phase of a step: what they alone had, others get.

using namespace daig;
using namespace daig::control;
using Phase = Coordinator::Phase;

namespace {

/// Ranks 1 to 3, each with one ticket in hand.
Desk three_volunteers(std::uint64_t k, std::uint64_t batches = 100) {
  return gathered({.rules = rules_of(k), .members = 4, .batches = batches});
}

}  // namespace

// While batches are computed --------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(what_a_lost_member_held_and_had_banked_goes_to_others_in_the_same_step) {
  Desk desk = three_volunteers(6, 6);
  for (const int rank : {1, 2, 3, 1, 2}) desk.compute(rank);
  BOOST_TEST(desk.take_batches(3) == (Batches{5}));
  BOOST_TEST(desk.coordinator.banked() == 5u);
  desk.clear();

  desk.lose({3});
  BOOST_TEST(desk.take<Expelled>(3).size() == 1u);
  BOOST_TEST((desk.coordinator.view() == view_of(1, {0, 1, 2})));
  BOOST_TEST(desk.coordinator.banked() == 4u);
  BOOST_TEST(desk.take<Abandon>(1).empty());        // no exchange was under way
  BOOST_TEST(desk.compute(1).batch.value() == 2u);  // was banked
  BOOST_TEST(desk.compute(2).batch.value() == 5u);  // was in hand
  // What the others have banked stays banked.
  for (const int rank : {0, 1, 2}) {
    const auto close = desk.take<Close>(rank);
    BOOST_REQUIRE(close.size() == 1u);
    BOOST_TEST((close[0].view == view_of(1, {0, 1, 2})));
    BOOST_TEST(close[0].accepted == (rank == 0 ? 0u : 3u));
  }
  BOOST_TEST(desk.take<Close>(3).empty());
  desk.reduce();
  BOOST_TEST(desk.records.at(0).batches.size() == 6u);
  desk.bye();
  BOOST_TEST(desk.coordinator.complete());
}

BOOST_AUTO_TEST_CASE(a_backup_of_what_a_lost_member_held_is_enough) {
  Desk desk = three_volunteers(9, 3);
  const Work held = desk.take<Grant>(3).at(0).work;
  desk.compute(1);
  desk.compute(2);
  desk.live(30);
  BOOST_TEST(desk.coordinator.tickets_out() == 2u);
  desk.tell(3, Failed{static_cast<int>(ExitCode::peer), "lost touch"});
  BOOST_TEST(desk.coordinator.tickets_out() == 1u);
  BOOST_TEST((desk.compute(1) == held));
  BOOST_TEST((desk.coordinator.phase() == Phase::reducing));
}

BOOST_AUTO_TEST_CASE(a_lost_backup_leaves_the_ticket_that_it_backed_up) {
  Desk desk = three_volunteers(9, 3);
  const Grant held = desk.take<Grant>(3).at(0);
  desk.compute(1);
  desk.compute(2);
  desk.live(30);
  desk.tell(1, Failed{static_cast<int>(ExitCode::peer), "lost touch"});
  // What rank 1 had banked is granted again, not what rank 3 holds.
  BOOST_TEST(desk.take_batches(2) == (Batches{0}));
  desk.done(3, held.ticket);
  BOOST_TEST(desk.take<Accept>(3).size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_member_that_only_holds_the_weights_is_lost_without_further_ado) {
  Desk desk({.rules = rules_of(1), .members = 3});
  desk.hello(0, false);
  desk.hello(1);
  desk.hello(2, false);
  desk.load();
  desk.lose({2});
  BOOST_TEST((desk.coordinator.view() == view_of(1, {0, 1})));
  desk.compute(1);
  BOOST_TEST((desk.take<Close>(0).at(0).view == view_of(1, {0, 1})));
}

// While the view reduces ------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_step_in_which_the_lost_banked_nothing_is_reduced_again_at_once) {
  Desk desk = three_volunteers(2);
  desk.compute(1);
  desk.compute(2);
  desk.tell(0, desk.reduced());
  desk.tell(1, desk.reduced());
  const Reduced old = desk.reduced();
  desk.clear();

  desk.lose({3});
  for (const int rank : {0, 1, 2}) {
    std::erase_if(desk.inbox(rank), [](const Message& message) {
      return std::holds_alternative<Heartbeat>(message);
    });
    BOOST_REQUIRE(desk.inbox(rank).size() == 2u);
    BOOST_TEST((std::get<Abandon>(desk.inbox(rank)[0]).exchange == comm::ExchangeId{2}));
    const auto& close = std::get<Close>(desk.inbox(rank)[1]);
    BOOST_TEST((close.step == StepId{0}));
    BOOST_TEST((close.view == view_of(1, {0, 1, 2})));
    BOOST_TEST((close.exchange == comm::ExchangeId{3}));
    BOOST_TEST(close.accepted == (rank == 0 ? 0u : 1u));
  }
  BOOST_TEST(desk.take<Close>(3).empty());

  // All answer anew; what was said of the abandoned exchange counts no more.
  desk.tell(2, old);
  desk.tell(2, desk.reduced(8));
  BOOST_TEST(desk.records.empty());
  desk.tell(0, desk.reduced(8));
  desk.tell(1, desk.reduced(8));
  BOOST_REQUIRE(desk.records.size() == 1u);
  BOOST_TEST((desk.records[0].view == ViewId{1}));
  BOOST_TEST(desk.records[0].members.size() == 3u);
  BOOST_TEST(desk.records[0].sum_digest == 8u);
}

BOOST_AUTO_TEST_CASE(a_step_in_which_the_lost_had_banked_is_open_again_for_exactly_that) {
  Desk desk = three_volunteers(3, 3);
  for (const int rank : {1, 2, 3}) desk.compute(rank);
  BOOST_TEST((desk.coordinator.phase() == Phase::reducing));
  desk.tell(2, desk.reduced());  // the first to answer, and then lost
  desk.clear();

  desk.lose({2});
  BOOST_TEST((desk.coordinator.phase() == Phase::open));
  BOOST_TEST(desk.coordinator.banked() == 2u);
  for (const int rank : {0, 1, 3}) {
    BOOST_TEST((desk.take<Abandon>(rank).at(0).exchange == comm::ExchangeId{2}));
    BOOST_TEST(desk.take<Close>(rank).empty());
  }
  BOOST_TEST(desk.coordinator.tickets_out() == 1u);
  BOOST_TEST(desk.compute(1).batch.value() == 1u);
  for (const int rank : {0, 1, 3}) {
    const Close close = desk.take<Close>(rank).at(0);
    BOOST_TEST((close.view == view_of(1, {0, 1, 3})));
    BOOST_TEST((close.exchange == comm::ExchangeId{3}));
    BOOST_TEST(close.accepted == (rank == 0 ? 0u : rank == 1 ? 2u : 1u));
  }
  desk.reduce(9);  // not the sum that rank 2 had
  BOOST_REQUIRE(desk.records.size() == 1u);
  std::vector<int> volunteers;
  for (const auto& batch : desk.records[0].batches) volunteers.push_back(batch.volunteer.value());
  BOOST_TEST(volunteers == (std::vector<int>{1, 3, 1}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_sum_that_all_who_are_left_hold_is_committed_with_what_the_lost_had_banked) {
  Desk desk = three_volunteers(2);
  desk.compute(1);
  desk.compute(3);
  for (const int rank : {0, 1, 2}) desk.tell(rank, desk.reduced());
  BOOST_TEST(desk.records.empty());
  desk.clear();

  desk.lose({3});
  BOOST_REQUIRE(desk.records.size() == 1u);
  const metrics::StepRecord& record = desk.records[0];
  BOOST_TEST((record.view == ViewId{0}));
  BOOST_TEST(record.members.size() == 4u);
  BOOST_REQUIRE(record.batches.size() == 2u);
  BOOST_TEST((record.batches[1].volunteer == Rank{3}));
  for (const int rank : {0, 1, 2}) {
    BOOST_TEST(desk.take<Abandon>(rank).empty());
    BOOST_TEST(desk.take<Commit>(rank).at(0).samples == 2u);
  }
  BOOST_TEST(desk.take<Commit>(3).empty());
  // The next step is the smaller view's.
  BOOST_TEST((desk.coordinator.view() == view_of(1, {0, 1, 2})));
  desk.compute(1);
  desk.compute(2);
  BOOST_TEST((desk.take<Close>(0).at(0).view == view_of(1, {0, 1, 2})));
}

BOOST_AUTO_TEST_CASE(several_that_are_lost_in_one_tick_are_one_change_of_the_view) {
  Desk desk = gathered({.rules = rules_of(2), .members = 5});
  desk.compute(1);
  desk.compute(3);
  desk.clear();
  desk.lose({2, 4});
  BOOST_TEST(desk.noted("member_lost") == 2);
  for (const int rank : {0, 1, 3}) {
    BOOST_TEST(desk.take<Abandon>(rank).size() == 1u);
    const auto close = desk.take<Close>(rank);
    BOOST_REQUIRE(close.size() == 1u);
    BOOST_TEST((close[0].view == view_of(1, {0, 1, 3})));
  }
  for (const int rank : {2, 4}) BOOST_TEST(desk.take<Expelled>(rank).size() == 1u);
}

BOOST_AUTO_TEST_CASE(one_after_the_other_each_is_a_view_and_an_exchange_of_its_own) {
  Desk desk = three_volunteers(1);
  desk.compute(1);
  desk.clear();
  desk.lose({2});
  desk.lose({2, 3});
  const auto closes = desk.take<Close>(1);
  BOOST_REQUIRE(closes.size() == 2u);
  BOOST_TEST((closes[0].view == view_of(1, {0, 1, 3})));
  BOOST_TEST((closes[0].exchange == comm::ExchangeId{3}));
  BOOST_TEST((closes[1].view == view_of(2, {0, 1})));
  BOOST_TEST((closes[1].exchange == comm::ExchangeId{4}));
}

// All volunteers --------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(without_volunteers_the_run_waits_and_a_newcomer_is_taken_in_at_once) {
  Desk desk = gathered({.rules = rules_of(3)});
  desk.compute(1);
  desk.lose({1, 2});
  BOOST_TEST((desk.coordinator.view() == view_of(1, {0})));
  BOOST_TEST(desk.coordinator.banked() == 0u);
  desk.live(60);
  BOOST_TEST((desk.coordinator.phase() == Phase::open));

  desk.hello(5);
  BOOST_TEST(desk.take<Welcome>(5).size() == 1u);
  desk.load();
  BOOST_TEST((desk.coordinator.view() == view_of(2, {0, 5})));
  std::set<std::uint64_t> batches;
  for (int i = 0; i < 3; ++i) batches.insert(desk.compute(5).batch.value());
  BOOST_TEST((batches == std::set<std::uint64_t>{0, 1, 2}));
  desk.reduce();
  BOOST_TEST((desk.coordinator.version() == Version{1}));
}

BOOST_AUTO_TEST_CASE(lost_volunteers_that_come_again_while_others_reduce_are_taken_in_afterwards) {
  Desk desk = gathered({.rules = rules_of(1)});
  desk.compute(1);
  desk.lose({1, 2});
  BOOST_TEST((desk.coordinator.phase() == Phase::open));  // nothing is banked now
  desk.clear();
  desk.hello(2);
  desk.load();
  desk.compute(2);
  desk.clear();
  desk.hello(1);
  BOOST_TEST(desk.inbox(1).empty());
  desk.reduce();
  BOOST_TEST(desk.take<Load>(1).size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_run_without_volunteers_ends_after_a_while) {
  Desk desk = gathered({.rules = rules_of(3)});
  desk.lose({1, 2});
  desk.live(118);
  BOOST_TEST(!desk.coordinator.over());
  desk.live(3);
  BOOST_REQUIRE(desk.coordinator.failure());
  BOOST_TEST((desk.coordinator.failure()->code == ExitCode::peer));
  BOOST_TEST(mentions(desk.coordinator.failure()->reason, "none has come for 120 s"));
  BOOST_TEST(desk.take<Abort>(0).size() == 1u);
}

BOOST_AUTO_TEST_CASE(with_a_volunteer_the_run_may_take_as_long_as_it_likes) {
  Desk desk = gathered({.rules = rules_of(3)});
  desk.live(600);
  BOOST_TEST((desk.coordinator.phase() == Phase::open));
}

// Old messages ----------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(what_an_expelled_rank_said_before_changes_nothing) {
  Desk desk = gathered({.rules = rules_of(2), .members = 4});
  const TicketId ticket = desk.take<Grant>(3).at(0).ticket;
  desk.lose({3});
  const auto old_words = std::vector<Message>{Done{ticket, 1, 0.5, 1, 1},
                                              GiveBack{ticket},
                                              Spoiled{ticket, 1e9},
                                              Reduced{StepId{0}, ViewId{0}, 7, 3},
                                              Ready{comm::ExchangeId{1}},
                                              Failed{1, "no"},
                                              Leave{},
                                              Bye{9},
                                              Heartbeat{}};
  const auto say_them = [&] {
    for (const Message& message : old_words) {
      const Actions actions = desk.coordinator.receive(Rank{3}, message, desk.now());
      BOOST_TEST(actions.messages.empty());
      BOOST_TEST(actions.events.empty());
      BOOST_TEST(!actions.committed);
    }
  };
  say_them();
  desk.compute(1);
  desk.compute(2);
  say_them();
  BOOST_TEST((desk.coordinator.phase() == Phase::reducing));
  desk.reduce();
  BOOST_TEST(desk.records.at(0).members.size() == 3u);
  BOOST_TEST(desk.records.at(0).batches.size() == 2u);
}

BOOST_AUTO_TEST_CASE(an_expelled_rank_that_says_hello_anew_is_let_in_again) {
  Desk desk = gathered({.rules = rules_of(1)});
  const TicketId ticket = desk.take<Grant>(2).at(0).ticket;
  desk.lose({2});
  desk.inbox(2).clear();
  desk.tell(2, Hello{.trains = 1, .life = 1});  // of before
  BOOST_TEST(desk.inbox(2).empty());
  desk.hello(2);
  // It has nothing in hand, whatever arrives of its life before.
  desk.done(2, ticket);
  desk.tell(2, Ready{comm::ExchangeId{1}});
  desk.tell(2, Reduced{StepId{0}, ViewId{0}, 7, 3});
  BOOST_TEST(desk.inbox(2).empty());
  BOOST_TEST((desk.coordinator.view() == view_of(1, {0, 1})));
  desk.compute(1);
  desk.reduce();
  BOOST_TEST(desk.take<Welcome>(2).size() == 1u);
  desk.tell(2, Ready{comm::ExchangeId{1}});
  BOOST_TEST((desk.coordinator.view() == view_of(1, {0, 1})));
  desk.load();
  BOOST_TEST((desk.coordinator.view() == view_of(2, {0, 1, 2})));
  BOOST_TEST(desk.take<Grant>(2).size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_member_that_begins_anew_is_lost_before_it_is_taken_for_silent) {
  Desk desk = three_volunteers(3);
  desk.compute(3);
  desk.inbox(3).clear();
  desk.tell(3, Hello{.trains = 1, .life = 1});  // twice the same: nothing
  BOOST_TEST((desk.coordinator.view() == view_of(0, {0, 1, 2, 3})));
  desk.hello(3);
  BOOST_TEST((desk.coordinator.view() == view_of(1, {0, 1, 2})));
  BOOST_TEST(desk.coordinator.banked() == 0u);
  BOOST_TEST(desk.noted("member_lost") == 1);
  BOOST_TEST(desk.take<Expelled>(3).empty());
  BOOST_TEST(desk.take<Load>(3).empty());
  for (const int rank : {1, 2, 1}) desk.compute(rank);
  desk.reduce();
  BOOST_TEST(desk.take<Load>(3).size() == 1u);
}

// The end ---------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(who_is_lost_before_its_bye_is_not_waited_for) {
  Desk desk = three_volunteers(1, 1);
  desk.compute(1);
  desk.reduce();
  for (const int rank : {0, 2, 3}) desk.tell(rank, Bye{5});
  BOOST_TEST((desk.coordinator.phase() == Phase::finishing));
  desk.lose({1});
  BOOST_TEST(desk.coordinator.over());
  BOOST_TEST(!desk.coordinator.failure());
  BOOST_TEST(desk.coordinator.complete());
}

BOOST_AUTO_TEST_CASE(who_comes_when_the_run_is_finishing_is_told_so) {
  Desk desk = gathered({.rules = rules_of(1), .batches = 1});
  desk.compute(1);
  desk.reduce();
  desk.hello(9);
  BOOST_REQUIRE(desk.inbox(9).size() == 1u);
  BOOST_TEST(std::get<Finish>(desk.inbox(9)[0]).complete == 0);  // it has not the weights
  desk.tell(9, Bye{99});                                         // of weights that it never had
  desk.bye();
  BOOST_TEST(!desk.coordinator.failure());
}

BOOST_AUTO_TEST_SUITE_END()
