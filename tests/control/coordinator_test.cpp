#include <string>

#include <boost/test/unit_test.hpp>

#include "control/desk.hpp"

BOOST_AUTO_TEST_SUITE(coordinator_test)

using namespace daig;
using namespace daig::control;
using Phase = Coordinator::Phase;

// Gathering -------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(the_run_begins_when_everyone_said_hello_and_has_the_weights) {
  Desk desk({.rules = rules_of(2)});
  desk.tell(0, Hello{});
  BOOST_TEST(desk.take<Welcome>(0).size() == 1u);  // it has the weights
  desk.tell(1, Hello{.trains = 1});
  desk.tell(1, Hello{.trains = 1});  // again: still rank 2 is missing
  BOOST_TEST((desk.coordinator.phase() == Phase::gathering));
  BOOST_TEST(desk.inbox(1).empty());
  desk.tell(2, Hello{.trains = 1});
  BOOST_TEST((desk.coordinator.phase() == Phase::gathering));
  for (const int rank : {1, 2}) {
    const auto welcome = desk.take<Welcome>(rank);
    BOOST_REQUIRE(welcome.size() == 1u);
    BOOST_TEST(welcome[0].samples == 100u);
  }
  for (const int rank : {0, 1, 2}) {
    const auto load = desk.take<Load>(rank);
    BOOST_REQUIRE(load.size() == 1u);
    BOOST_TEST((load[0].chain == comm::view_of_all(3)));
    BOOST_TEST((load[0].exchange == comm::ExchangeId{1}));
    BOOST_TEST((load[0].version == Version{0}));
  }
  desk.tell(2, Ready{comm::ExchangeId{2}});  // of nothing that was said
  desk.tell(2, Ready{comm::ExchangeId{1}});
  desk.tell(2, Ready{comm::ExchangeId{1}});
  desk.tell(0, Ready{comm::ExchangeId{1}});
  BOOST_TEST((desk.coordinator.phase() == Phase::gathering));
  BOOST_TEST(desk.inbox(2).empty());
  desk.tell(1, Ready{comm::ExchangeId{1}});
  BOOST_TEST((desk.coordinator.phase() == Phase::open));
  BOOST_TEST((desk.coordinator.view() == comm::view_of_all(3)));
  BOOST_TEST(desk.take<Grant>(0).empty());  // it does not train
  BOOST_TEST(desk.take_batches(1) == (Batches{0}));
  BOOST_TEST(desk.take_batches(2) == (Batches{1}));
}

BOOST_AUTO_TEST_CASE(a_member_with_other_settings_or_another_protocol_ends_the_run) {
  Rules rules;
  rules.settings_digest = 5;
  for (const Hello& hello : {Hello{.trains = 1, .settings_digest = 6},
                             Hello{.protocol = 1, .trains = 1, .settings_digest = 5}}) {
    Desk desk({.rules = rules});
    desk.tell(2, hello);
    BOOST_TEST(desk.coordinator.over());
    BOOST_REQUIRE(desk.coordinator.failure());
    BOOST_TEST((desk.coordinator.failure()->code == ExitCode::usage));
    BOOST_TEST(mentions(desk.coordinator.failure()->reason, "rank 2"));
    for (const int rank : {0, 1, 2}) BOOST_TEST(desk.take<Abort>(rank).size() == 1u);
  }
}

BOOST_AUTO_TEST_CASE(a_run_in_which_nobody_trains_ends_at_once) {
  Desk desk({.members = 2});
  desk.hello(0, false);
  desk.hello(1, false);
  desk.load();
  BOOST_REQUIRE(desk.coordinator.failure());
  BOOST_TEST((desk.coordinator.failure()->code == ExitCode::usage));
  for (const int rank : {0, 1}) BOOST_TEST(desk.take<Abort>(rank).size() == 1u);
  BOOST_TEST(desk.take<Grant>(1).empty());
}

BOOST_AUTO_TEST_CASE(a_member_that_does_not_come_is_given_up_and_the_run_begins_without_it) {
  Desk desk({});
  desk.hello(0, false);
  desk.hello(1);
  desk.live(60);
  BOOST_TEST((desk.coordinator.phase() == Phase::gathering));
  BOOST_TEST(desk.take<Load>(1).empty());
  desk.live(0.25);
  const auto expelled = desk.take<Expelled>(2);
  BOOST_REQUIRE(expelled.size() == 1u);
  BOOST_TEST(expelled[0].may_return == 1);
  BOOST_TEST(expelled[0].reason == "it did not come within 60 s");
  BOOST_TEST(desk.noted("member_lost") == 1);
  BOOST_TEST(desk.coordinator.has_lost());
  desk.load();
  BOOST_TEST((desk.coordinator.phase() == Phase::open));
  BOOST_TEST((desk.coordinator.view().members == std::vector{Rank{0}, Rank{1}}));
  BOOST_TEST(desk.take_batches(1) == (Batches{0}));
}

