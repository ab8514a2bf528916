#include <cmath>
#include <functional>

#include <boost/test/unit_test.hpp>

#include <daig/control/rules.hpp>

BOOST_AUTO_TEST_SUITE(rules_test)

using namespace daig;
using namespace daig::control;

namespace {

void check_with(const std::function<void(Rules&)>& change) {
  Rules rules;
  change(rules);
  rules.check();
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_default_rules_and_their_extremes_hold) {
  BOOST_CHECK_NO_THROW(Rules{}.check());
  BOOST_CHECK_NO_THROW(check_with([](Rules& rules) { rules.balance = 1; }));
  BOOST_CHECK_NO_THROW(
      check_with([](Rules& rules) { rules.tickets_in_hand = max_tickets_in_hand; }));
}

BOOST_AUTO_TEST_CASE(a_step_of_no_batches_is_refused) {
  BOOST_CHECK_THROW(check_with([](Rules& rules) { rules.k = 0; }), UsageError);
}

BOOST_AUTO_TEST_CASE(a_balance_outside_0_to_1_is_refused) {
  for (const double balance : {-0.01, 1.01, std::nan(""), HUGE_VAL}) {
    BOOST_CHECK_THROW(check_with([&](Rules& rules) { rules.balance = balance; }), UsageError);
  }
}

BOOST_AUTO_TEST_CASE(no_ticket_in_hand_and_absurdly_many_are_refused) {
  for (const std::uint64_t tickets : {std::uint64_t{0}, max_tickets_in_hand + 1}) {
    BOOST_CHECK_THROW(check_with([&](Rules& rules) { rules.tickets_in_hand = tickets; }),
                      UsageError);
  }
}

BOOST_AUTO_TEST_CASE(a_heartbeat_must_be_heard_before_silence_ends_the_run) {
  BOOST_CHECK_THROW(check_with([](Rules& rules) { rules.heartbeat = rules.silence_limit; }),
                    UsageError);
  BOOST_CHECK_THROW(check_with([](Rules& rules) { rules.heartbeat = Duration::zero(); }),
                    UsageError);
}

BOOST_AUTO_TEST_CASE(rules_without_a_learning_rate_are_a_bug) {
  BOOST_CHECK_THROW(check_with([](Rules& rules) { rules.learning_rate = nullptr; }),
                    ContractViolation);
}

BOOST_AUTO_TEST_SUITE_END()
