#include <cmath>
#include <limits>
#include <string>

#include <boost/test/unit_test.hpp>

#include "control/desk.hpp"

BOOST_AUTO_TEST_SUITE(refusal_test)

// Gradients whose norms are not believed.

using namespace daig;
using namespace daig::control;
using Phase = Coordinator::Phase;

namespace {

constexpr double no_number = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

/// Eight gradients of norm 1 are accepted: a norm may be 100 at most. Each volunteer holds one
/// ticket, granted since.
Desk with_a_bound(int members = 3, std::uint64_t batches = 100, std::uint64_t k = 50) {
  Desk desk = gathered({.rules = rules_of(k), .members = members, .batches = batches});
  const int volunteers = members - 1;
  for (int count = 0; count < 8; ++count) desk.compute(1 + count % volunteers);
  for (int rank = 1; rank <= volunteers; ++rank) desk.compute(rank);
  return desk;
}

}  // namespace

BOOST_AUTO_TEST_CASE(what_is_no_number_is_refused_and_the_batch_goes_to_another) {
  for (const double norm : {no_number, infinity, -infinity, -1.0}) {
    Desk desk = gathered({.rules = rules_of(4)});
    const Grant refused = desk.take<Grant>(1).at(0);
    BOOST_TEST(refused.most_norm == infinity);  // nothing is known yet
    desk.done(1, refused.ticket, 1, norm);
    BOOST_TEST((desk.take<Cancel>(1).at(0).ticket == refused.ticket));
    BOOST_TEST(desk.take<Accept>(1).empty());
    BOOST_TEST(desk.coordinator.banked() == 0u);
    BOOST_TEST(desk.noted("gradient_refused") == 1);
    BOOST_TEST(desk.take<Grant>(1).at(0).work.batch.value() == 2u);  // it goes on with others
    desk.compute(2);
    const Grant again = desk.take<Grant>(2).at(0);
    BOOST_TEST((again.work == refused.work));
    desk.done(1, refused.ticket);  // too late to take it back
    BOOST_TEST(desk.coordinator.banked() == 1u);
    desk.done(2, again.ticket);
    BOOST_TEST(desk.coordinator.banked() == 2u);
  }
}

BOOST_AUTO_TEST_CASE(what_is_beyond_the_bound_is_refused_and_what_is_not_is_accepted) {
  Desk desk = with_a_bound();
  const Grant one = desk.take<Grant>(1).at(0);
  const Grant two = desk.take<Grant>(2).at(0);
  BOOST_TEST(one.most_norm == 100.0);
  desk.done(1, one.ticket, 1, 100);
  BOOST_TEST(desk.take<Accept>(1).size() == 6u);
  desk.done(2, two.ticket, 1, 100.5);
  BOOST_TEST((desk.take<Cancel>(2).at(0).ticket == two.ticket));
}

BOOST_AUTO_TEST_CASE(a_gradient_that_its_volunteer_refuses_goes_to_another) {
  Desk desk = with_a_bound();
  const Grant spoiled = desk.take<Grant>(1).at(0);
  desk.tell(2, Spoiled{spoiled.ticket, 1e3});  // not its own
  BOOST_TEST(desk.noted("gradient_refused") == 0);
  desk.tell(1, Spoiled{spoiled.ticket, 1e3});
  desk.tell(1, Spoiled{spoiled.ticket, 1e3});
  BOOST_TEST(desk.noted("gradient_refused") == 1);
  BOOST_TEST(desk.take<Cancel>(1).empty());
  desk.compute(2);
  const Grant second = desk.take<Grant>(2).at(0);
  BOOST_TEST((second.work == spoiled.work));
  BOOST_TEST(second.most_norm == infinity);  // the second opinion is heard, whatever it is
}

BOOST_AUTO_TEST_CASE(a_second_opinion_of_the_same_norm_is_accepted_and_another_is_not) {
  for (const double second_norm : {1010.0, 990.0, 1011.0, 989.0, 1e9, no_number}) {
    const bool is_same = std::abs(second_norm - 1000) <= 10;
    Desk desk = with_a_bound(4);
    const Grant first = desk.take<Grant>(1).at(0);
    desk.done(1, first.ticket, 1, 1000);
    desk.compute(2);
    const Grant second = desk.take<Grant>(2).at(0);
    BOOST_TEST((second.work == first.work));
    desk.done(2, second.ticket, 1, second_norm);
    BOOST_TEST(desk.take<Cancel>(2).size() == (is_same ? 0u : 1u));
    BOOST_TEST(desk.noted("gradient_refused") == (is_same ? 1 : 2));
    // A third has to say, and it may be the first: rank 2 is the one in doubt now.
    desk.compute(3);
    BOOST_TEST((desk.take<Grant>(3).at(0).work == first.work) == !is_same);
    BOOST_TEST(!desk.coordinator.over());
  }
}