BOOST_AUTO_TEST_CASE(rules_that_contradict_themselves_make_no_coordinator) {
  BOOST_CHECK_THROW(Desk({.rules = rules_of(0)}), UsageError);
}

// Steps -----------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_step_from_grant_to_commit) {
  Run run{.rules = rules_of(2)};
  run.rules.learning_rate = [](std::uint64_t step, std::uint64_t total) {
    return static_cast<double>(step) + static_cast<double>(total) / 1000;
  };
  Desk desk = gathered(run);
  const Grant one = desk.take<Grant>(1)[0];
  const Grant two = desk.take<Grant>(2)[0];
  BOOST_TEST((one.version == Version{0}));
  BOOST_TEST(one.deadline_s > 0);

  desk.wait(1);
  desk.done(1, one.ticket, 0.75);
  BOOST_TEST((desk.take<Accept>(1).at(0).ticket == one.ticket));
  BOOST_TEST(desk.coordinator.banked() == 1u);
  BOOST_TEST(desk.take_batches(1) == (Batches{2}));  // it goes on at the same weights

  desk.wait(1);
  desk.done(2, two.ticket, 1.5);
  BOOST_TEST((desk.coordinator.phase() == Phase::reducing));
  BOOST_TEST(desk.coordinator.tickets_out() == 0u);
  // The accepts come before the close, and nobody gets another ticket.
  BOOST_REQUIRE(desk.inbox(2).size() == 3u);
  BOOST_TEST(std::holds_alternative<Accept>(desk.inbox(2)[1]));
  BOOST_TEST(std::holds_alternative<Close>(desk.inbox(2)[2]));
  for (const int rank : {0, 1, 2}) {
    const auto close = desk.take<Close>(rank);
    BOOST_REQUIRE(close.size() == 1u);
    BOOST_TEST((close[0].step == StepId{0}));
    BOOST_TEST((close[0].view == comm::view_of_all(3)));
    BOOST_TEST((close[0].exchange == comm::ExchangeId{2}));  // 1 was the Load of the weights
    BOOST_TEST(close[0].accepted == (rank == 0 ? 0u : 1u));
  }

  desk.clear();
  desk.wait(0.5);
  desk.tell(0, desk.reduced());
  desk.tell(2, desk.reduced());
  desk.tell(2, desk.reduced());
  BOOST_TEST(desk.records.empty());
  desk.tell(1, desk.reduced());
  BOOST_TEST((desk.coordinator.version() == Version{1}));
  BOOST_REQUIRE(desk.records.size() == 1u);
  const metrics::StepRecord& record = desk.records[0];
  BOOST_TEST((record.step == StepId{0}));
  BOOST_TEST(record.members.size() == 3u);
  BOOST_TEST(record.sum_digest == 7u);
  BOOST_TEST(record.learning_rate == 0.05);  // of 50 steps
  BOOST_TEST(record.opened_s == 0.0);
  BOOST_TEST(record.closed_s == 2.0);
  BOOST_TEST(record.committed_s == 2.5);
  BOOST_REQUIRE(record.batches.size() == 2u);
  BOOST_TEST((record.batches[0].volunteer == Rank{1}));
  BOOST_TEST((record.batches[0].batch == BatchId{0}));
  BOOST_TEST(record.batches[0].service_s == 0.75);
  BOOST_TEST((record.batches[1].batch == BatchId{1}));
  BOOST_TEST(record.samples() == 2u);
  BOOST_TEST(record.loss_sum() == 1.0);

  // The next tickets ride along with the commit, behind it, for the new weights. The cancelled
  // batch is among them.
  BOOST_TEST((desk.coordinator.phase() == Phase::open));
  for (const int rank : {1, 2}) {
    BOOST_REQUIRE(desk.inbox(rank).size() == 2u);
    const auto& commit = std::get<Commit>(desk.inbox(rank)[0]);
    BOOST_TEST(commit.samples == 2u);
    BOOST_TEST(commit.learning_rate == 0.05);
    BOOST_TEST((std::get<Grant>(desk.inbox(rank)[1]).version == Version{1}));
  }
  BOOST_TEST(desk.take_batches(1) == (Batches{2}));
  BOOST_TEST(desk.take_batches(2) == (Batches{3}));
}

