// A run that is joined while it goes on: newcomers get the weights from a member, count from the
// next step, and may die at whatever point of their coming.

#include <chrono>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "support/growing_ranks.hpp"
#include "train/session_cases.hpp"

BOOST_AUTO_TEST_SUITE(growing_session_test)

using namespace daig;
using namespace std::chrono_literals;

namespace {

constexpr int founders = 3;
constexpr std::uint64_t batches = 600;

/// Slow enough that there is time to join.
struct SlowNumbers : test::WholeNumbers {
  std::optional<train::Contribution> gradient(const control::Work& work,
                                              std::span<const float> weights,
                                              std::span<float> gradient,
                                              const std::stop_token& stop) {
    std::this_thread::sleep_for(2ms);
    return test::WholeNumbers::gradient(work, weights, gradient, stop);
  }
};

train::Options options() {
  train::Options options = test::whole_number_options(8, 1);
  options.optimizer.name = "sgd";
  options.optimizer.momentum = 0.5;  // so that newcomers need the optimiser's state as well
  options.silence_limit = 300ms;
  return options;
}

struct Run {
  std::mutex mutex;
  test::Problems problems;
  test::Records records;
  std::map<Rank, train::Result> results;
  std::uint64_t deaths = 0;
};

void take_part(comm::Communicator& communicator, train::Options options, Run& run) {
  try {
    train::Session session(communicator, std::move(options), test::weight_count);
    if (session.coordinates()) {
      session.set_up({.weights = std::vector<float>(test::weight_count, 1.0F),
                      .samples = batches,
                      .read_shard = test::numbered_shard,
                      .recorder = &run.records});
    }
    SlowNumbers workload;
    train::Result result = session.run(workload);
    const std::scoped_lock lock(run.mutex);
    run.results.emplace(communicator.rank(), std::move(result));
  } catch (const comm::Killed&) {
    const std::scoped_lock lock(run.mutex);
    ++run.deaths;
  } catch (const std::exception& error) {
    const std::scoped_lock lock(run.mutex);
    run.problems.add(fmt::format("rank {}: {}", communicator.rank().value(), error.what()));
  }
}

/// Joins after a while, as the rank of this number. @param dies  at which milestone, if at all
void come_later(int rank, Duration after, std::optional<train::Milestone> dies,
                const std::filesystem::path& door, Run& run) {
  log::set_rank(Rank{rank});
  try {
    test::published_door(door);
    std::this_thread::sleep_for(after);
    const auto joined = test::newcomer(Rank{rank}, door);
    comm::FaultyCommunicator mortal(*joined, comm::FaultPlan{});
    train::Options own = options();
    if (dies) {
      own.on_milestone = [&](train::Milestone milestone, Version) {
        if (milestone == *dies) mortal.kill();
      };
    }
    take_part(mortal, std::move(own), run);
  } catch (const std::exception& error) {
    const std::scoped_lock lock(run.mutex);
    run.problems.add(fmt::format("rank {}: {}", rank, error.what()));
  }
}

std::map<Rank, int> shares(const Run& run) {
  std::map<Rank, int> shares;
  for (const auto& step : run.records.steps) {
    for (const auto& batch : step.batches) ++shares[batch.volunteer];
  }
  return shares;
}

/// Every batch once, and the same weights wherever the run was seen to its end.
void check(Run& run) {
  test::check_records(run.records.steps, batches, options(), run.problems);
  BOOST_TEST(run.problems.none(), run.problems.text());
  BOOST_REQUIRE(run.results.contains(coordinator_rank));
  const train::Result& coordinator = run.results.at(coordinator_rank);
  BOOST_TEST(coordinator.complete);
  for (const auto& [rank, result] : run.results) {
    BOOST_TEST((!result.complete || result.weights == coordinator.weights),
               "rank " << rank.value() << " ends with other weights");
  }
}

template <class Come>
void run_with(Run& run, Come come) {
  log::set_level(log::Level::error);
  const test::TemporaryFolder folder;
  const std::filesystem::path door = folder.path() / "door";
  std::jthread coming([&] { come(door); });
  comm::run_in_process(founders, [&](comm::Communicator& communicator) {
    const auto growing = test::founder(communicator, door);
    take_part(*growing, options(), run);
  });
}

/// One who dies, and one who lives.
struct Succession {
  Run& run;
  train::Milestone dies;

  void operator()(const std::filesystem::path& door) const {
    come_later(3, 0ms, dies, door, run);
    come_later(4, 0ms, std::nullopt, door, run);
  }
};

}  // namespace

BOOST_AUTO_TEST_CASE(newcomers_take_part) {
  Run run;
  run_with(run, [&](const auto& door) {
    std::jthread second([&] { come_later(4, 150ms, std::nullopt, door, run); });
    come_later(3, 0ms, std::nullopt, door, run);
  });
  check(run);
  std::map<Rank, int> computed = shares(run);
  for (int rank = 1; rank < founders + 2; ++rank) {
    BOOST_TEST(computed[Rank{rank}] > 0, "rank " << rank << " computed nothing");
    BOOST_TEST(run.results.at(Rank{rank}).complete);
  }
}

BOOST_DATA_TEST_CASE(newcomers_may_die_at_any_point, boost::unit_test::data::xrange(8), number) {
  const auto milestone = static_cast<train::Milestone>(number);
  Run run;
  run_with(run, Succession{run, milestone});
  check(run);
  BOOST_TEST(run.deaths == 1U);
  BOOST_TEST(shares(run)[Rank{4}] > 0);
}

BOOST_AUTO_TEST_SUITE_END()