BOOST_AUTO_TEST_CASE(a_second_opinion_may_be_plausible) {
  Desk desk = with_a_bound();
  desk.done(1, desk.take<Grant>(1).at(0).ticket, 1, 1000);
  desk.compute(2);
  const std::uint64_t banked = desk.coordinator.banked();
  desk.done(2, desk.take<Grant>(2).at(0).ticket, 1, 2);
  BOOST_TEST(desk.coordinator.banked() == banked + 1);
}

BOOST_AUTO_TEST_CASE(a_batch_for_which_two_find_no_number_ends_the_run) {
  for (const double second_norm : {no_number, infinity}) {
    Desk desk = gathered({.rules = rules_of(4)});
    desk.tell(1, Spoiled{desk.take<Grant>(1).at(0).ticket, no_number});
    desk.compute(2);
    desk.done(2, desk.take<Grant>(2).at(0).ticket, 1, second_norm);
    BOOST_REQUIRE(desk.coordinator.failure());
    BOOST_TEST((desk.coordinator.failure()->code == ExitCode::failure));
    BOOST_TEST(mentions(desk.coordinator.failure()->reason,
                        "ranks 1 and 2 both find no finite gradient for epoch 0, batch 0"));
    for (const int rank : {0, 1, 2}) BOOST_TEST(desk.take<Abort>(rank).size() == 1u);
  }
}

BOOST_AUTO_TEST_CASE(whoever_is_proved_wrong_again_and_again_is_expelled_for_good) {
  Desk desk = with_a_bound();
  for (int strike = 0; strike < 3; ++strike) {
    const Grant grant = desk.take<Grant>(1).at(0);
    desk.done(1, grant.ticket, 1, 1000 + strike);
    BOOST_TEST(desk.take<Expelled>(1).empty());  // rank 2 has to find another gradient first
    while (desk.compute(2) != grant.work) {
    }
  }
  const Expelled expelled = desk.take<Expelled>(1).at(0);
  BOOST_TEST(expelled.may_return == 0);
  BOOST_TEST(mentions(expelled.reason, "3 of its gradients were refused"));
  BOOST_TEST((desk.coordinator.view().members == std::vector{Rank{0}, Rank{2}}));

  desk.inbox(1).clear();
  desk.hello(1);
  BOOST_REQUIRE(desk.inbox(1).size() == 1u);
  BOOST_TEST(std::get<Expelled>(desk.inbox(1)[0]).may_return == 0);
  BOOST_TEST(mentions(std::get<Expelled>(desk.inbox(1)[0]).reason, "were not believed"));
  // What it had, rank 2 computes, and what it had banked as well.
  while (desk.coordinator.phase() == Phase::open) desk.compute(2);
  BOOST_TEST(desk.take<Close>(2).at(0).accepted == 50u);
}

BOOST_AUTO_TEST_CASE(whoever_is_proved_right_stays) {
  Desk desk = with_a_bound();
  for (int times = 0; times < 5; ++times) {
    const Grant grant = desk.take<Grant>(1).at(0);
    desk.done(1, grant.ticket, 1, 1000);
    while (true) {
      const Grant next = desk.take<Grant>(2).at(0);
      desk.done(2, next.ticket, 1, next.work == grant.work ? 1000 : 1);
      if (next.work == grant.work) break;
    }
  }
  BOOST_TEST(desk.take<Expelled>(1).empty());
}

BOOST_AUTO_TEST_CASE(a_sole_volunteer_gets_the_batch_again_and_is_better_than_nobody) {
  Desk desk = with_a_bound(2);
  const Grant first = desk.take<Grant>(1).at(0);
  double norm = 1000;
  TicketId ticket = first.ticket;
  for (int strike = 0; strike < 5; ++strike) {
    desk.done(1, ticket, 1, norm);
    norm *= 2;
    const Grant again = desk.take<Grant>(1).at(0);
    BOOST_TEST((again.work == first.work));
    ticket = again.ticket;
  }
  BOOST_TEST(desk.take<Expelled>(1).empty());
  desk.done(1, ticket, 1, norm / 2);  // as before: then that is what the batch gives
  BOOST_TEST(desk.take<Cancel>(1).size() == 5u);
  BOOST_TEST(desk.coordinator.banked() == 10u);
}

