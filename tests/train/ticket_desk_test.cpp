#include <stdexcept>
#include <thread>

#include <boost/test/unit_test.hpp>

#include <daig/train/ticket_desk.hpp>

BOOST_AUTO_TEST_SUITE(ticket_desk_test)

using namespace daig;
using train::Assignment;
using train::TicketDesk;

namespace {

Assignment assignment(std::uint64_t ticket) {
  return {TicketId{ticket}, {Epoch{0}, BatchId{ticket}}, Version{0}, nullptr};
}

train::ComputedGradient computed(std::uint64_t ticket) {
  return {TicketId{ticket}, nullptr, {1.0, 1}, 0.5};
}

}  // namespace

BOOST_AUTO_TEST_CASE(tickets_come_in_order_and_outcomes_too) {
  int told = 0;
  TicketDesk desk([&] { ++told; });
  desk.put({assignment(1), assignment(2)});
  BOOST_TEST(desk.next()->ticket.value() == 1u);
  desk.finish(TicketId{1}, computed(1));
  BOOST_TEST(desk.next()->ticket.value() == 2u);
  desk.finish(TicketId{2}, control::GiveBack{TicketId{2}});
  BOOST_TEST(told == 2);
  const auto outcomes = desk.take_outcomes();
  BOOST_TEST_REQUIRE(outcomes.size() == 2u);
  BOOST_TEST(std::get<train::ComputedGradient>(outcomes[0]).ticket.value() == 1u);
  BOOST_TEST(std::get<control::GiveBack>(outcomes[1]).ticket.value() == 2u);
  BOOST_TEST(desk.take_outcomes().empty());
}

BOOST_AUTO_TEST_CASE(a_cancelled_ticket_leaves_no_trace) {
  TicketDesk desk([] {});
  desk.put({assignment(1), assignment(2), assignment(3)});
  const auto first = desk.next();
  const auto second = desk.next();
  desk.finish(TicketId{1}, computed(1));
  desk.cancel(TicketId{1});  // done, not taken
  desk.cancel(TicketId{2});  // being computed
  desk.cancel(TicketId{3});  // waiting
  BOOST_TEST(second->stop.stop_requested());
  desk.finish(TicketId{2}, computed(2));
  BOOST_TEST(desk.take_outcomes().empty());
  desk.put({assignment(4)});
  BOOST_TEST(desk.next()->ticket.value() == 4u);
}

BOOST_AUTO_TEST_CASE(cancel_all_voids_what_is_out) {
  TicketDesk desk([] {});
  desk.put({assignment(1)});
  const auto first = desk.next();
  desk.put({assignment(2)});
  desk.cancel_all();
  BOOST_TEST(first->stop.stop_requested());
  desk.finish(TicketId{1}, computed(1));
  BOOST_TEST(desk.take_outcomes().empty());
}

BOOST_AUTO_TEST_CASE(closing_ends_a_waiting_thread) {
  TicketDesk desk([] {});
  std::jthread computing([&] {
    while (desk.next()) {
    }
  });
  desk.put({assignment(1)});
  desk.close();
  computing.join();
  BOOST_TEST(!desk.next().has_value());
}

BOOST_AUTO_TEST_CASE(a_failure_is_handed_over_once) {
  TicketDesk desk([] {});
  BOOST_TEST((desk.take_failure() == nullptr));
  desk.fail(std::make_exception_ptr(std::runtime_error("no")));
  BOOST_TEST((desk.take_failure() != nullptr));
  BOOST_TEST((desk.take_failure() == nullptr));
}

BOOST_AUTO_TEST_SUITE_END()
