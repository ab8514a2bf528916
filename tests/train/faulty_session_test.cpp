// The whole stack in one process, under random faults: whoever dies, stands still, is cut off or
// leaves, every batch counts once, and all who are left hold the same weights.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <daig/comm/faulty.hpp>
#include <daig/core/random.hpp>
#include <daig/train/session.hpp>

#include "support/sanitized.hpp"
#include "train/session_cases.hpp"

BOOST_AUTO_TEST_SUITE(faulty_session_test)

using namespace daig;
using namespace std::chrono_literals;

namespace {

constexpr std::uint32_t schedules = test::under_thread_sanitizer    ? 60
                                    : test::under_address_sanitizer ? 250
                                                                    : 500;

/// What befalls the ranks of a run.
struct Schedule {
  int ranks = 0;
  train::Options options;
  std::uint64_t batches = 0;
  bool has_dataset = false;
  std::vector<comm::FaultPlan> faults;
  std::map<Rank, std::pair<train::Milestone, std::uint64_t>> deaths;
  std::map<Rank, std::uint64_t> leaves;  ///< with its first milestone at this version
};

/// Rank 1 stays to the end, so that there is one.
Schedule random_schedule(std::uint64_t seed, std::uint32_t number) {
  Random random(seed, Stream::test, number);
  const auto chance = [&](double p) { return random.uniform() < p; };
  Schedule schedule;
  schedule.ranks = 2 + static_cast<int>(random.below(4));
  schedule.options = test::whole_number_options(1 + random.below(8), 1 + random.below(3));
  schedule.options.coordinator_trains = chance(0.2);
  schedule.batches = schedule.options.k * (4 + random.below(12));
  // Impatient, or else the test would take an hour: who is expelled for nothing comes back.
  schedule.options.silence_limit = 100ms;
  schedule.options.exchange_limit = 500ms;  // a message may be lost, while a rank is cut off
  schedule.options.gather_limit = 300ms;    // a rank may die before its first word
  schedule.has_dataset = chance(0.5);
  const bool delays = chance(0.3);
  for (int rank = 0; rank < schedule.ranks; ++rank) {
    comm::FaultPlan plan;
    plan.seed = seed + number;
    if (delays) plan.mean_delay = std::chrono::microseconds(random.below(300));
    const std::uint64_t moment = random.below(400);
    if (rank > 0 && chance(0.25)) {
      plan.freeze = comm::Outage{moment, std::chrono::milliseconds(random.below(250))};
    } else if (rank > 1 && chance(0.2)) {
      plan.kill_at_operation = moment;
    } else if (rank > 1 && chance(0.15)) {
      plan.cut = comm::Outage{moment, std::chrono::milliseconds(150 + random.below(200))};
    } else if (rank > 1 && chance(0.5)) {
      schedule.deaths[Rank{rank}] = {static_cast<train::Milestone>(random.below(8)),
                                     random.below(8)};
    } else if (rank > 1 && chance(0.3)) {
      schedule.leaves[Rank{rank}] = random.below(8);
    }
    schedule.faults.push_back(std::move(plan));
  }
  return schedule;
}

/// What a run left.
struct Left {
  test::Problems problems;
  std::vector<metrics::StepRecord> steps;
  std::map<std::string, std::uint64_t> events;
  std::map<Rank, train::Result> results;
  std::uint64_t deaths = 0;
};

class Witness final : public metrics::Recorder {
 public:
  explicit Witness(Left& left) : left_(left) {}
  void step_committed(const metrics::StepRecord& step) override { left_.steps.push_back(step); }
  void event(std::string_view kind, const metrics::Fields&) override {
    ++left_.events[std::string(kind)];
  }

