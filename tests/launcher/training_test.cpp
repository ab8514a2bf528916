// The command as a user meets it: train in every way there is, then use what came out.

#include <cmath>
#include <map>
#include <string>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include <daig/store/ledger.hpp>

#include "launcher/command.hpp"
#include "launcher/sample_data.hpp"
#include "support/temporary_folder.hpp"

BOOST_AUTO_TEST_SUITE(training_test)

namespace {

using namespace daig::test;
using nlohmann::json;
namespace fs = std::filesystem;

Words operator+(Words left, const Words& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

const Words train{DAIG_COMMAND, "train",        "--dataset", "data",     "--model",
                  "mlp:8-16-3", "--batch-size", "10",        "--epochs", "4",
                  "--run-dir",  "run",          "--json"};

struct Workplace {
  Workplace() { write_dataset(folder / "data"); }
  Ended command(const Words& words) const {
    return run(Words{DAIG_COMMAND} + words, folder.path());
  }

  TemporaryFolder folder;
};

/// Runs it, and reads the report that it ends with.
json report_of(const Words& words, const Workplace& place) {
  const Ended ended = run(words, place.folder.path());
  BOOST_REQUIRE_MESSAGE(ended.code == 0, "exit code " << ended.code << ": " << ended.error);
  BOOST_TEST(ended.error == "");
  return json::parse(ended.last_line());
}

/// What every way of training has to bring. 300 samples in batches of 10, four epochs, K = 4.
void check_report(const json& report, const Workplace& place) {
  BOOST_TEST(report.at("steps").get<int>() == 30);
  BOOST_TEST(report.at("samples").get<int>() == 1200);
  BOOST_TEST(report.at("test_accuracy").get<double>() > 0.9);
  BOOST_TEST(report.at("test_loss").get<double>() < 0.4);
  BOOST_TEST(report.at("seconds").get<double>() > 0);
  BOOST_TEST(
      report.at("samples_per_second").get<double>() == 1200 / report.at("seconds").get<double>(),
      boost::test_tools::tolerance(1e-9));
  BOOST_TEST(report.at("run_dir").get<std::string>() == "run");
  BOOST_TEST(fs::exists(place.folder / "run" / "model.h5"));
  BOOST_TEST(fs::exists(place.folder.path() / report.at("out").get<std::string>()));
  BOOST_TEST(place.command({"audit", "run"}).code == 0);
}

BOOST_AUTO_TEST_CASE(alone) {
  const Workplace place;
  const json report = report_of(train + Words{"-n", "1", "--out", "model.h5"}, place);
  check_report(report, place);
  BOOST_TEST(report.at("out").get<std::string>() == "model.h5");
  BOOST_TEST(report.at("volunteers").size() == 1);
  BOOST_TEST(read_file(place.folder / "model.h5").size() > 0);
}

BOOST_AUTO_TEST_CASE(with_threads) {
  const Workplace place;
  const json report = report_of(train + Words{"-n", "4", "--in-process", "--quiet"}, place);
  check_report(report, place);
  for (const json& volunteer : report.at("volunteers")) {
    BOOST_TEST(volunteer.at("volunteer").get<int>() > 0);  // rank 0 only coordinates
  }
}

BOOST_AUTO_TEST_CASE(with_mpirun) {
  const Workplace place;
  check_report(report_of(train + Words{"-n", "3"}, place), place);
}

BOOST_AUTO_TEST_CASE(under_a_foreign_mpirun) {
  const Workplace place;
  Words mpirun{"mpirun", "--oversubscribe",     "--bind-to", "none",
               "--mca",  "mpi_yield_when_idle", "1"};
  if (::geteuid() == 0) mpirun.push_back("--allow-run-as-root");
  check_report(report_of(mpirun + Words{"-n", "2"} + train, place), place);
}

/// Each word leads to the option of its name.
BOOST_AUTO_TEST_CASE(the_ledger_knows_what_the_optimizer_was_told) {
  const auto check = [](const Words& words, const std::map<std::string, std::string>& kept) {
    const Workplace place;
    report_of(train + Words{"-n", "1"} + words, place);
    const auto configuration =
        daig::store::read_configuration(place.folder / "run" / "ledger.sqlite");
    for (const auto& [name, value] : kept) BOOST_TEST(configuration.at(name) == value);
  };
  check({"--optimizer", "rmsprop", "--rho", "0.5", "--momentum", "0.25", "--centered", "--epsilon",
         "0.125", "--clip-norm", "2", "--lr", "0.0625", "--schedule", "inverse:rate=0.5"},
        {{"optimizer", "rmsprop"},
         {"rho", "0.5"},
         {"momentum", "0.25"},
         {"centered", "1"},
         {"epsilon", "0.125"},
         {"clip_norm", "2"},
         {"learning_rate", "0.0625"},
         {"schedule", "inverse:rate=0.5"}});
  check({"--optimizer", "adam", "--beta1", "0.5", "--beta2", "0.25", "--amsgrad", "--weight-decay",
         "0.125", "--decoupled-decay", "--clip-value", "3"},
        {{"beta1", "0.5"},
         {"beta2", "0.25"},
         {"amsgrad", "1"},
         {"weight_decay", "0.125"},
         {"decoupled_decay", "1"},
         {"clip_value", "3"}});
  check({"--optimizer", "adagrad", "--initial-accumulator", "0.5", "--global-clip-norm", "4"},
        {{"initial_accumulator", "0.5"}, {"global_clip_norm", "4"}});
  check({"--nesterov"}, {{"nesterov", "1"}, {"momentum", "0.9"}});
}

BOOST_AUTO_TEST_CASE(the_same_seed_and_one_rank_give_the_same_model) {
  const Workplace place;
  for (const char* out : {"a.npy", "b.npy"}) {
    const std::string folder = std::string("run-") + out;
    BOOST_REQUIRE(place
                      .command({"train", "--dataset", "data", "--model", "mlp:8-16-3", "-n", "1",
                                "--optimizer", "adamw", "--run-dir", folder})
                      .code == 0);
    BOOST_REQUIRE(place
                      .command({"predict", "--model", folder + "/model.h5", "--data",
                                "data/x_test.npy", "--out", out})
                      .code == 0);
  }
  BOOST_TEST((read_file(place.folder / "a.npy") == read_file(place.folder / "b.npy")));
}

/// eval, predict and the report of train look at the same model, and must see the same.
BOOST_AUTO_TEST_CASE(what_is_made_of_a_model) {
  const Workplace place;
  const json trained = report_of(train + Words{"-n", "1", "--snapshot-every", "8"}, place);

  const Ended evaluated =
      place.command({"eval", "--model", "run/model.h5", "--dataset", "data", "--json"});
  BOOST_REQUIRE_MESSAGE(evaluated.code == 0, evaluated.error);
  const json quality = json::parse(evaluated.last_line());
  BOOST_TEST(quality.at("accuracy").get<double>() == trained.at("test_accuracy").get<double>());
  BOOST_TEST(quality.at("loss").get<double>() == trained.at("test_loss").get<double>());
  BOOST_TEST(quality.at("samples").get<int>() == 90);

  const auto predict = [&](const Words& more) {
    const Ended ended = place.command(
        Words{"predict", "--model", "run/model.h5", "--data", "data/x_test.npy", "--out", "p.npy"} +
        more);
    BOOST_REQUIRE_MESSAGE(ended.code == 0, ended.error);
    return open_bytes(read_file(place.folder / "p.npy"));
  };
  const auto probabilities = predict({});
  BOOST_TEST(probabilities.count() == 90);
  const auto rows = read_all<float>(probabilities);
  const auto largest = read_all<float>(predict({"--argmax"}));
  BOOST_REQUIRE(largest.size() == 90);
  const Samples truth = draw_samples(90, 2);
  int right = 0;
  double loss = 0;
  for (std::size_t i = 0; i < 90; ++i) {
    const std::span row = std::span(rows).subspan(3 * i, 3);
    BOOST_TEST(row[0] + row[1] + row[2] == 1.0F, boost::test_tools::tolerance(1e-5F));
    BOOST_TEST(largest[i] == static_cast<float>(std::ranges::max_element(row) - row.begin()));
    const auto label = static_cast<std::size_t>(truth.classes[i]);
    right += largest[i] == static_cast<float>(label) ? 1 : 0;
    loss -= std::log(row[label]);
  }
  BOOST_TEST(right / 90.0 == quality.at("accuracy").get<double>());
  BOOST_TEST(loss / 90 == quality.at("loss").get<double>(), boost::test_tools::tolerance(1e-4));

  const std::pair<Words, std::string> inspections[] = {
      {{"inspect", "run/model.h5"}, "mlp:8-16-3"}, {{"inspect", "run/snapshot-24.h5"}, "24 steps"},
      {{"inspect", "data/x_train.npy"}, "300"},    {{"inspect", "data"}, "3 classes"},
      {{"inspect", "run"}, "batch_size = 10"},
  };
  for (const auto& [words, mention] : inspections) {
    BOOST_TEST_CONTEXT(words.back()) {
      const Ended ended = place.command(words);
      BOOST_TEST(ended.code == 0);
      BOOST_TEST(contains(ended.out, mention), ended.out << ended.error);
    }
  }
}

BOOST_AUTO_TEST_CASE(training_goes_on_from_a_model_file) {
  const Workplace place;
  const json first = report_of(train + Words{"-n", "1"}, place);
  const json second =
      report_of({DAIG_COMMAND, "train", "--dataset", "data", "--model", "run/model.h5", "--lr", "0",
                 "--epochs", "1", "-n", "1", "--run-dir", "again", "--json"},
                place);
  // A learning rate of 0 leaves the weights as they were.
  BOOST_TEST(second.at("test_loss").get<double>() == first.at("test_loss").get<double>());
}

BOOST_AUTO_TEST_CASE(an_audit_finds_what_is_missing) {
  const Workplace place;
  report_of(train + Words{"-n", "1"}, place);
  const Ended clean = place.command({"audit", "run", "--json"});
  BOOST_TEST(clean.code == 0);
  BOOST_TEST(json::parse(clean.last_line()).at("clean").get<bool>());
  const Ended spoiled =
      run({"sqlite3", "run/ledger.sqlite", "delete from batches where epoch = 2 and batch = 7"},
          place.folder.path());
  BOOST_REQUIRE_MESSAGE(spoiled.code == 0, spoiled.error);
  const Ended found = place.command({"audit", "run", "--json"});
  BOOST_TEST(found.code == 6);
  const json report = json::parse(found.last_line());
  BOOST_TEST(!report.at("clean").get<bool>());
  BOOST_TEST(report.at("findings").size() > 0);
  BOOST_TEST(report.at("findings").at(0).at("examples").size() > 0);
}

BOOST_AUTO_TEST_CASE(help_teaches) {
  const Workplace place;
  BOOST_TEST(contains(place.command({"--help"}).out, "Exit codes"));
  BOOST_TEST(place.command({"--version"}).out.starts_with("daig "));
  for (const char* command :
       {"train", "run", "eval", "predict", "inspect", "audit", "replay", "export", "plot"}) {
    const Ended ended = place.command({command, "--help"});
    BOOST_TEST(ended.code == 0);
    BOOST_TEST(contains(ended.out, std::string("  daig ") + command), command);
  }
}

BOOST_AUTO_TEST_CASE(any_program_runs_and_rank_0_decides) {
  const Workplace place;
  const auto run_sh = [&](const std::string& script) {
    return place.command({"run", "-n", "3", "--", "sh", "-c", script});
  };
  const std::string rank = "$OMPI_COMM_WORLD_RANK";
  const Ended all = run_sh("echo rank " + rank + " of $OMPI_COMM_WORLD_SIZE $OPENBLAS_NUM_THREADS");
  BOOST_TEST(all.code == 0);
  for (const char* line : {"rank 0 of 3 1\n", "rank 1 of 3 1\n", "rank 2 of 3 1\n"}) {
    BOOST_TEST(contains(all.out, line), all.out);
  }
  BOOST_TEST(run_sh("exit $((" + rank + " == 0 ? 7 : 0))").code == 7);
  BOOST_TEST(run_sh("exit $((" + rank + " == 2 ? 7 : 0))").code == 0);
  const Ended killed = place.command({"run", "-n", "3", "--restarts", "0", "--", "sh", "-c",
                                      "test " + rank + " != 0 || kill -9 $$"});
  BOOST_TEST(killed.code == 128 + 9);
  BOOST_TEST(contains(killed.error, "signal 9"), killed.error);
  const Ended dry = place.command({"run", "-n", "3", "--dry-run", "--", "prog", "-n", "5"});
  BOOST_TEST(dry.code == 0);
  BOOST_TEST(contains(dry.out, "--enable-recovery"), dry.out);
  BOOST_TEST(dry.out.ends_with(" -n 3 prog -n 5\n"), dry.out);
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
