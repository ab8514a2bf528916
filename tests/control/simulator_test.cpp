#include <vector>

#include <boost/test/unit_test.hpp>

#include <daig/control/service_law.hpp>
#include <daig/control/simulator.hpp>

BOOST_AUTO_TEST_SUITE(simulator_test)

using namespace daig;
using namespace daig::control;

namespace {

constexpr std::uint64_t unlimited_epochs = 1'000'000;

BatchQueue queue_of(std::uint64_t batches, std::uint64_t epochs = unlimited_epochs) {
  return BatchQueue(data::ShardPlan(batches, 1, 1), Epoch{static_cast<std::uint32_t>(epochs)});
}

/// Volunteers that take their rank's number of seconds for a batch.
Fleet uneven_fleet(std::uint64_t volunteers) {
  Fleet fleet;
  fleet.volunteers = volunteers;
  fleet.service_s = [](Rank member, Random&) { return static_cast<double>(member.value()); };
  return fleet;
}

Rules rules_of(std::uint64_t k) {
  Rules rules;
  rules.k = k;
  return rules;
}

/// Virtual time at which each of the first `steps` steps was committed.
std::vector<double> commits(const Rules& rules, Fleet fleet, std::uint64_t steps) {
  std::vector<double> times;
  fleet.on_commit = [&](const metrics::StepRecord& record) { times.push_back(record.committed_s); };
  Simulator simulator(rules, queue_of(64), std::move(fleet));
  simulator.run(steps);
  BOOST_TEST((simulator.coordinator().version() == Version{steps}));
  return times;
}

double mean_step_s(const Rules& rules, const ServiceLaw& law, std::uint64_t volunteers) {
  constexpr std::uint64_t steps = 5000;
  Fleet fleet;
  fleet.volunteers = volunteers;
  fleet.service_s = [law](Rank, Random& random) { return law.draw(random); };
  return commits(rules, std::move(fleet), steps).back() / steps;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_step_takes_as_long_as_its_k_batches_and_all_start_afresh) {
  // Ranks 1, 2, 3 take 1, 2, 3 s: K = 3 is reached by rank 1 at 1 s and 2 s, by rank 2 at 2 s.
  BOOST_TEST(commits(rules_of(3), uneven_fleet(3), 3) == (std::vector<double>{2, 4, 6}));
  BOOST_TEST(commits(rules_of(1), uneven_fleet(3), 3) == (std::vector<double>{1, 2, 3}));
}

BOOST_AUTO_TEST_CASE(with_equal_shares_the_slow_are_waited_for) {
  Rules rules = rules_of(3);
  rules.balance = 1;
  BOOST_TEST(commits(rules, uneven_fleet(3), 2) == (std::vector<double>{3, 6}));
}

BOOST_AUTO_TEST_CASE(messages_take_their_time) {
  Fleet fleet = uneven_fleet(1);
  fleet.latency_s = [](Random&) { return 0.25; };
  // Hello, Load, the weights, Ready, Grant, 1 s, Done, Close, the sum, Reduced; then Commit and
  // Grant, ...
  BOOST_TEST(commits(rules_of(1), fleet, 2) == (std::vector<double>{3.25, 5.5}));
}

BOOST_AUTO_TEST_CASE(a_run_ends_when_all_work_is_committed) {
  Simulator simulator(rules_of(4), queue_of(5, 2), uneven_fleet(2));
  simulator.run_to_end();
  BOOST_TEST(simulator.coordinator().over());
  BOOST_TEST(!simulator.coordinator().failure());
  BOOST_TEST((simulator.coordinator().version() == Version{3}));
  BOOST_TEST(!simulator.advance());
}

BOOST_AUTO_TEST_CASE(a_straggler_at_the_end_is_backed_up) {
  Rules rules = rules_of(2);
  const auto end_s = [&] {
    Fleet fleet = uneven_fleet(2);
    fleet.service_s = [](Rank member, Random&) { return member == Rank{2} ? 1e4 : 1.0; };
    Simulator simulator(rules, queue_of(2, 1), fleet);
    simulator.run_to_end();
    return seconds(simulator.now());
  };
  BOOST_TEST(end_s() < 60.0);
  rules.backups = false;
  BOOST_TEST(end_s() == 1e4);
}

BOOST_AUTO_TEST_CASE(a_death_costs_what_was_banked_only_there_and_the_time_until_it_is_noticed) {
  // K = 3: ranks 1 and 2 bank at 1 s, 2 s and 2 s; rank 2 dies before that.
  Fleet fleet = uneven_fleet(2);
  fleet.faults = {{.at_s = 1.5, .member = Rank{2}, .kind = Fault::Kind::dies}};
  BOOST_TEST(commits(rules_of(3), fleet, 2) == (std::vector<double>{3, 6}));
  // After its batch, while it is in the ring: silence has to tell, then rank 1 banks a third.
  fleet.latency_s = [](Random&) { return 0.25; };
  fleet.faults = {{.at_s = 3.6, .member = Rank{2}, .kind = Fault::Kind::dies}};
  const double committed_s = commits(rules_of(3), fleet, 1).front();
  BOOST_TEST(committed_s > 3.6 + 1.0);
  BOOST_TEST(committed_s < 3.6 + 2.0 + 4.0);
}

BOOST_AUTO_TEST_CASE(whoever_comes_in_the_midst_of_a_run_makes_it_faster) {
  Fleet fleet;
  fleet.volunteers = 2;
  fleet.service_s = [](Rank, Random&) { return 1.0; };
  fleet.faults = {{.at_s = 0.5, .member = Rank{2}, .kind = Fault::Kind::leaves},
                  {.at_s = 5.5, .member = Rank{2}, .kind = Fault::Kind::comes}};
  std::vector<std::size_t> members;
  fleet.on_commit = [&](const metrics::StepRecord& record) {
    members.push_back(record.members.size());
  };
  Simulator simulator(rules_of(2), queue_of(12, 1), fleet);
  simulator.run_to_end();
  // Alone, a step takes 2 s; from the fourth on, 1 s, since the newcomer loads as that opens.
  BOOST_TEST(members == (std::vector<std::size_t>{2, 2, 2, 3, 3, 3}));
  BOOST_TEST(seconds(simulator.now()) == 9.0);
}

BOOST_AUTO_TEST_CASE(what_would_end_after_the_end_of_time_ends_then) {
  Fleet fleet;
  fleet.volunteers = 1;
  fleet.tick_s = 1e9;
  fleet.service_s = [](Rank, Random&) { return 1e300; };
  Simulator simulator(rules_of(1), queue_of(1, 1), fleet);
  simulator.run_to_end();
  BOOST_TEST((simulator.now() == Duration::max()));
  BOOST_TEST((simulator.coordinator().version() == Version{1}));
}

BOOST_AUTO_TEST_CASE(a_fleet_without_service_times_is_a_contract_violation) {
  BOOST_CHECK_THROW(Simulator(rules_of(1), queue_of(1, 1), Fleet{}), ContractViolation);
}

// The law of K-batch-sync (Dutta et al., "Slow and Stale Gradients Can Win the Race", 2018)
// --------

BOOST_AUTO_TEST_CASE(k_batches_of_exponential_volunteers_take_k_over_p_mu) {
  const ServiceLaw law{.rate = 2};
  for (const std::uint64_t k : {1, 3, 8, 20}) {
    const double expected = static_cast<double>(k) / (8 * law.rate);
    BOOST_TEST_CONTEXT("K = " << k) {
      BOOST_TEST(mean_step_s(rules_of(k), law, 8) == expected, boost::test_tools::tolerance(0.05));
    }
  }
}

BOOST_AUTO_TEST_CASE(equal_shares_take_the_kth_fastest_of_p) {
  Rules rules = rules_of(4);
  rules.balance = 1;
  const double expected = 1.0 / 8 + 1.0 / 7 + 1.0 / 6 + 1.0 / 5;
  BOOST_TEST(mean_step_s(rules, {}, 8) == expected, boost::test_tools::tolerance(0.05));
}

BOOST_AUTO_TEST_CASE(shifted_service_times_keep_to_the_bounds) {
  const ServiceLaw law{.shift_s = 1};
  for (const std::uint64_t k : {4, 16}) {
    const double least = static_cast<double>(k) * law.mean_s() / 8;
    const double step_s = mean_step_s(rules_of(k), law, 8);
    BOOST_TEST(step_s > least);
    BOOST_TEST(step_s < least + law.shift_s * (1 - 1.0 / 8));
  }
}

BOOST_AUTO_TEST_SUITE_END()