BOOST_AUTO_TEST_CASE(the_coordinators_own_member_stays_whatever_its_gradients) {
  Desk desk({.rules = rules_of(50), .members = 2});
  desk.hello(0, true);
  desk.hello(1);
  desk.load();
  for (int strike = 0; strike < 5; ++strike) {
    desk.done(0, desk.take<Grant>(0).at(0).ticket, 1, no_number);
  }
  BOOST_TEST(desk.take<Cancel>(0).size() == 5u);
  BOOST_TEST(desk.take<Expelled>(0).empty());
  BOOST_TEST(desk.coordinator.view().size() == 2u);
}

BOOST_AUTO_TEST_CASE(who_alone_may_bank_more_in_this_step_gets_its_refused_batch_again) {
  Rules rules = rules_of(2);
  rules.balance = 1;
  Desk desk = gathered({.rules = rules, .batches = 2});
  const Grant refused = desk.take<Grant>(1).at(0);
  desk.done(1, refused.ticket, 1, no_number);
  BOOST_TEST(desk.take<Grant>(1).empty());  // rank 2 is still busy
  desk.compute(2);                          // and has its share
  desk.tick();
  BOOST_TEST((desk.compute(1) == refused.work));
  BOOST_TEST((desk.coordinator.phase() == Phase::reducing));
}

BOOST_AUTO_TEST_CASE(a_sole_volunteer_that_twice_finds_no_number_ends_the_run) {
  Desk desk = with_a_bound(2);
  desk.done(1, desk.take<Grant>(1).at(0).ticket, 1, no_number);
  desk.done(1, desk.take<Grant>(1).at(0).ticket, 1, no_number);
  BOOST_REQUIRE(desk.coordinator.failure());
  BOOST_TEST(mentions(desk.coordinator.failure()->reason, "rank 1 twice finds no finite gradient"));
}

BOOST_AUTO_TEST_CASE(
    a_refused_batch_is_not_forgotten_when_its_next_holder_is_lost_or_the_step_closes) {
  for (const bool is_lost : {true, false}) {
    Desk desk = with_a_bound(4, 100, 13);
    const Grant first = desk.take<Grant>(1).at(0);
    desk.done(1, first.ticket, 1, 1000);
    desk.compute(2);
    BOOST_TEST((desk.take<Grant>(2).at(0).work == first.work));
    if (is_lost) {
      desk.tell(2, Failed{static_cast<int>(ExitCode::peer), "lost touch"});
    } else {
      desk.compute(3);
      BOOST_TEST((desk.coordinator.phase() == Phase::reducing));
      desk.clear();
      desk.reduce();
    }
    // Somebody else gets it next, and rank 1 does not.
    const int next = is_lost ? 3 : 2;
    if (is_lost) desk.compute(3);
    const Grant again = desk.take<Grant>(next).at(0);
    BOOST_TEST((again.work == first.work));
    BOOST_TEST(again.most_norm == infinity);
    const std::uint64_t banked = desk.coordinator.banked();
    desk.done(next, again.ticket, 1, 1000);
    BOOST_TEST(desk.coordinator.banked() == banked + 1);
  }
}

BOOST_AUTO_TEST_CASE(of_two_holders_whose_one_is_refused_the_other_is_the_next_opinion) {
  // Eleven batches are all there is; rank 3 computes one of them until nothing else is left.
  Desk desk = gathered({.rules = rules_of(12), .members = 4, .batches = 11});
  for (int count = 0; count < 8; ++count) desk.compute(1 + count % 2);
  const Grant refused = desk.take<Grant>(1).at(0);
  desk.done(1, refused.ticket, 1, 1000);
  desk.compute(2);
  const Grant second = desk.take<Grant>(2).at(0);
  BOOST_TEST((second.work == refused.work));
  desk.compute(3);
  desk.live(5);  // overdue: somebody gets it as well
  BOOST_TEST(desk.coordinator.tickets_out() == 2u);
  desk.done(2, second.ticket, 1, 5000);
  BOOST_TEST(desk.coordinator.tickets_out() == 1u);
  for (const int rank : {1, 2, 3}) {
    for (const Grant& grant : desk.take<Grant>(rank)) desk.done(rank, grant.ticket);
  }
  BOOST_TEST((desk.coordinator.phase() == Phase::reducing));
  desk.reduce();
  BOOST_REQUIRE(desk.records.size() == 1u);
  BOOST_TEST(desk.records[0].batches.size() == 11u);
}

BOOST_AUTO_TEST_SUITE_END()