BOOST_AUTO_TEST_CASE(one_volunteer_may_bank_a_whole_step) {
  Desk desk = gathered({.rules = rules_of(3)});
  for (int i = 0; i < 3; ++i) desk.compute(2);
  BOOST_TEST(desk.take<Close>(1).at(0).accepted == 0u);
  BOOST_TEST(desk.take<Close>(2).at(0).accepted == 3u);
}

BOOST_AUTO_TEST_CASE(a_step_of_fewer_batches_than_volunteers_closes_on_the_first) {
  Desk desk = gathered({.rules = rules_of(1), .members = 5});
  desk.compute(3);
  BOOST_TEST((desk.coordinator.phase() == Phase::reducing));
  desk.reduce();
  BOOST_TEST(desk.records.at(0).batches.size() == 1u);
  BOOST_TEST(desk.coordinator.tickets_out() == 4u);
}

BOOST_AUTO_TEST_CASE(a_done_that_crosses_the_close_is_not_counted_and_its_ticket_returns) {
  Desk desk = gathered({.rules = rules_of(1), .members = 3, .batches = 3});
  const TicketId late = desk.take<Grant>(1).at(0).ticket;
  desk.compute(2);
  desk.clear();
  desk.done(1, late);
  desk.done(1, late);
  BOOST_TEST(desk.inbox(1).empty());
  BOOST_TEST(desk.coordinator.banked() == 1u);
  desk.reduce();
  desk.done(1, late);  // still later
  BOOST_TEST(desk.take<Accept>(1).empty());
  BOOST_TEST(desk.take_batches(1) == (Batches{0}));
  BOOST_TEST(desk.take_batches(2) == (Batches{2}));
}

BOOST_AUTO_TEST_CASE(a_ticket_counts_once_and_only_for_its_holder) {
  Desk desk = gathered({.rules = rules_of(3)});
  const TicketId ticket = desk.take<Grant>(1).at(0).ticket;
  desk.done(2, ticket);
  BOOST_TEST(desk.coordinator.banked() == 0u);
  desk.done(1, ticket);
  desk.done(1, ticket);
  desk.done(1, TicketId{999});
  BOOST_TEST(desk.coordinator.banked() == 1u);
  BOOST_TEST(desk.take<Accept>(1).size() == 1u);
}

BOOST_AUTO_TEST_CASE(only_the_last_step_is_smaller) {
  Desk desk = gathered({.rules = rules_of(3), .members = 2, .batches = 4, .epochs = 2});
  BOOST_TEST(desk.coordinator.total_steps() == 3u);
  while (!desk.coordinator.over()) {
    const auto grants = desk.take<Grant>(1);
    for (const Grant& grant : grants) desk.done(1, grant.ticket);
    if (desk.coordinator.phase() == Phase::reducing) desk.reduce();
    if (desk.coordinator.phase() == Phase::finishing) desk.bye();
  }
  BOOST_TEST(!desk.coordinator.failure());
  BOOST_REQUIRE(desk.records.size() == 3u);
  BOOST_TEST(desk.records[0].batches.size() == 3u);
  BOOST_TEST(desk.records[1].batches.size() == 3u);  // of two epochs
  BOOST_TEST(desk.records[2].batches.size() == 2u);
  BOOST_TEST((desk.records[1].batches[0].epoch == Epoch{0}));
  BOOST_TEST((desk.records[1].batches[2].epoch == Epoch{1}));
}

BOOST_AUTO_TEST_CASE(the_coordinator_alone_trains_too) {
  Desk desk = gathered({.rules = rules_of(2), .members = 1, .batches = 2});
  for (int i = 0; i < 2; ++i) desk.compute(0);
  BOOST_TEST(desk.take<Close>(0).at(0).accepted == 2u);
  desk.reduce();
  BOOST_TEST(desk.take<Finish>(0).size() == 1u);
  BOOST_TEST((desk.coordinator.phase() == Phase::finishing));
  desk.bye();
  BOOST_TEST(desk.coordinator.over());
  BOOST_TEST(!desk.coordinator.failure());
}

