#include <limits>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>
#include <support/temporary_folder.hpp>

#include <daig/core/error.hpp>
#include <daig/store/event_log.hpp>

#include "file_bytes.hpp"

BOOST_AUTO_TEST_SUITE(event_log_test)

using namespace daig;
using nlohmann::json;
using store::EventLog;

namespace {

struct Log {
  test::TemporaryFolder folder;
  std::filesystem::path path = folder / "events.jsonl";

  EventLog open() const { return {path, Clock::now()}; }

  /// Every line, parsed; a line that is no JSON throws.
  std::vector<json> lines() const {
    std::vector<json> parsed;
    std::istringstream text(test::read_bytes(path));
    for (std::string line; std::getline(text, line);) parsed.push_back(json::parse(line));
    return parsed;
  }
};

BOOST_FIXTURE_TEST_CASE(an_event_is_one_line_with_its_fields, Log) {
  EventLog log = open();
  log.event("member_lost", {{"rank", std::int64_t{3}},
                            {"waited_s", 0.5},
                            {"graceful", false},
                            {"why", std::string("said \"no\"\nand left, größe")}});
  log.event("run_ended", {});
  const auto events = lines();
  BOOST_REQUIRE_EQUAL(events.size(), 2U);
  BOOST_CHECK_EQUAL(events[0]["event"], "member_lost");
  BOOST_CHECK_EQUAL(events[0]["rank"], 3);
  BOOST_CHECK_EQUAL(events[0]["waited_s"], 0.5);
  BOOST_CHECK_EQUAL(events[0]["graceful"], false);
  BOOST_CHECK_EQUAL(events[0]["why"], "said \"no\"\nand left, größe");
  BOOST_CHECK_EQUAL(events[1].size(), 2U);
  BOOST_CHECK_GE(events[0]["t"].get<double>(), 0.0);
  BOOST_CHECK_GE(events[1]["t"].get<double>(), events[0]["t"].get<double>());
  BOOST_CHECK(test::read_bytes(path).starts_with(R"({"event":"member_lost","t":)"));
}

BOOST_FIXTURE_TEST_CASE(what_json_cannot_hold_becomes_valid_json, Log) {
  EventLog log = open();
  log.event("odd", {{"nan", std::numeric_limits<double>::quiet_NaN()},
                    {"inf", std::numeric_limits<double>::infinity()},
                    {"text", std::string("\xFF\x00\x01", 3)}});
  const json event = lines().at(0);
  BOOST_CHECK(event["nan"].is_null());
  BOOST_CHECK(event["inf"].is_null());
  BOOST_CHECK(event["text"].is_string());
}

BOOST_FIXTURE_TEST_CASE(a_step_is_told_with_its_means_and_durations, Log) {
  metrics::StepRecord step;
  step.step = StepId{7};
  step.view = ViewId{2};
  step.members = {Rank{0}, Rank{1}};
  step.sum_digest = 0xAB;
  step.learning_rate = 0.125;
  step.opened_s = 1;
  step.closed_s = 1.5;
  step.committed_s = 1.75;
  step.batches = {{Epoch{1}, BatchId{9}, Rank{1}, 30, 45.0, 0.1},
                  {Epoch{0}, BatchId{3}, Rank{1}, 10, 5.0, 0.1}};
  EventLog log = open();
  log.step_committed(step);
  const json expected = {{"event", "step_committed"},
                         {"step", 7},
                         {"view", 2},
                         {"members", 2},
                         {"batches", 2},
                         {"samples", 40},
                         {"loss", 1.25},
                         {"learning_rate", 0.125},
                         {"gather_s", 0.5},
                         {"reduce_s", 0.25},
                         {"sum_digest", "00000000000000ab"},
                         {"first_epoch", 0},
                         {"last_epoch", 1}};
  json event = lines().at(0);
  BOOST_CHECK_EQUAL(event.erase("t"), 1U);
  BOOST_CHECK_EQUAL(event, expected);
}

BOOST_FIXTURE_TEST_CASE(a_step_without_batches_is_still_valid_json, Log) {
  open().step_committed({});
  BOOST_CHECK(lines().at(0)["loss"].is_null());
}

BOOST_FIXTURE_TEST_CASE(a_later_attempt_appends_even_after_half_a_line, Log) {
  open().event("first", {});
  test::write_bytes(path, test::read_bytes(path) + "{\"event\":\"kil");
  open().event("second", {});
  std::istringstream text(test::read_bytes(path));
  std::vector<std::string> found;
  for (std::string line; std::getline(text, line);) found.push_back(line);
  BOOST_REQUIRE_EQUAL(found.size(), 3U);
  BOOST_CHECK_EQUAL(json::parse(found[0])["event"], "first");
  BOOST_CHECK(!json::accept(found[1]));
  BOOST_CHECK_EQUAL(json::parse(found[2])["event"], "second");
}

BOOST_FIXTURE_TEST_CASE(lines_of_threads_do_not_mix, Log) {
  {
    EventLog log = open();
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&log] {
        for (int round = 0; round < 100; ++round) {
          log.event("round", {{"text", std::string(200, 'x')}});
        }
      });
    }
  }
  BOOST_CHECK_EQUAL(lines().size(), 400U);
}

BOOST_FIXTURE_TEST_CASE(contracts_and_places_that_cannot_be_written, Log) {
  EventLog log = open();
  BOOST_CHECK_THROW(log.event("bad", {{"t", 1.0}}), ContractViolation);
  BOOST_CHECK_THROW(log.event("bad", {{"event", 1.0}}), ContractViolation);
  BOOST_CHECK_THROW(EventLog(folder / "missing" / "events.jsonl", Clock::now()), IoError);
  EventLog full("/dev/full", Clock::now());
  BOOST_CHECK_THROW(full.event("lost", {}), IoError);
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
