#include "launcher/stderr_filter.hpp"

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(stderr_filter_test)

namespace {

using daig::launcher::StderrFilter;

const std::string rule = std::string(74, '-') + "\n";
const std::string lost = rule +
                         "ORTE has lost communication with a remote daemon.\n\n"
                         "  HNP daemon   : [[1,0],0] on node a\n"
                         "  Remote daemon: [[1,0],1] on node b\n\n"
                         "therefore will terminate the job.\n" +
                         rule;
const std::string unreliable = rule +
                               "ORTE was unable to reliably start one or more daemons.\n"
                               "This usually is caused by:\n\n* not finding the required\n" +
                               rule;
const std::string no_route = rule +
                             "ORTE does not know how to route a message to the specified daemon\n"
                             "located on the indicated node:\n" +
                             rule;
const std::string not_found = rule +
                              "mpirun was unable to launch the specified application as it could "
                              "not access\nor execute an executable:\n" +
                              rule;
const std::string harmless =
    "[vm:20884] PMIX ERROR: BAD-PARAM in file "
    "../../../src/event/pmix_event_notification.c at line 1033\n";
const std::string warning = StderrFilter::lost_host_line;

struct Filtered {
  std::string text;
  bool lost_host;
};

/// The whole text, fed in pieces of that size.
Filtered filtered(const std::string& text, std::size_t piece, bool job_runs = true) {
  StderrFilter filter;
  if (job_runs) filter.job_runs();
  std::string shown;
  for (std::size_t at = 0; at < text.size(); at += piece) {
    shown += filter.take(std::string_view(text).substr(at, piece));
  }
  shown += filter.rest();
  return {shown, filter.lost_host()};
}

void check(const std::string& text, const std::string& shown, bool lost_host) {
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{75}, text.size()}) {
    BOOST_TEST_CONTEXT("pieces of " << piece) {
      const Filtered result = filtered(text, piece);
      BOOST_TEST(result.text == shown);
      BOOST_TEST(result.lost_host == lost_host);
    }
  }
}

BOOST_AUTO_TEST_CASE(what_ranks_write_passes) {
  check("one\ntwo\n\nthree", "one\ntwo\n\nthree", false);
  // A table is no page, even one that speaks of the same things.
  const std::string table =
      rule + "name  value\n" + rule + rule + "a  1\nORTE was unable to\n" + "----\n" + rule;
  check(table, table, false);
}

BOOST_AUTO_TEST_CASE(harmless_lines_do_not) {
  check("one\n" + harmless + "two\n", "one\ntwo\n", false);
  check(
      "[a:1] 1 more process has sent help message help-errmgr-base.txt / node-died\n"
      "Set MCA parameter \"orte_base_help_aggregate\" to 0 to see all help / error messages\n"
      "[a:1] 1 more process has sent help message help-mpi-errors.txt / mpi_errors_are_fatal\n",
      "[a:1] 1 more process has sent help message help-mpi-errors.txt / mpi_errors_are_fatal\n",
      false);
}

BOOST_AUTO_TEST_CASE(a_page_about_a_lost_host_becomes_a_line) {
  for (const std::string& page : {lost, unreliable, no_route}) {
    check("before\n" + page + "after\n", "before\n" + warning + "after\n", true);
  }
  check(lost + harmless + unreliable + "after", warning + warning + "after", true);
}

BOOST_AUTO_TEST_CASE(other_pages_stay) {
  check(not_found + "after\n", not_found + "after\n", false);
  check(not_found + lost + not_found, not_found + warning + not_found, true);
  check(not_found, not_found, false);
}

BOOST_AUTO_TEST_CASE(the_page_stays_when_the_job_could_not_be_started) {
  const Filtered result = filtered("before\n" + unreliable + "after\n", 10, false);
  BOOST_TEST(result.text == "before\n" + unreliable + "after\n");
  BOOST_TEST(result.lost_host);
}

BOOST_AUTO_TEST_CASE(a_line_is_shown_as_soon_as_it_is_known_to_be_no_page) {
  StderrFilter filter;
  filter.job_runs();
  BOOST_TEST(filter.take("one\ntw") == "one\n");
  BOOST_TEST(filter.take("o\n" + rule) == "two\n");
  BOOST_TEST(filter.take("three\n") == rule + "three\n");
  BOOST_TEST(filter.take("four") == "");
  BOOST_TEST(filter.rest() == "four");
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
