// A coordinator that dies between what the others know, what the ledger knows, and what a snapshot
// holds.

#include <boost/test/unit_test.hpp>

#include "launcher/training_place.hpp"
#include "store/sample_run.hpp"

BOOST_AUTO_TEST_SUITE(coordinator_deaths_test)

namespace {

using namespace daig::test;
using nlohmann::json;

/// Where it dies, and what follows from that for a run with a snapshot after every 20 steps.
struct Case {
  const char* death;
  int from;     ///< the step that the second attempt starts from
  int known;    ///< steps that the ledger knew then
  int unnamed;  ///< snapshots left under their temporary names
};

int unnamed_snapshots(const TrainingPlace& place) {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(place.run_folder())) {
    count += contains(entry.path().filename().string(), ".h5.tmp-") ? 1 : 0;
  }
  return count;
}

BOOST_AUTO_TEST_CASE(ledger_and_snapshot_agree_wherever_the_coordinator_dies) {
  const Case cases[] = {
      {"0:hello:0", 0, 0, 0},                                   // nothing was done yet
      {"0:agreed:39", 20, 39, 0},                               // the others have applied step 39
      {"0:recorded:39", 20, 40, 0},                             // and the ledger has it
      {"0:saving:40", 20, 40, 1},   {"0:saved:40", 40, 40, 0},  // two older ones are still there
      {"0:agreed:40", 40, 40, 0},
  };
  for (const Case& c : cases) {
    BOOST_TEST_CONTEXT(c.death) {
      const TrainingPlace place;
      const Ended ended =
          Command(TrainingPlace::train({"-n", "4", "--epochs", "10", "--quiet", "--snapshot-every",
                                        "20", "--die", c.death}),
                  place.path(), place.environment())
              .wait();
      BOOST_TEST(
          contains(ended.error, fmt::format("by signal 9; restarting from step {} (", c.from)),
          ended.error);
      place.check_whole(ended);
      const json report = place.audit();
      BOOST_TEST(report.at("attempts").get<int>() == 2);
      BOOST_TEST(report.at("steps").get<int>() == 75);
      BOOST_TEST(report.at("superseded_steps").get<int>() == c.known - c.from);
      BOOST_TEST(report.at("superseded_batches").get<int>() == 4 * (c.known - c.from));
      // What was done in vain is in nobody's account of what counts.
      std::uint64_t counts = 0;
      std::uint64_t redone = 0;
      for (const json& volunteer : report.at("volunteers")) {
        counts += volunteer.at("batches").get<std::uint64_t>();
        redone += volunteer.at("redone_batches").get<std::uint64_t>();
      }
      BOOST_TEST(counts == 300);
      BOOST_TEST(redone == report.at("superseded_batches").get<std::uint64_t>());
      BOOST_TEST(unnamed_snapshots(place) == c.unnamed);
    }
  }
}

BOOST_AUTO_TEST_CASE(no_snapshot_knows_more_than_the_ledger) {
  const TrainingPlace place;
  const Ended ended =
      Command(TrainingPlace::train({"-n", "3", "--epochs", "4", "--quiet", "--snapshot-every", "1",
                                    "--restarts", "0", "--die", "0:saved:17"}),
              place.path(), place.environment())
          .wait();
  BOOST_TEST(ended.code == 128 + SIGKILL);
  BOOST_TEST(std::filesystem::exists(place.run_folder() / "snapshot-17.h5"));
  BOOST_TEST(query(place.run_folder() / "ledger.sqlite", "SELECT MAX(step) FROM steps") == "16");
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
