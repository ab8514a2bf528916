#include "control/history.hpp"

#include <exception>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "support/sanitized.hpp"

BOOST_AUTO_TEST_SUITE(history_test)

using namespace daig;
using namespace daig::control;

namespace {

// A sanitizer takes more than ten times as long, and sees the same code in fewer of them.
constexpr std::uint32_t share = test::sanitized ? 10 : 1;
constexpr std::uint32_t plain_histories = 3000 / share;
constexpr std::uint32_t histories = 12'000 / share;

/// What the histories went through, so that the test knows that it tests something.
struct Seen {
  std::uint64_t backups = 0;  ///< cancelled single tickets
  std::uint64_t given_back = 0;
  std::uint64_t late = 0;  ///< Done's that crossed a Close or Cancel
  std::uint64_t steps = 0;
  std::map<std::string, std::uint64_t> events;
  std::uint64_t abandoned = 0;  ///< exchanges, as told to members
  std::uint64_t reopened = 0;   ///< steps that were closed more than once
};

void live_through(const History& history, Seen& seen) {
  Witness witness(history);
  Fleet fleet = history.fleet;
  std::uint64_t answers = 0;
  std::set<comm::ExchangeId> closes;
  fleet.on_message = [&](Rank member, const Message& message) {
    witness.hear(member, message);
    seen.backups += std::holds_alternative<Cancel>(message) ? 1 : 0;
    seen.given_back += std::holds_alternative<GiveBack>(message) ? 1 : 0;
    seen.late += std::holds_alternative<Done>(message) ? 1 : 0;
    answers += std::holds_alternative<Accept>(message) ? 1 : 0;
    seen.abandoned += std::holds_alternative<Abandon>(message) ? 1 : 0;
    if (const auto* close = std::get_if<Close>(&message)) closes.insert(close->exchange);
  };
  fleet.on_event = [&](const metrics::Event& event) {
    witness.hear(event);
    ++seen.events[event.kind];
  };
  fleet.on_commit = [&](const metrics::StepRecord& record) {
    witness.note(record);
    ++seen.steps;
    seen.reopened += closes.size() - 1;
    closes.clear();
  };
  Simulator simulator(history.rules, BatchQueue(history.plan, history.epochs, history.done), fleet,
                      history.version);
  while (simulator.advance()) {
    witness.check();
    expects(simulator.events() < 1'000'000, "a run that ends");
  }
  witness.check_end(simulator.coordinator());
  seen.late -= answers;
}

/// Histories 0, 1, 2, ... of a seed; names the one that breaks a promise.
Seen live_through_all(const char* name, History (*make)(std::uint64_t, std::uint32_t),
                      std::uint64_t seed, std::uint32_t count) {
  Seen seen;
  for (std::uint32_t number = 0; number < count; ++number) {
    BOOST_TEST_CONTEXT(name << "(" << seed << ", " << number << ")") {
      try {
        live_through(make(seed, number), seen);
      } catch (const std::exception& error) {
        BOOST_FAIL(error.what());
      }
    }
  }
  return seen;
}

}  // namespace

BOOST_AUTO_TEST_CASE(thousands_of_random_histories_keep_the_protocols_promises) {
  constexpr std::uint64_t seed = 1;
  const Seen seen = live_through_all("random_history", random_history, seed, plain_histories);
  BOOST_TEST_MESSAGE(seen.steps << " steps, " << seen.backups << " cancelled backups, "
                                << seen.given_back << " tickets given back, " << seen.late
                                << " late Dones");
  BOOST_TEST(seen.steps > 10'000u / share);
  BOOST_TEST(seen.backups > 100u / share);
  BOOST_TEST(seen.given_back > 1000u / share);
  BOOST_TEST(seen.late > 1000u / share);
}

// The seed is fixed, and printed with the number of the history that broke a promise.
BOOST_AUTO_TEST_CASE(promises_are_kept_whoever_dies_freezes_leaves_or_comes) {
  constexpr std::uint64_t seed = 2;
  const Seen seen = live_through_all("troubled_history", troubled_history, seed, histories);
  for (const auto& [kind, times] : seen.events) BOOST_TEST_MESSAGE(kind << ": " << times);
  BOOST_TEST_MESSAGE(seen.steps << " steps, " << seen.reopened << " closed again, "
                                << seen.abandoned << " exchanges abandoned");
  BOOST_TEST(seen.events.at("member_lost") > histories);
  BOOST_TEST(seen.events.at("member_left") > histories / 10);
  BOOST_TEST(seen.events.at("gradient_refused") > histories / 100);
  BOOST_TEST(seen.reopened > histories / 10);
  BOOST_TEST(seen.abandoned > histories);
}

BOOST_AUTO_TEST_CASE(a_history_is_the_same_whenever_it_is_lived_through) {
  for (const std::uint32_t number : {1U, 2U, 3U}) {
    std::vector<double> ends;
    for (int again = 0; again < 2; ++again) {
      const History history = random_history(5, number);
      Simulator simulator(history.rules, BatchQueue(history.plan, history.epochs, history.done),
                          history.fleet, history.version);
      simulator.run_to_end();
      ends.push_back(seconds(simulator.now()));
    }
    BOOST_TEST(ends[0] == ends[1]);
  }
}

BOOST_AUTO_TEST_SUITE_END()
