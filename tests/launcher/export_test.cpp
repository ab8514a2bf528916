// The model of a run is taken out while it goes on, after it was stopped, and at its end.

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "launcher/training_place.hpp"

BOOST_AUTO_TEST_SUITE(export_test)

namespace {

using namespace daig::test;
using nlohmann::json;
namespace fs = std::filesystem;

constexpr int usage = 2;
constexpr int input = 3;
constexpr int io = 4;
constexpr int peer = 5;

struct Place : TrainingPlace {
  Ended command(Words words) const {
    words.insert(words.begin(), DAIG_COMMAND);
    return run(words, path());
  }
  json report(Words words) const {
    words.insert(words.end(), "--json");
    const Ended ended = command(words);
    BOOST_REQUIRE_MESSAGE(ended.code == 0, ended.code << ": " << ended.error);
    return json::parse(ended.last_line());
  }
  /// 30 steps; snapshots after 0, 8, 16 and 24 of them.
  json train_briefly(const Words& more = {}) const {
    Words words = train({"--epochs", "4", "-n", "3", "--in-process", "--snapshot-every", "8"});
    words.insert(words.end(), more.begin(), more.end());
    const Ended ended = run(words, path());
    BOOST_REQUIRE_MESSAGE(ended.code == 0, ended.error);
    return json::parse(ended.last_line());
  }
  Bytes bytes(const fs::path& file) const { return read_file(path() / file); }
};

BOOST_AUTO_TEST_CASE(a_finished_run_gives_its_model) {
  const Place place;
  const json trained = place.train_briefly();
  const json exported = place.report({"export", "run", "--out", "out.h5"});
  BOOST_TEST(exported.at("step") == 30);
  BOOST_TEST(exported.at("steps") == 30);
  BOOST_TEST(exported.at("epochs") == 4);
  BOOST_TEST(exported.at("format") == "daig");
  BOOST_TEST(exported.at("source") == "run/model.h5");
  BOOST_TEST((place.bytes("out.h5") == place.bytes("run/model.h5")));
  const json quality = place.report({"eval", "--model", "out.h5", "--dataset", "data"});
  BOOST_TEST(quality.at("loss") == trained.at("test_loss"));
  BOOST_TEST(quality.at("accuracy") == trained.at("test_accuracy"));
  // A finished run has nothing fresher.
  const Ended told = place.command({"export", "run", "--out", "out.h5", "--now"});
  BOOST_TEST(told.code == 0);
  BOOST_TEST(told.out ==
             "out.h5: the model after step 30 of 30 (epoch 4 of 4), as a DAIG model file, from "
             "run/model.h5\n");
}

BOOST_AUTO_TEST_CASE(earlier_steps_are_there_as_far_as_they_are_kept) {
  for (const auto& [keep, kept, gone] :
       {std::tuple<Words, std::vector<int>, int>{{}, {0, 16, 24, 30}, 8},
        {{"--keep-snapshots", "1"}, {0, 24, 30}, 16},
        {{"--keep-snapshots", "0"}, {0, 8, 16, 24, 30}, 7}}) {
    const Place place;
    place.train_briefly(keep);
    for (const int step : kept) {
      const std::string text = std::to_string(step);
      const json exported = place.report({"export", "run", "--out", "out.h5", "--step", text});
      BOOST_TEST(exported.at("step") == step);
      const std::string file = step == 30 ? "model.h5" : "snapshot-" + text + ".h5";
      BOOST_TEST((place.bytes("out.h5") == place.bytes("run/" + file)));
    }
    const Ended refused =
        place.command({"export", "run", "--out", "none.h5", "--step", std::to_string(gone)});
    BOOST_TEST(refused.code == usage);
    std::string list;
    for (auto step = kept.rbegin(); step != kept.rend(); ++step) {
      list += (list.empty() ? "" : ", ") + std::to_string(*step);
    }
    BOOST_TEST(contains(refused.error, "after these steps: " + list + ";"), refused.error);
    BOOST_TEST(!fs::exists(place.path() / "none.h5"));
  }
}

/// Every step has a snapshot here, and hardly is one there when it is removed.
BOOST_AUTO_TEST_CASE(a_run_under_way_gives_its_latest_snapshot) {
  const Place place;
  Command command(TrainingPlace::train({"--epochs", "100000", "-n", "2", "--snapshot-every", "1",
                                        "--keep-snapshots", "1"}),
                  place.path(), place.environment());
  command.read_until(is_under_way);
  int last = 0;
  for (int i = 0; i < 5; ++i) {
    const json exported = place.report({"export", "run", "--out", "out.h5"});
    const int step = exported.at("step");
    BOOST_TEST(step >= last);
    last = step;
    const Ended evaluated = place.command({"eval", "--model", "out.h5", "--dataset", "data"});
    BOOST_TEST(evaluated.code == 0, evaluated.error);
    BOOST_TEST(contains(place.command({"inspect", "out.h5"}).out, std::to_string(step) + " steps"));
  }
  BOOST_TEST(last > 0);
  place.check_stopped(command);
}

BOOST_AUTO_TEST_CASE(a_run_under_way_makes_a_snapshot_when_it_is_asked) {
  const Place place;
  Command command(
      TrainingPlace::train({"--epochs", "100000", "-n", "2", "--snapshot-every", "1000000"}),
      place.path(), place.environment());
  command.read_until(is_under_way);
  const std::uint64_t seen = steps_in(command.out());
  BOOST_TEST(place.report({"export", "run", "--out", "out.h5"}).at("step") == 0);
  const json exported = place.report({"export", "run", "--out", "out.h5", "--now"});
  BOOST_TEST(exported.at("step").get<std::uint64_t>() >= seen);
  BOOST_TEST(!fs::exists(place.run_folder() / "snapshot-request"));
  place.check_stopped(command);

  // Stopped, it has kept its last state; and nobody answers.
  const json stopped = place.report({"export", "run", "--out", "out.h5"});
  BOOST_TEST(stopped.at("step").get<std::uint64_t>() > exported.at("step").get<std::uint64_t>());
  BOOST_TEST(stopped.at("step") == place.audit({"--unfinished"}).at("steps"));
  const Ended unanswered =
      place.command({"export", "run", "--out", "out.h5", "--now", "--timeout", "0.1"});
  BOOST_TEST(unanswered.code == peer);
  BOOST_TEST(contains(unanswered.error, "did not answer within 0.1 s"), unanswered.error);
  BOOST_TEST(!fs::exists(place.run_folder() / "snapshot-request"));
}

BOOST_AUTO_TEST_CASE(what_cannot_be_exported_is_refused) {
  const Place place;
  place.train_briefly();
  fs::create_directory(place.path() / "empty");
  const auto check = [&](const Words& words, int code, const std::string& mention) {
    Words all{"export"};
    all.insert(all.end(), words.begin(), words.end());
    const Ended ended = place.command(all);
    BOOST_TEST_CONTEXT(mention << "; " << ended.error) {
      BOOST_TEST(ended.code == code);
      BOOST_TEST(ended.out == "");
      BOOST_TEST(ended.error.starts_with("daig: error: "));
      BOOST_TEST(contains(ended.error, mention));
      BOOST_TEST(!fs::exists(place.path() / "out.h5"));
    }
  };
  check({"run"}, usage, "--out");
  check({"none", "--out", "out.h5"}, input, "there is no ledger");
  check({"empty", "--out", "out.h5"}, input, "there is no ledger");
  check({"run", "--out", "none/out.h5"}, io, "none/out.h5: cannot be written");
  check({"run", "--out", "empty"}, io, "is a folder");
  check({"run", "--out", "run/mine.h5"}, usage, "the run's own folder");
  check({"run", "--out", "empty/../run/model.h5"}, usage, "the run's own folder");
  check({"run", "--out", "out.h5", "--step", "16", "--now"}, usage, "--now and --step");
  check({"run", "--out", "out.h5", "--now", "--timeout", "-1"}, usage, "--timeout -1");
  check({"run", "--out", "out.h5", "--step", "-1"}, usage, "--step");

  fs::copy_file(place.run_folder() / "snapshot-16.h5", place.run_folder() / "snapshot-24.h5",
                fs::copy_options::overwrite_existing);
  check({"run", "--out", "out.h5", "--step", "24"}, input, "after 16 steps, and not after 24");
  write_file(place.run_folder() / "snapshot-24.h5", to_bytes("no model"));
  check({"run", "--out", "out.h5", "--step", "24"}, input, "snapshot-24.h5");
  write_file(place.run_folder() / "original.h5", to_bytes("no model"));
  check({"run", "--out", "out.h5"}, input, "original.h5");
  for (const char* file : {"model.h5", "snapshot-0.h5", "snapshot-16.h5", "snapshot-24.h5"}) {
    fs::remove(place.run_folder() / file);
  }
  check({"run", "--out", "out.h5"}, input, "no snapshot and no model");
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