 private:
  Left& left_;
};

/// One rank's run; what it ends with.
void live(comm::Communicator& communicator, const Schedule& schedule, Left& left,
          std::mutex& mutex) {
  comm::FaultyCommunicator faulty(
      communicator, schedule.faults[static_cast<std::size_t>(communicator.rank().value())]);
  train::Options options = schedule.options;
  const Rank rank = faulty.rank();
  const bool is_cut = schedule.faults[static_cast<std::size_t>(rank.value())].cut.has_value();
  if (is_cut) options.orphan_limit = 500ms;  // the run's end may be among what it never hears
  train::Session* running = nullptr;
  options.on_milestone = [&](train::Milestone milestone, Version version) {
    if (const auto death = schedule.deaths.find(rank); death != schedule.deaths.end()) {
      const auto& [at, from] = death->second;
      if (milestone == at && version.value() >= from) faulty.kill();
    }
    if (const auto leave = schedule.leaves.find(rank); leave != schedule.leaves.end()) {
      if (version.value() >= leave->second) running->leave();
    }
  };
  Witness witness(left);
  train::Session session(faulty, options, test::weight_count);
  running = &session;
  if (session.coordinates()) {
    train::Task task{.weights = std::vector<float>(test::weight_count, 1.0F),
                     .samples = schedule.batches,
                     .recorder = &witness};
    if (schedule.has_dataset) task.read_shard = test::numbered_shard;
    session.set_up(std::move(task));
  }
  try {
    test::WholeNumbers workload;
    const train::Result result = session.run(workload);
    const std::scoped_lock lock(mutex);
    left.results.emplace(rank, result);
  } catch (const comm::Killed&) {
    const std::scoped_lock lock(mutex);
    ++left.deaths;
  } catch (const std::exception& error) {
    // A rank whose messages were lost may find that the protocol does not hold any more, and end.
    const bool was_cut = schedule.faults[static_cast<std::size_t>(rank.value())].cut.has_value();
    const std::scoped_lock lock(mutex);
    if (!was_cut) left.problems.add(fmt::format("rank {} threw: {}", rank.value(), error.what()));
  }
}

Left live_through(const Schedule& schedule) {
  Left left;
  std::mutex mutex;
  comm::run_in_process(schedule.ranks, [&](comm::Communicator& communicator) {
    live(communicator, schedule, left, mutex);
  });
  return left;
}

/// The weights that every history of the run comes to: whole numbers, added exactly.
std::vector<float> expected_weights(const Schedule& schedule) {
  std::vector<float> weights(test::weight_count, 1.0F);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    float sum = 0;
    for (std::uint64_t epoch = 0; epoch < schedule.options.epochs; ++epoch) {
      for (std::uint64_t batch = 0; batch < schedule.batches; ++batch) {
        sum += test::gradient_of({Epoch{static_cast<std::uint32_t>(epoch)}, BatchId{batch}}, i);
      }
    }
    weights[i] -= 0.25F * sum / static_cast<float>(schedule.options.k);
  }
  return weights;
}

void check(const Schedule& schedule, Left& left) {
  test::check_records(left.steps, schedule.batches, schedule.options, left.problems);
  const auto coordinator = left.results.find(coordinator_rank);
  left.problems.check(coordinator != left.results.end(), "the coordinator came to an end");
  if (coordinator == left.results.end()) return;
  left.problems.check(coordinator->second.complete, "all work was done");
  const bool exact = (schedule.options.k & (schedule.options.k - 1)) == 0;  // divides exactly
  const std::vector<float> expected = expected_weights(schedule);
  left.problems.check(!exact || coordinator->second.weights == expected, "the final weights");
  for (const auto& [rank, result] : left.results) {
    left.problems.check(!result.complete || result.weights == coordinator->second.weights,
                        fmt::format("rank {} ends with the coordinator's weights", rank.value()));
  }
  left.problems.check(left.results.contains(Rank{1}), "rank 1 came to an end");
}

}  // namespace

BOOST_AUTO_TEST_CASE(whatever_befalls_the_ranks_every_batch_counts_once) {
  log::set_level(log::Level::error);
  constexpr std::uint64_t seed = 1;
  std::map<std::string, std::uint64_t> events;
  std::uint64_t deaths = 0;
  for (std::uint32_t number = 0; number < schedules; ++number) {
    const Schedule schedule = random_schedule(seed, number);
    Left left = live_through(schedule);
    check(schedule, left);
    BOOST_TEST(left.problems.none(),
               "random_schedule(" << seed << ", " << number << "): " << left.problems.text());
    for (const auto& [kind, times] : left.events) events[kind] += times;
    deaths += left.deaths;
  }
  BOOST_TEST_MESSAGE(deaths << " deaths");
  for (const auto& [kind, times] : events) BOOST_TEST_MESSAGE(kind << ": " << times);
  BOOST_TEST(deaths > schedules / 4);
  BOOST_TEST(events["member_lost"] > schedules / 4);
  BOOST_TEST(events["member_left"] > schedules / 50);
}

BOOST_AUTO_TEST_SUITE_END()