BOOST_AUTO_TEST_CASE(members_with_different_sums_end_the_run) {
  Desk desk = gathered({.rules = rules_of(1)});
  desk.compute(1);
  desk.tell(2, desk.reduced(7));
  desk.tell(0, desk.reduced(8));
  BOOST_REQUIRE(desk.coordinator.failure());
  BOOST_TEST((desk.coordinator.failure()->code == ExitCode::failure));
  BOOST_TEST(
      mentions(desk.coordinator.failure()->reason, "ranks 2 and 0 hold different sums in step 0"));
  BOOST_TEST(desk.take<Abort>(1).size() == 1u);
  desk.tell(1, desk.reduced(7));
  BOOST_TEST(desk.records.empty());
}

BOOST_AUTO_TEST_CASE(members_with_different_weights_end_the_run) {
  Desk desk = gathered({.rules = rules_of(1)});
  desk.compute(1);
  desk.tell(1, desk.reduced(7, 3));
  desk.tell(2, desk.reduced(7, 4));
  BOOST_REQUIRE(desk.coordinator.failure());
  BOOST_TEST(mentions(desk.coordinator.failure()->reason, "different weights"));
}

BOOST_AUTO_TEST_CASE(a_reduced_of_another_step_or_view_is_not_one_of_this) {
  Desk desk = gathered({.rules = rules_of(1), .members = 2});
  desk.tell(0, desk.reduced());  // nothing is closed yet
  desk.compute(1);
  desk.tell(0, desk.reduced());
  desk.tell(1, Reduced{StepId{1}, ViewId{0}, 7, 3});
  desk.tell(1, Reduced{StepId{0}, ViewId{1}, 7, 3});
  desk.hello(7);  // no member yet: nobody waits for what it says
  desk.tell(7, desk.reduced());
  BOOST_TEST(desk.records.empty());
  desk.tell(1, desk.reduced());
  BOOST_TEST(desk.records.size() == 1u);
}

BOOST_AUTO_TEST_CASE(different_weights_at_the_end_are_no_result) {
  Desk desk = gathered({.rules = rules_of(1), .members = 2, .batches = 1});
  desk.compute(1);
  desk.reduce();
  desk.tell(0, Bye{5});
  BOOST_TEST(!desk.coordinator.over());
  desk.tell(1, Bye{6});
  BOOST_REQUIRE(desk.coordinator.failure());
  BOOST_TEST(mentions(desk.coordinator.failure()->reason, "ranks 0 and 1 end with different"));
}

// Tickets ---------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(prefetch_keeps_tickets_in_hand_one_for_each_before_anyones_second) {
  Desk desk = gathered({.rules = rules_of(8, 2), .shards = 2});
  const auto grants = desk.take<Grant>(1);
  BOOST_REQUIRE(grants.size() == 2u);
  BOOST_TEST((grants[0].ticket == TicketId{1}));
  BOOST_TEST((grants[1].ticket == TicketId{3}));
  BOOST_TEST(grants[1].deadline_s >= grants[0].deadline_s);
  BOOST_TEST(desk.take_batches(2) == (Batches{1, 3}));
  desk.done(1, grants[0].ticket);
  BOOST_TEST(desk.take_batches(1) == (Batches{4}));
  BOOST_TEST(desk.coordinator.tickets_out() == 4u);
}

