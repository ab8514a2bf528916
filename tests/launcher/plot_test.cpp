// Runs are trained, and their pages drawn and looked into.

#include <fstream>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "launcher/training_place.hpp"
#include "store/sample_run.hpp"

BOOST_AUTO_TEST_SUITE(plot_test)

namespace {

using namespace daig::test;
using nlohmann::json;
namespace fs = std::filesystem;

constexpr int usage = 2;
constexpr int input = 3;
constexpr int io = 4;

struct Place : TrainingPlace {
  Ended command(Words words) const {
    words.insert(words.begin(), DAIG_COMMAND);
    return run(words, path());
  }
  /// 30 steps.
  void train_briefly() const {
    const Ended ended = run(train({"--epochs", "4", "-n", "3", "--in-process"}), path());
    BOOST_REQUIRE_MESSAGE(ended.code == 0, ended.error);
  }
  /// Draws the run as SVG, and has an XML parser read it.
  std::string page() const {
    const Ended drawn = command({"plot", "run", "--out", "page.svg"});
    BOOST_REQUIRE_MESSAGE(drawn.code == 0, drawn.error);
    const Ended parsed = run(
        {"python3", "-c", "import sys, xml.dom.minidom as dom; dom.parse(sys.argv[1])", "page.svg"},
        path());
    BOOST_TEST(parsed.code == 0, parsed.error);
    return text_of(path() / "page.svg");
  }
  void log(const std::string& text) const {
    std::ofstream(run_folder() / "events.jsonl", std::ios::app) << text;
  }
};

void check_says(const std::string& page, const std::vector<std::string>& texts) {
  for (const std::string& text : texts) {
    BOOST_TEST(contains(page, text), "the page does not say: " << text);
  }
}

BOOST_AUTO_TEST_CASE(a_page_shows_a_run) {
  const Place place;
  place.train_briefly();
  const std::string page = place.page();
  check_says(page, {">run: 30 of 30 steps, finished</text>", "mlp:8-16-3, sgd; 4 epochs of 300",
                    ">Loss</text>", ">Step time</text>", ">Who computed the batches</text>",
                    "<title>training, smoothed</title>", ">rank 1: ", ">rank 2: ", ">epoch 2<"});
  for (const char* text : {">validation<", ">Accuracy<", ">lost: ", ">joined: "}) {
    BOOST_TEST(!contains(page, text), text);
  }
  const Ended told = place.command({"plot", "run", "--out", "again.svg", "--json"});
  const json report = json::parse(told.last_line());
  BOOST_TEST(report.at("steps") == 30);
  BOOST_TEST(report.at("planned_steps") == 30);
  BOOST_TEST(report.at("volunteers") == 2);
  BOOST_TEST(report.at("charts") == 3);
  BOOST_TEST((read_file(place.path() / "again.svg") == read_file(place.path() / "page.svg")));
}

BOOST_AUTO_TEST_CASE(validation_and_changes_of_members_are_shown) {
  const Place place;
  place.train_briefly();
  place.log(
      "{\"event\":\"epoch\",\"t\":1,\"epoch\":0,\"loss\":1,\"accuracy\":0.5,\"val_loss\":0.75,"
      "\"val_accuracy\":0.25}\n"
      "{\"event\":\"epoch\",\"t\":1,\"epo\n"
      "{\"event\":\"epoch\",\"t\":2,\"epoch\":1,\"loss\":1,\"accuracy\":null,\"val_loss\":0.5,"
      "\"val_accuracy\":0.75}\n"
      "{\"event\":\"member_lost\",\"t\":2,\"rank\":2,\"step\":17}\n"
      "{\"event\":\"member_joined\",\"t\":2,\"rank\":2,\"step\":20}\n"
      "no JSON at all, and of no kind\n");
  check_says(place.page(),
             {">validation</text>", ">Accuracy</text>", ">training, each epoch</text>",
              ">lost: 1</text>", ">joined: 1</text>"});
  const Ended told = place.command({"plot", "run", "--out", "page.svg"});
  BOOST_TEST(told.code == 0);
  BOOST_TEST(told.error == "daig: warning: run/events.jsonl: 1 damaged line is left out\n");
  fs::remove(place.run_folder() / "events.jsonl");
  BOOST_TEST(!contains(place.page(), ">validation<"));
}

BOOST_AUTO_TEST_CASE(a_png_has_two_pixels_for_one) {
  const Place place;
  place.train_briefly();
  const Ended drawn = place.command({"plot", "run", "--out", "page.png"});
  if (drawn.code == usage && contains(drawn.error, "built without cairo")) return;
  BOOST_REQUIRE_MESSAGE(drawn.code == 0, drawn.error);
  const Bytes png = read_file(place.path() / "page.png");
  BOOST_REQUIRE(png.size() > 10'000);
  const Bytes magic = to_bytes("\x89PNG\r\n\x1A\n");
  BOOST_TEST(std::equal(magic.begin(), magic.end(), png.begin()));
  const auto number = [&](std::size_t at) {
    unsigned value = 0;
    for (std::size_t i = 0; i < 4; ++i)
      value = value << 8U | std::to_integer<unsigned>(png[at + i]);
    return value;
  };
  const std::string svg = place.page();
  const std::string size = " width=\"1000\" height=\"" + std::to_string(number(20) / 2) + "\"";
  BOOST_TEST(number(16) == 2000U);
  BOOST_TEST(contains(svg, size), size);
}

BOOST_AUTO_TEST_CASE(runs_that_have_hardly_begun_are_shown) {
  const Place place;
  place.train_briefly();
  fs::remove(place.run_folder() / "model.h5");
  tamper(place.run_folder() / "ledger.sqlite",
         "DELETE FROM steps WHERE step > 0; DELETE FROM batches WHERE step > 0");
  check_says(place.page(), {">run: 1 of 30 steps so far</text>", ">rank "});
  tamper(place.run_folder() / "ledger.sqlite", "DELETE FROM steps; DELETE FROM batches");
  check_says(place.page(), {">run: 0 of 30 steps so far</text>", ">Loss</text>"});
}

BOOST_AUTO_TEST_CASE(a_run_is_shown_while_it_goes_on_and_once_it_is_stopped) {
  const Place place;
  Command command(TrainingPlace::train({"--epochs", "100000", "-n", "3"}), place.path(),
                  place.environment());
  command.read_until(is_under_way);
  check_says(place.page(), {" steps so far</text>", ">rank 1: "});
  place.check_stopped(command);
  check_says(place.page(), {" steps so far</text>", ">rank 1: "});
}

BOOST_AUTO_TEST_CASE(what_cannot_be_drawn_is_refused) {
  const Place place;
  place.train_briefly();
  const auto check = [&](const Words& words, int code, const std::string& mention) {
    Words all{"plot"};
    all.insert(all.end(), words.begin(), words.end());
    const Ended ended = place.command(all);
    BOOST_TEST_CONTEXT(mention << "; " << ended.error) {
      BOOST_TEST(ended.code == code);
      BOOST_TEST(ended.out == "");
      BOOST_TEST(contains(ended.error, mention));
    }
  };
  check({"run"}, usage, "--out");
  check({"run", "--out", "page.pdf"}, usage, "end in .svg or .png");
  check({"run", "--out", "page"}, usage, "end in .svg or .png");
  check({"none", "--out", "page.svg"}, input, "there is no ledger");
  check({"run", "--out", "none/page.svg"}, io, "none/page.svg: cannot be written");
  tamper(place.run_folder() / "ledger.sqlite", "DELETE FROM steps WHERE step = 7");
  check({"run", "--out", "page.svg"}, input, "step 7");
  BOOST_TEST(!fs::exists(place.path() / "page.svg"));
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
