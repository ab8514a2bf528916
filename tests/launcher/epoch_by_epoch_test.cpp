// Runs that are followed epoch by epoch, and runs that go by local epochs.

#include <cmath>
#include <sstream>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "launcher/command.hpp"
#include "launcher/sample_data.hpp"
#include "support/temporary_folder.hpp"

BOOST_AUTO_TEST_SUITE(epoch_by_epoch_test)

namespace {

using namespace daig::test;
using nlohmann::json;

Words operator+(Words left, const Words& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

/// 300 samples to train on, 90 to validate with.
const Words train{"train",
                  "--data",
                  "data/x_train.npy",
                  "--labels",
                  "data/y_train.npy",
                  "--validation-data",
                  "data/x_test.npy",
                  "--validation-labels",
                  "data/y_test.npy",
                  "--model",
                  "mlp:8-16-3",
                  "--batch-size",
                  "10",
                  "--run-dir",
                  "run",
                  "--json"};

struct Workplace {
  Workplace() { write_dataset(folder / "data"); }
  Ended command(const Words& words) const {
    return run(Words{DAIG_COMMAND} + words, folder.path());
  }
  json report(const Words& words) const {
    const Ended ended = command(words);
    BOOST_REQUIRE_MESSAGE(ended.code == 0, "exit code " << ended.code << ": " << ended.error);
    return json::parse(ended.last_line());
  }
  /// The lines of a table, each as its cells.
  std::vector<std::vector<std::string>> table(const std::string& name) const {
    const auto bytes = read_file(folder / name);
    std::istringstream file(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
    std::vector<std::vector<std::string>> lines;
    for (std::string line; std::getline(file, line);) {
      std::vector<std::string>& cells = lines.emplace_back();
      std::istringstream row(line);
      for (std::string cell; std::getline(row, cell, ',');) cells.push_back(cell);
    }
    return lines;
  }

  TemporaryFolder folder;
};

void check_history(const std::vector<std::vector<std::string>>& table, std::size_t epochs) {
  BOOST_REQUIRE(table.size() == epochs + 1);
  BOOST_TEST(table[0] == (std::vector<std::string>{"epoch", "step", "seconds", "loss", "accuracy",
                                                   "val_loss", "val_accuracy"}),
             boost::test_tools::per_element());
  for (std::size_t i = 1; i < table.size(); ++i) {
    BOOST_REQUIRE(table[i].size() == 7U);
    BOOST_TEST(table[i][0] == std::to_string(i));
    BOOST_TEST(std::stod(table[i][3]) > 0);
    BOOST_TEST(std::stod(table[i][4]) > 0.2);
    BOOST_TEST(std::stod(table[i][6]) > 0.2);
  }
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_epoch_is_validated_and_the_best_is_kept) {
  const Workplace place;
  const json report = place.report(train + Words{"-n", "3", "--in-process", "--epochs", "6",
                                                 "--history", "h.csv", "--save-best", "best.h5"});
  const auto table = place.table("h.csv");
  check_history(table, 6);
  BOOST_TEST(std::stod(table[6][5]) == report.at("validation_loss").get<double>(),
             boost::test_tools::tolerance(1e-9));
  const auto best = report.at("best_epoch").get<std::size_t>();
  BOOST_REQUIRE((best >= 1 && best <= 6));
  for (std::size_t i = 1; i <= 6; ++i) {
    BOOST_TEST(std::stod(table[best][5]) <= std::stod(table[i][5]));
  }
  const json quality =
      json::parse(place
                      .command({"eval", "--model", "best.h5", "--data", "data/x_test.npy",
                                "--labels", "data/y_test.npy", "--json"})
                      .last_line());
  BOOST_TEST(quality.at("loss").get<double>() == std::stod(table[best][5]),
             boost::test_tools::tolerance(1e-9));
  BOOST_TEST(report.at("ended_early") == false);
}

BOOST_AUTO_TEST_CASE(without_a_gain_a_run_ends_early_and_its_accounts_are_in_order) {
  const Workplace place;
  const json report =
      place.report(train + Words{"-n", "3", "--epochs", "1000", "--early-stop", "2", "--min-delta",
                                 "100", "--history", "h.csv", "--out", "out.h5"});
  BOOST_TEST(report.at("ended_early") == true);
  BOOST_TEST(report.at("best_epoch") == 1);
  BOOST_TEST(report.at("audit_clean") == true);
  BOOST_TEST(report.at("steps").get<int>() >= 22);  // three epochs of 30 batches, K = 4
  BOOST_TEST(report.at("steps").get<int>() < 7500);
  BOOST_TEST(place.table("h.csv").size() >= 4U);
  const Ended audit = place.command({"audit", "run"});
  BOOST_TEST(audit.code == 0);
  BOOST_TEST(audit.out.find("no more was wanted") != std::string::npos);
  BOOST_TEST(place.command({"replay", "run"}).code == 0);
  BOOST_TEST(place
                 .command({"eval", "--model", "out.h5", "--data", "data/x_test.npy", "--labels",
                           "data/y_test.npy"})
                 .code == 0);
}

BOOST_AUTO_TEST_CASE(the_history_goes_on_when_the_coordinator_is_started_again) {
  const Workplace place;
  const json report = place.report(train + Words{"-n", "2", "--epochs", "4", "--history", "h.csv",
                                                 "--snapshot-every", "5", "--die", "0:agreed:17"});
  BOOST_TEST(report.at("steps") == 30);
  check_history(place.table("h.csv"), 4);
}

BOOST_AUTO_TEST_CASE(local_epochs_make_steps_of_weight_differences) {
  const Workplace place;
  const json report = place.report(
      train + Words{"-n", "3", "--contribution", "weights", "--local-epochs", "3", "--total-tasks",
                    "6", "--task-size", "2", "--max-contributors", "2", "--epochs", "2"});
  BOOST_TEST(report.at("steps") == 6);
  BOOST_TEST(report.at("samples") == 600);
  BOOST_TEST(report.at("validation_accuracy").get<double>() > 0.8);
  BOOST_TEST(report.at("audit_clean") == true);
  BOOST_TEST(place.command({"replay", "run"}).code == 0);
}

BOOST_AUTO_TEST_CASE(a_step_is_shared_by_so_many_volunteers_at_most) {
  const Workplace place;
  const json report = place.report(train + Words{"-n", "4", "--in-process", "--k", "30",
                                                 "--max-contributors", "1", "--epochs", "1"});
  BOOST_TEST(report.at("volunteers").size() == 1U);
}

BOOST_AUTO_TEST_CASE(what_does_not_go_together_is_refused) {
  const Workplace place;
  const auto refused = [&](const Words& words, const std::string& why) {
    const Ended ended = place.command(train + Words{"-n", "2"} + words);
    BOOST_TEST(ended.code == 2, why);
    BOOST_TEST(ended.error.find(why) != std::string::npos, ended.error);
  };
  refused({"--total-tasks", "3"}, "--total-tasks is for --contribution weights");
  refused({"--local-epochs", "3"}, "--local-epochs is for --contribution weights");
  refused({"--outer-lr", "1"}, "--outer-lr is for --contribution weights");
  refused({"--contribution", "money"}, "there are gradient and weights");
  const Words weights{"--contribution", "weights"};
  refused(weights + Words{"--schedule", "cosine"}, "give --lr alone");
  refused(weights + Words{"--shards", "3"}, "say --total-tasks");
  refused(weights + Words{"--total-tasks", "301"}, "300 samples make 300 tasks at most");
  refused(weights + Words{"--local-epochs", "0"}, "--local-epochs 0");
  refused({"--min-delta", "-1"}, "--min-delta -1");
  const Ended unwritable = place.command(train + Words{"-n", "2", "--history", "nowhere/h.csv"});
  BOOST_TEST(unwritable.code == 4);
}

BOOST_AUTO_TEST_SUITE_END()