BOOST_AUTO_TEST_CASE(nobody_holds_more_tickets_than_the_step_lacks) {
  Desk desk = gathered({.rules = rules_of(3, 4), .batches = 20});
  const auto grants = desk.take<Grant>(1);
  BOOST_REQUIRE(grants.size() == 3u);
  BOOST_TEST(desk.take<Grant>(2).size() == 3u);
  desk.done(1, grants[0].ticket);
  BOOST_TEST(desk.take<Grant>(1).empty());  // two are lacking, and it holds two
  desk.done(1, grants[1].ticket);
  BOOST_TEST(desk.take<Grant>(1).empty());
  desk.done(1, grants[2].ticket);
  BOOST_TEST(desk.take<Close>(1).size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_done_that_may_close_the_step_is_awaited) {
  Desk desk = gathered({.rules = rules_of(10, 2), .batches = 100});
  std::vector<Grant> grants;
  for (std::size_t accepted = 0; accepted < 9; ++accepted) {
    for (const int volunteer : {1, 2}) {
      for (const Grant& grant : desk.take<Grant>(volunteer)) {
        if (volunteer == 1) grants.push_back(grant);
      }
    }
    desk.done(1, grants.at(accepted).ticket);
  }
  // Four tickets are out when volunteer 1 gets its third: the fifth of this step, the next the
  // sixth, and so on. Two each of the ten make four.
  std::vector<int> awaited;
  for (const Grant& grant : grants) awaited.push_back(grant.awaited);
  BOOST_TEST(awaited == (std::vector<int>{0, 0, 0, 0, 1, 1, 1, 1, 1, 1}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(there_is_leeway_while_a_step_is_open_and_service_times_are_known) {
  Desk desk = gathered({.rules = rules_of(2, 4), .batches = 8});
  BOOST_TEST((desk.coordinator.leeway() == Duration::zero()));
  desk.done(1, desk.take<Grant>(1).at(0).ticket, 0.5);
  BOOST_TEST(seconds(desk.coordinator.leeway()) == 1.5);  // three of the four in hand
  desk.done(1, TicketId{3}, 0.5);
  BOOST_TEST((desk.coordinator.leeway() == std::chrono::milliseconds(1)));  // closed
  desk.tell(1, Reduced{StepId{0}, desk.coordinator.view().id, 1, 1});
  BOOST_TEST((desk.coordinator.leeway() == Duration::zero()));
}

BOOST_AUTO_TEST_CASE(the_shard_after_this_is_announced_if_shards_can_be_fetched) {
  for (const bool has_dataset : {true, false}) {
    Rules rules = rules_of(50);
    rules.has_dataset = has_dataset;
    Desk desk = gathered({.rules = rules, .batches = 20, .shards = 4});
    std::vector<ShardId> announced;
    const auto hear = [&] {
      for (const Prefetch& prefetch : desk.take<Prefetch>(1)) announced.push_back(prefetch.shard);
    };
    hear();
    BOOST_TEST(announced.empty());  // there is work enough in its own
    for (int i = 0; i < 5; ++i) {
      desk.compute(1);
      hear();
    }
    BOOST_TEST((announced == (has_dataset ? std::vector{ShardId{2}} : std::vector<ShardId>{})));
    BOOST_TEST(desk.take_batches(1) == (Batches{2}));  // now it is there
  }
}

BOOST_AUTO_TEST_CASE(balance_caps_what_one_volunteer_banks) {
  Rules rules = rules_of(4, 2);
  rules.balance = 1;
  Desk desk = gathered({.rules = rules});
  const auto grants = desk.take<Grant>(1);
  BOOST_REQUIRE(grants.size() == 2u);
  for (const Grant& grant : grants) desk.done(1, grant.ticket);
  BOOST_TEST(desk.take<Grant>(1).empty());
  for (const Grant& grant : desk.take<Grant>(2)) desk.done(2, grant.ticket);
  BOOST_TEST((desk.coordinator.phase() == Phase::reducing));
  desk.reduce();
  BOOST_TEST(desk.take<Grant>(1).size() == 2u);  // a new step, a new share
}

BOOST_AUTO_TEST_CASE(named_supply_has_k_tickets_and_waits_for_each) {
  Rules rules = rules_of(3, 2);
  rules.supply = Supply::named_k;
  Desk desk = gathered({.rules = rules});
  const auto one = desk.take<Grant>(1);
  const auto two = desk.take<Grant>(2);
  BOOST_TEST(one.size() == 2u);
  BOOST_TEST(two.size() == 1u);
  for (const Grant& grant : one) desk.done(1, grant.ticket);
  BOOST_TEST(desk.take<Grant>(1).empty());
  BOOST_TEST((desk.coordinator.phase() == Phase::open));
  desk.done(2, two[0].ticket);
  BOOST_TEST((desk.coordinator.phase() == Phase::reducing));
}

BOOST_AUTO_TEST_CASE(no_more_volunteers_contribute_than_the_rules_allow) {
  Rules rules = rules_of(4);
  rules.max_contributors = 2;
  Desk desk = gathered({.rules = rules, .members = 5});
  BOOST_TEST(desk.take<Grant>(3).empty());
  BOOST_TEST(desk.take<Grant>(4).empty());
  desk.compute(1);
  BOOST_TEST(desk.take<Grant>(1).size() == 1u);
  // Letting go of the only ticket makes room for another volunteer; whoever has banked stays.
  desk.tell(2, GiveBack{desk.take<Grant>(2).at(0).ticket});
  BOOST_TEST(desk.take<Grant>(2).size() == 1u);
  BOOST_TEST(desk.take<Grant>(3).empty());
  BOOST_TEST(desk.coordinator.tickets_out() == 2u);
}

BOOST_AUTO_TEST_CASE(shares_are_those_of_the_contributors_so_that_a_step_can_close) {
  Rules rules = rules_of(4, 4);
  rules.max_contributors = 2;
  rules.balance = 1;
  Desk desk = gathered({.rules = rules, .members = 5});
  for (const int rank : {1, 2}) {
    const auto grants = desk.take<Grant>(rank);
    BOOST_TEST(grants.size() == 2u);
    for (const Grant& grant : grants) desk.done(rank, grant.ticket);
  }
  BOOST_TEST((desk.coordinator.phase() == Phase::reducing));
}

BOOST_AUTO_TEST_CASE(of_all_volunteers_the_fastest_contribute_and_stragglers_count_as_slow) {
  Rules rules = rules_of(2);
  rules.max_contributors = 2;
  Desk desk = gathered({.rules = rules, .members = 4});
  // Step 0: rank 1 computes for the whole step, and rank 2 banks twice.
  desk.wait(5);
  desk.done(2, desk.take<Grant>(2).at(0).ticket, 1);
  desk.done(2, desk.take<Grant>(2).at(0).ticket, 1);
  desk.clear();
  desk.reduce();
  // Step 1: rank 3, never measured, then rank 2; not rank 1, which took more than 5 s.
  BOOST_TEST(desk.take<Grant>(1).empty());
  BOOST_TEST(desk.take<Grant>(2).size() == 1u);
  BOOST_TEST(desk.take<Grant>(3).size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_ticket_given_back_goes_to_whoever_has_a_hand_free) {
  Desk desk = gathered({.rules = rules_of(9), .members = 4, .batches = 2});
  BOOST_TEST(desk.take<Grant>(3).empty());
  const Grant grant = desk.take<Grant>(1).at(0);
  desk.tell(2, GiveBack{grant.ticket});  // not its own
  BOOST_TEST(desk.coordinator.tickets_out() == 2u);
  desk.tell(1, GiveBack{grant.ticket});
  desk.tell(1, GiveBack{grant.ticket});
  BOOST_TEST(desk.coordinator.tickets_out() == 2u);
  const auto again = desk.take<Grant>(1);
  BOOST_REQUIRE(again.size() == 1u);
  BOOST_TEST((again[0].ticket != grant.ticket));
  BOOST_TEST((again[0].work == grant.work));
}

// Backups ---------------------------------------------------------------------------------------

namespace {

/// Two batches; rank 1 holds the one, rank 2 has banked the other and has nothing to do.
Desk with_a_straggler(bool backups = true) {
  Rules rules = rules_of(9);
  rules.backups = backups;
  Desk desk = gathered({.rules = rules, .members = 4, .batches = 2});
  desk.wait(1);
  desk.compute(2);
  desk.tick();
  BOOST_TEST(desk.take<Grant>(2).empty());  // not overdue yet
  desk.live(29);                            // the first deadline: nothing was measured
  return desk;
}

}  // namespace

BOOST_AUTO_TEST_CASE(at_the_end_an_overdue_ticket_gets_one_backup) {
  Desk desk = with_a_straggler();
  const Grant straggling = desk.take<Grant>(1).at(0);
  // Rank 3, which was not measured yet, has its turn as rank 2 has: they stand in order of rank.
  const auto backups = desk.take<Grant>(2);
  BOOST_REQUIRE(backups.size() == 1u);
  BOOST_TEST((backups[0].work == straggling.work));
  desk.tick();
  BOOST_TEST(desk.take<Grant>(3).empty());  // one is enough

  desk.done(2, backups[0].ticket);
  BOOST_TEST((desk.take<Cancel>(1).at(0).ticket == straggling.ticket));
  BOOST_TEST((desk.coordinator.phase() == Phase::reducing));
  desk.done(1, straggling.ticket);  // crossed the cancel
  BOOST_TEST(desk.take<Accept>(1).empty());
  desk.reduce();
  desk.bye();
  BOOST_TEST(!desk.coordinator.failure());
  BOOST_TEST(desk.records.at(0).batches.size() == 2u);
}

BOOST_AUTO_TEST_CASE(a_straggler_that_comes_first_after_all_voids_its_backup) {
  Desk desk = with_a_straggler();
  const TicketId backup = desk.take<Grant>(2).at(0).ticket;
  desk.compute(1);
  BOOST_TEST((desk.take<Cancel>(2).at(0).ticket == backup));
  BOOST_TEST(desk.take<Close>(1).at(0).accepted == 1u);
}

BOOST_AUTO_TEST_CASE(when_one_of_two_holders_lets_go_the_other_goes_on_and_may_be_backed_up) {
  Desk desk = with_a_straggler();
  const Grant backup = desk.take<Grant>(2).at(0);
  desk.tell(1, GiveBack{desk.take<Grant>(1).at(0).ticket});
  BOOST_TEST(desk.coordinator.tickets_out() == 1u);
  desk.live(29);
  BOOST_TEST(desk.coordinator.tickets_out() == 2u);
  desk.done(2, backup.ticket);
  BOOST_TEST((desk.coordinator.phase() == Phase::reducing));
  BOOST_TEST(desk.records.empty());
  desk.reduce();
  BOOST_TEST((desk.coordinator.phase() == Phase::finishing));
}

BOOST_AUTO_TEST_CASE(a_step_that_closes_over_a_backed_up_batch_gives_it_back_once) {
  // Batches 0 (rank 1, overdue) and 1 (rank 2); K = 2 of 3.
  Desk desk = gathered({.rules = rules_of(2, 1), .members = 4, .batches = 3});
  const TicketId two = desk.take<Grant>(2).at(0).ticket;
  const TicketId three = desk.take<Grant>(3).at(0).ticket;
  desk.done(3, three);
  desk.live(30);
  BOOST_TEST(desk.take_batches(3) == (Batches{0}));
  desk.done(2, two);
  BOOST_TEST((desk.coordinator.phase() == Phase::reducing));
  desk.clear();
  desk.reduce();
  BOOST_TEST(desk.coordinator.tickets_out() == 1u);  // batch 0, for the last step
}

BOOST_AUTO_TEST_CASE(without_backups_a_straggler_is_waited_for) {
  Desk desk = with_a_straggler(false);
  BOOST_TEST(desk.take<Grant>(2).empty());
  BOOST_TEST(desk.take<Grant>(3).empty());
  BOOST_TEST((desk.coordinator.phase() == Phase::open));
}

// Silence, failure, resuming --------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_silent_member_is_expelled_in_every_later_phase) {
  for (const Phase phase : {Phase::open, Phase::reducing, Phase::finishing}) {
    Desk desk = gathered({.rules = rules_of(1), .members = 3, .batches = 1});
    if (phase != Phase::open) desk.compute(1);
    if (phase == Phase::finishing) desk.reduce();
    BOOST_TEST_REQUIRE((desk.coordinator.phase() == phase));
    desk.live(1, {2});
    BOOST_TEST(desk.take<Expelled>(2).empty());
    desk.live(1.25, {2});
    const auto expelled = desk.take<Expelled>(2);
    BOOST_REQUIRE(expelled.size() == 1u);
    BOOST_TEST(expelled[0].may_return == 1);
    BOOST_TEST(mentions(expelled[0].reason, "it was not heard of for"));
    BOOST_TEST((desk.coordinator.phase() == phase));
    BOOST_TEST((desk.coordinator.view() == comm::View{ViewId{1}, {Rank{0}, Rank{1}}}));
    BOOST_TEST(desk.noted("member_lost") == 1);
    // The others finish what there is.
    if (phase == Phase::open) desk.compute(1);
    if (phase != Phase::finishing) desk.reduce();
    desk.bye();
    BOOST_TEST(desk.coordinator.over());
    BOOST_TEST(!desk.coordinator.failure());
    BOOST_TEST(desk.coordinator.complete());
  }
}

BOOST_AUTO_TEST_CASE(a_coordinator_with_nothing_to_say_says_that_it_is_alive) {
  Desk desk = gathered({.rules = rules_of(9)});
  desk.wait(0.2);
  desk.compute(2);
  desk.wait(0.1);
  desk.tick();
  desk.tick();
  BOOST_TEST(desk.take<Heartbeat>(1).size() == 1u);
  BOOST_TEST(desk.take<Heartbeat>(2).empty());  // it heard Accept
}

BOOST_AUTO_TEST_CASE(a_member_that_cannot_go_on_ends_the_run_with_its_reason) {
  for (const auto& [sent, exit] :
       {std::pair{3, ExitCode::input}, {0, ExitCode::failure}, {256, ExitCode::failure}}) {
    Desk desk = gathered({});
    desk.tell(1, Failed{sent, "no such file"});
    BOOST_REQUIRE(desk.coordinator.failure());
    BOOST_TEST((desk.coordinator.failure()->code == exit));
    const Abort abort = desk.take<Abort>(2).at(0);
    BOOST_TEST(abort.exit_code == static_cast<int>(exit));
    BOOST_TEST(abort.reason == "rank 1 failed: no such file");
  }
}

BOOST_AUTO_TEST_CASE(a_member_that_lost_touch_is_one_volunteer_less) {
  Desk desk = gathered({.rules = rules_of(2)});
  const Work work = desk.take<Grant>(1).at(0).work;
  desk.tell(1, Failed{static_cast<int>(ExitCode::peer), "nobody answers"});
  BOOST_TEST(!desk.coordinator.over());
  BOOST_TEST(desk.take<Expelled>(1).at(0).reason == "nobody answers");
  desk.compute(2);
  BOOST_TEST((desk.compute(2) == work));
  BOOST_TEST((desk.coordinator.phase() == Phase::reducing));
}

BOOST_AUTO_TEST_CASE(the_coordinators_own_member_ends_the_run_whatever_it_fails_of) {
  Desk desk = gathered({});
  desk.tell(0, Failed{static_cast<int>(ExitCode::peer), "nobody answers"});
  BOOST_REQUIRE(desk.coordinator.failure());
  BOOST_TEST((desk.coordinator.failure()->code == ExitCode::peer));
}

BOOST_AUTO_TEST_CASE(an_abort_is_told_to_all_and_nothing_follows) {
  Desk desk = gathered({});
  desk.clear();
  desk.abort(ExitCode::io, "disk full");
  desk.abort(ExitCode::usage, "again");
  BOOST_TEST((desk.coordinator.failure()->code == ExitCode::io));
  for (const int rank : {0, 1, 2}) BOOST_TEST(desk.inbox(rank).size() == 1u);
  desk.clear();
  desk.done(1, TicketId{1});
  desk.wait(100);
  desk.tick();
  for (const int rank : {0, 1, 2}) BOOST_TEST(desk.inbox(rank).empty());
}

BOOST_AUTO_TEST_CASE(who_has_not_said_hello_is_not_listened_to) {
  Desk desk({});
  desk.tell(-1, Failed{1, "no"});
  desk.tell(2, Bye{5});
  desk.tell(7, Leave{});
  desk.tell(2, Ready{comm::ExchangeId{1}});
  BOOST_TEST((desk.coordinator.phase() == Phase::gathering));
  for (const int rank : {-1, 2, 7}) BOOST_TEST(desk.inbox(rank).empty());
  desk.gather();
  BOOST_TEST((desk.coordinator.phase() == Phase::open));
  desk.tell(7, Failed{1, "no"});
  BOOST_TEST(!desk.coordinator.over());
}

BOOST_AUTO_TEST_CASE(who_fails_before_its_hello_ends_a_run_that_waits_for_it) {
  Desk desk({});
  desk.tell(2, Failed{3, "no such file"});
  BOOST_REQUIRE(desk.coordinator.failure().has_value());
  BOOST_TEST((desk.coordinator.failure()->code == ExitCode::input));
}

BOOST_AUTO_TEST_CASE(a_resumed_run_goes_on_where_it_was) {
  const std::vector<Work> done{{Epoch{0}, BatchId{0}}, {Epoch{0}, BatchId{2}}};
  Desk desk(
      {.rules = rules_of(2), .members = 2, .batches = 5, .done = done, .version = Version{1}});
  desk.hello(0, false);
  desk.hello(1);
  BOOST_TEST((desk.take<Load>(1).at(0).version == Version{1}));
  desk.tell(1, Ready{comm::ExchangeId{1}});
  BOOST_TEST(desk.coordinator.total_steps() == 3u);
  const Grant grant = desk.take<Grant>(1).at(0);
  BOOST_TEST((grant.version == Version{1}));
  BOOST_TEST((grant.work.batch == BatchId{1}));
  desk.done(1, grant.ticket);
  desk.compute(1);
  BOOST_TEST((desk.take<Close>(1).at(0).step == StepId{1}));
}

BOOST_AUTO_TEST_CASE(a_finished_run_that_is_resumed_ends_at_once) {
  Desk desk = gathered(
      {.members = 2, .batches = 1, .done = {{Epoch{0}, BatchId{0}}}, .version = Version{1}});
  BOOST_TEST(desk.take<Welcome>(1).size() == 1u);
  const auto finish = desk.take<Finish>(1);
  BOOST_REQUIRE(finish.size() == 1u);
  BOOST_TEST(finish[0].complete == 1);
  desk.bye();
  BOOST_TEST(desk.coordinator.over());
  BOOST_TEST(!desk.coordinator.failure());
  BOOST_TEST(desk.records.empty());
}

BOOST_AUTO_TEST_SUITE_END()
