// Runs are trained, and computed again from what they left; and what was changed is named.

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "launcher/command.hpp"
#include "launcher/sample_data.hpp"
#include "store/sample_run.hpp"
#include "support/temporary_folder.hpp"

BOOST_AUTO_TEST_SUITE(replay_test)

namespace {

using namespace daig::test;
using nlohmann::json;
namespace fs = std::filesystem;

constexpr int usage = 2;
constexpr int input = 3;
constexpr int finding = 6;

Words operator+(Words left, const Words& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

/// 30 steps; snapshots after 0, 8, 16 and 24 of them, of which 0, 16 and 24 are kept.
struct Workplace {
  Workplace() { write_dataset(folder / "data"); }

  Ended command(const Words& words) const {
    return run(Words{DAIG_COMMAND} + words, folder.path());
  }
  void train(const Words& manner) const {
    const Ended ended =
        command(Words{"train", "--dataset", "data", "--model", "mlp:8-16-3", "--batch-size", "10",
                      "--epochs", "4", "--k", "4", "--snapshot-every", "8", "--run-dir", "run"} +
                manner);
    BOOST_REQUIRE_MESSAGE(ended.code == 0, ended.error);
  }
  json replay(int code, const Words& more = {}) const {
    const Ended ended = command(Words{"replay", "run", "--json"} + more);
    BOOST_REQUIRE_MESSAGE(ended.code == code, ended.code << ": " << ended.out << ended.error);
    BOOST_TEST(ended.error == "");
    return json::parse(ended.out);
  }
  void spoil(const std::string& sql) const { tamper(folder / "run" / "ledger.sqlite", sql); }
  std::string ask(const std::string& sql) const {
    return query(folder / "run" / "ledger.sqlite", sql);
  }

  TemporaryFolder folder;
};

/// A finished run of threads, whose ledger is put back after each test of it.
struct Trained : Workplace {
  explicit Trained(const Words& manner = {"-n", "4", "--in-process"}) {
    train(manner);
    ledger = read_file(folder / "run" / "ledger.sqlite");
  }
  void restore() const { write_file(folder / "run" / "ledger.sqlite", ledger); }

  Bytes ledger;
};

void check_reproduced(const Workplace& place) {
  const json report = place.replay(0);
  BOOST_TEST(report.at("reproduced").get<bool>());
  BOOST_TEST(report.at("finished").get<bool>());
  BOOST_TEST(report.at("steps").get<int>() == 30);
  BOOST_TEST(report.at("batches").get<int>() == 120);
  BOOST_TEST(report.at("ledger_steps").get<int>() == 30);
  BOOST_TEST(report.at("first_difference").is_null());
  BOOST_TEST(report.at("seconds").get<double>() > 0);
  const json& compared = report.at("compared");
  BOOST_REQUIRE(compared.size() == 3);
  const std::pair<std::string, int> files[] = {
      {"snapshot-16.h5", 16}, {"snapshot-24.h5", 24}, {"model.h5", 30}};
  for (std::size_t i = 0; i < 3; ++i) {
    BOOST_TEST(compared.at(i).at("file").get<std::string>() == files[i].first);
    BOOST_TEST(compared.at(i).at("steps").get<int>() == files[i].second);
  }
}

BOOST_AUTO_TEST_CASE(a_run_of_threads_is_reproduced) {
  const Trained place;
  check_reproduced(place);
  const Ended told = place.command({"replay", "run"});
  BOOST_TEST(told.code == 0);
  BOOST_TEST(contains(told.out, "replayed 30 of 30 steps, 120 batches"), told.out);
  BOOST_TEST(contains(told.out, "bit for bit"), told.out);
}

BOOST_AUTO_TEST_CASE(a_run_of_processes_is_reproduced) {
  const Workplace place;
  place.train({"-n", "3", "--optimizer", "adam", "--schedule", "cosine"});
  check_reproduced(place);
}

BOOST_AUTO_TEST_CASE(a_run_of_one_and_one_whose_coordinator_trains_are_reproduced) {
  for (const Words& manner :
       {Words{"-n", "1"},
        Words{"-n", "3", "--in-process", "--coordinator-trains", "--momentum", "0.9"}}) {
    const Workplace place;
    place.train(manner);
    check_reproduced(place);
  }
}

/// Neither the model file that the run began with nor the place of the data matters.
BOOST_AUTO_TEST_CASE(a_run_is_reproduced_from_its_folder_and_the_data) {
  const Workplace place;
  place.train({"-n", "1", "--out", "first.h5"});
  fs::rename(place.folder / "run", place.folder / "earlier");
  place.train({"-n", "3", "--in-process", "--model", "first.h5"});
  fs::remove(place.folder / "first.h5");
  check_reproduced(place);
  fs::rename(place.folder / "data", place.folder / "moved");
  const Ended lost = place.command({"replay", "run"});
  BOOST_TEST(lost.code == input);
  BOOST_TEST(contains(lost.error, "data"), lost.error);
  BOOST_TEST(place.replay(0, {"--dataset", "moved"}).at("reproduced").get<bool>());
}

BOOST_AUTO_TEST_CASE(a_resumed_run_is_reproduced) {
  const Workplace place;
  place.train({"-n", "4", "--in-process"});
  // As if it had been killed after 30 steps, with a snapshot after 16.
  fs::remove(place.folder / "run" / "model.h5");
  fs::remove(place.folder / "run" / "snapshot-24.h5");
  const Ended resumed =
      place.command({"train", "--resume", "run", "-n", "2", "--in-process", "--quiet"});
  BOOST_REQUIRE_MESSAGE(resumed.code == 0, resumed.error);
  BOOST_TEST(place.ask("SELECT COUNT(*) FROM steps WHERE superseded_by = 2") == "14");
  check_reproduced(place);
  const json audited = json::parse(place.command({"audit", "run", "--json"}).out);
  std::uint64_t redone = 0;
  for (const json& volunteer : audited.at("volunteers")) {
    redone += volunteer.at("redone_batches").get<std::uint64_t>();
  }
  BOOST_TEST(redone == 56U);
  BOOST_TEST(redone == audited.at("superseded_batches").get<std::uint64_t>());
}

BOOST_AUTO_TEST_CASE(an_unfinished_run_is_replayed_as_far_as_its_ledger_goes) {
  const Trained place;
  fs::remove(place.folder / "run" / "model.h5");
  place.spoil("DELETE FROM steps WHERE step >= 27; DELETE FROM batches WHERE step >= 27");
  const json report = place.replay(0);
  BOOST_TEST(report.at("reproduced").get<bool>());
  BOOST_TEST(!report.at("finished").get<bool>());
  BOOST_TEST(report.at("steps").get<int>() == 27);
  BOOST_TEST(report.at("compared").size() == 2);
  BOOST_TEST(contains(place.command({"replay", "run"}).out, "not finished"));
  // One that was stopped before its first step.
  place.spoil("DELETE FROM steps; DELETE FROM batches");
  fs::remove(place.folder / "run" / "snapshot-16.h5");
  fs::remove(place.folder / "run" / "snapshot-24.h5");
  BOOST_TEST(place.replay(0).at("steps").get<int>() == 0);
}

BOOST_AUTO_TEST_CASE(the_first_step_that_differs_is_named) {
  const Trained place;
  struct Change {
    std::string sql;
    int step;
    std::string what;
  };
  const Change changes[] = {
      // One of a step's batches in place of another.
      {"CREATE TABLE old AS SELECT * FROM batches WHERE step = 9; "
       "UPDATE batches SET (epoch, batch) = (SELECT epoch, batch FROM old WHERE position = 0) "
       "WHERE step = 9 AND position = 1",
       9, "sum"},
      {"UPDATE steps SET learning_rate = learning_rate * 1.5 WHERE step = 9", 10, "sum"},
      {"UPDATE steps SET learning_rate = learning_rate * 1.5 WHERE step = 29", 29, "weights"},
      {"UPDATE steps SET sum_digest = '0123456789abcdef' WHERE step = 20", 20, "sum"},
      {"UPDATE batches SET volunteer = 0 WHERE step = 3 AND position = 2", 3, "sum"},
      {"UPDATE configuration SET value = '2' WHERE key = 'seed'", 0, "sum"},
      {"UPDATE configuration SET value = '0.5' WHERE key = 'momentum'", 2, "sum"},
  };
  for (const Change& change : changes) {
    BOOST_TEST_CONTEXT(change.sql) {
      place.spoil(change.sql);
      const json report = place.replay(finding);
      BOOST_TEST(!report.at("reproduced").get<bool>());
      BOOST_TEST(report.at("steps").get<int>() == change.step);
      const json& first = report.at("first_difference");
      BOOST_TEST(first.at("step").get<int>() == change.step);
      BOOST_TEST(first.at("what").get<std::string>() == change.what);
      BOOST_TEST(first.contains("file") == (change.what == "weights"));
      const auto recorded = first.at("recorded").get<std::string>();
      BOOST_TEST(recorded.size() == 16U);
      BOOST_TEST(first.at("recomputed").get<std::string>() != recorded);
      if (change.what == "sum") {
        BOOST_TEST(recorded == place.ask("SELECT sum_digest FROM steps WHERE step = " +
                                         std::to_string(change.step)));
      }
      const Ended told = place.command({"replay", "run"});
      BOOST_TEST(told.code == finding);
      BOOST_TEST(contains(told.out, "FOUND"), told.out);
      BOOST_TEST(contains(told.out, "step " + std::to_string(change.step)), told.out);
      BOOST_TEST(contains(told.out, recorded), told.out);
      place.restore();
    }
  }
}

BOOST_AUTO_TEST_CASE(weights_of_another_run_are_found) {
  const Workplace place;
  place.train({"-n", "1", "--seed", "7"});
  fs::rename(place.folder / "run", place.folder / "other");
  place.train({"-n", "1"});
  const auto put = [&](const char* file) {
    fs::copy_file(place.folder / "other" / file, place.folder / "run" / file,
                  fs::copy_options::overwrite_existing);
  };
  put("model.h5");
  const json late = place.replay(finding).at("first_difference");
  BOOST_TEST(late.at("step").get<int>() == 29);
  BOOST_TEST(late.at("file").get<std::string>() == "model.h5");
  put("snapshot-16.h5");
  const json earlier = place.replay(finding).at("first_difference");
  BOOST_TEST(earlier.at("step").get<int>() == 15);
  BOOST_TEST(earlier.at("file").get<std::string>() == "snapshot-16.h5");
  put("snapshot-0.h5");
  BOOST_TEST(place.replay(finding).at("first_difference").at("step").get<int>() == 0);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_replayed_is_refused) {
  const Trained place;
  const fs::path run_folder = place.folder / "run";
  fs::create_directory(place.folder / "empty");
  const auto check = [&](const Words& words, int code, const std::string& mention) {
    const Ended ended = place.command(Words{"replay"} + words);
    BOOST_TEST_CONTEXT(mention << "; " << ended.error) {
      BOOST_TEST(ended.code == code);
      BOOST_TEST(ended.out == "");
      BOOST_TEST(ended.error.starts_with("daig: error: "));
      BOOST_TEST(ended.error.find('\n') + 1 == ended.error.size());
      BOOST_TEST(contains(ended.error, mention));
    }
  };
  check({}, usage, "run");
  check({"none"}, input, "none");
  check({"empty"}, input, "empty");
  check({"run", "--data", "data/x_train.npy"}, usage, "--labels");
  check({"run", "--data", "data/x_test.npy", "--labels", "data/y_test.npy"}, input, "90 samples");
  check({"run", "--dataset", "empty"}, input, "empty");

  const std::pair<std::string, std::string> changes[] = {
      {"DELETE FROM batches WHERE step = 7 AND position = 3", "step 7"},
      {"UPDATE steps SET step = 30 WHERE step = 12", "step 12"},
      {"DELETE FROM steps WHERE step = 29", "model.h5"},
      {"DELETE FROM steps WHERE step >= 20", "snapshot-24.h5"},
      {"UPDATE batches SET batch = 99 WHERE step = 7 AND position = 3", "step 7"},
      {"UPDATE configuration SET value = 'best' WHERE key = 'optimizer'", "best"},
      {"DELETE FROM configuration WHERE key = 'seed'", "seed"},
      {"DROP TABLE views", "ledger.sqlite"},
  };
  for (const auto& [sql, mention] : changes) {
    BOOST_TEST_CONTEXT(sql) {
      place.spoil(sql);
      check({"run"}, input, mention);
      place.restore();
    }
  }

  const auto check_file = [&](const char* file, const Bytes& content, const std::string& mention) {
    const Bytes good = read_file(run_folder / file);
    write_file(run_folder / file, content);
    check({"run"}, input, mention);
    write_file(run_folder / file, good);
  };
  check_file("snapshot-0.h5", to_bytes("no model"), "snapshot-0.h5");
  check_file("model.h5", to_bytes("no model"), "model.h5");
  check_file("snapshot-16.h5", read_file(run_folder / "snapshot-24.h5"), "snapshot-16.h5");
  check_file("ledger.sqlite", to_bytes("no ledger at all, just words"), "ledger.sqlite");
  fs::remove(run_folder / "snapshot-0.h5");
  check({"run"}, input, "snapshot-0.h5");
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
