#include <cmath>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <support/temporary_folder.hpp>

#include <daig/core/error.hpp>
#include <daig/store/event_log.hpp>
#include <daig/store/event_reader.hpp>

#include "file_bytes.hpp"

BOOST_AUTO_TEST_SUITE(event_reader_test)

using namespace daig;
using store::EventReader;
using store::LoggedEvent;

namespace {

struct Log {
  test::TemporaryFolder folder;
  std::filesystem::path path = folder / "events.jsonl";
};

std::vector<LoggedEvent> all(EventReader& reader) {
  std::vector<LoggedEvent> events;
  while (auto event = reader.next()) events.push_back(std::move(*event));
  return events;
}

BOOST_FIXTURE_TEST_CASE(what_is_logged_is_read_back, Log) {
  {
    store::EventLog log(path, Clock::now());
    log.event("other", {{"rank", std::int64_t{1}}});
    log.event("member_lost", {{"rank", std::int64_t{-3}},
                              {"loss", 0.5},
                              {"nothing", std::nan("")},
                              {"graceful", true},
                              {"why", std::string("said \"epoch\"\nand left")}});
    log.event("epoch", {});
  }
  EventReader reader(path, {"member_lost", "epoch"});
  const std::vector<LoggedEvent> events = all(reader);
  BOOST_REQUIRE_EQUAL(events.size(), 2U);
  BOOST_CHECK_EQUAL(events[0].event.kind, "member_lost");
  BOOST_CHECK_EQUAL(events[0].number("rank"), -3);
  BOOST_CHECK_EQUAL(events[0].number("loss"), 0.5);
  BOOST_CHECK(std::isnan(events[0].number("nothing")));
  BOOST_CHECK(std::isnan(events[0].number("why")));
  BOOST_CHECK(std::isnan(events[0].number("missing")));
  BOOST_CHECK_EQUAL(events[0].event.fields.size(), 5U);
  BOOST_CHECK_GE(events[0].t, 0);
  BOOST_CHECK_EQUAL(events[1].event.kind, "epoch");
  BOOST_CHECK_EQUAL(reader.damaged(), 0U);
}

BOOST_FIXTURE_TEST_CASE(lines_that_are_no_events_are_passed_over, Log) {
  const std::string long_text(EventReader::longest_line, 'x');
  const std::vector<std::string> damaged{
      R"({"event":"epoch","t":1.5,"lo)",                     // its process was killed
      R"({"event":"epoch","text":")" + long_text + R"("})",  // longer than any
      R"(["event","epoch"])",                                // no object
      R"({"event":["epoch"]})",                              // no kind
      R"({"t":1,"epoch":"epoch"})",                          // no kind either
      "\"epoch\" \xFF\xFE",                                  // no UTF-8
      R"({"event":"epoch","loss":1e999})",                   // a number that there is not
      R"({"event":"epoch"} {"event":"epoch"})",              // two in one line
  };
  std::string text = "\n";
  for (const std::string& line : damaged) text += line + '\n';
  text += R"({"event":"epoch","epoch":3,"list":[1],"huge":18446744073709551615,"t":"late"})";
  test::write_bytes(path, text);  // the last line does not end
  EventReader reader(path, {"epoch"});
  const std::vector<LoggedEvent> events = all(reader);
  BOOST_REQUIRE_EQUAL(events.size(), 1U);
  BOOST_CHECK_EQUAL(events[0].number("epoch"), 3);
  BOOST_CHECK_EQUAL(events[0].number("huge"), 18446744073709551615.0);
  BOOST_CHECK(std::isnan(events[0].number("list")));
  BOOST_CHECK(std::isnan(events[0].t));
  BOOST_CHECK_EQUAL(reader.damaged(), damaged.size());
}

BOOST_FIXTURE_TEST_CASE(no_file_has_no_events, Log) {
  EventReader reader(path, {"epoch"});
  BOOST_CHECK(!reader.next());
  test::write_bytes(path, "");
  EventReader empty(path, {"epoch"});
  BOOST_CHECK(!empty.next());
  EventReader not_a_file(folder.path(), {"epoch"});
  BOOST_CHECK_THROW(not_a_file.next(), IoError);
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
