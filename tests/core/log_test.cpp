#include <cstdlib>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <daig/core/log.hpp>

BOOST_AUTO_TEST_SUITE(log_test)

using namespace daig;

namespace {

/// What is written to stderr while it lives, up to what a pipe holds (64 KiB).
class CapturedStderr {
 public:
  CapturedStderr() : saved_(dup(STDERR_FILENO)) {
    BOOST_REQUIRE_EQUAL(pipe(ends_), 0);
    BOOST_REQUIRE_NE(dup2(ends_[1], STDERR_FILENO), -1);
    close(ends_[1]);
  }
  CapturedStderr(const CapturedStderr&) = delete;
  CapturedStderr& operator=(const CapturedStderr&) = delete;
  CapturedStderr(CapturedStderr&&) = delete;
  CapturedStderr& operator=(CapturedStderr&&) = delete;
  ~CapturedStderr() {
    restore();
    close(ends_[0]);
  }

  /// Ends the capture.
  std::string text() {
    restore();
    std::string all;
    char piece[4096];
    for (ssize_t got = 0; (got = read(ends_[0], piece, sizeof piece)) > 0;) {
      all.append(piece, static_cast<std::size_t>(got));
    }
    return all;
  }

 private:
  void restore() {
    if (saved_ < 0) return;
    dup2(saved_, STDERR_FILENO);  // closes the pipe's last writing end
    close(saved_);
    saved_ = -1;
  }

  int saved_;
  int ends_[2] = {-1, -1};
};

struct LevelRestored {
  log::Level before = log::level();
  ~LevelRestored() { log::set_level(before); }
};

BOOST_FIXTURE_TEST_SUITE(logging, LevelRestored)

BOOST_AUTO_TEST_CASE(a_line_says_program_level_and_text) {
  log::set_level(log::Level::debug);
  CapturedStderr captured;
  log::debug("one {}", 1);
  log::info("two {:.1f}", 2.0);
  log::warning("three {}", "three");
  log::error("four");
  BOOST_CHECK_EQUAL(captured.text(),
                    "daig debug: one 1\n"
                    "daig info: two 2.0\n"
                    "daig warning: three three\n"
                    "daig error: four\n");
}

BOOST_AUTO_TEST_CASE(lines_below_the_level_are_not_written) {
  log::set_level(log::Level::warning);
  CapturedStderr captured;
  log::debug("no");
  log::info("no");
  log::warning("yes");
  log::set_level(log::Level::error);
  log::warning("no");
  log::error("yes");
  log::set_level(log::Level::off);
  log::error("no");
  BOOST_CHECK_EQUAL(captured.text(), "daig warning: yes\ndaig error: yes\n");
}

BOOST_AUTO_TEST_CASE(the_rank_belongs_to_the_thread_that_set_it) {
  log::set_level(log::Level::info);
  CapturedStderr captured;
  std::thread([] {
    log::set_rank(Rank{3});
    log::info("from a rank");
  }).join();
  log::info("from no rank");
  BOOST_CHECK_EQUAL(captured.text(), "daig [3] info: from a rank\ndaig info: from no rank\n");
}

BOOST_AUTO_TEST_CASE(lines_of_several_threads_stay_whole) {
  log::set_level(log::Level::info);
  constexpr int threads = 4;
  constexpr int lines = 100;
  CapturedStderr captured;
  {
    std::vector<std::jthread> writers;
    for (int rank = 0; rank < threads; ++rank) {
      writers.emplace_back([rank] {
        log::set_rank(Rank{rank});
        for (int line = 0; line < lines; ++line) log::info("{} {}", line, std::string(60, 'x'));
      });
    }
  }
  const std::string text = captured.text();
  std::map<int, int> next_of;
  std::size_t begin = 0;
  for (std::size_t end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
    const std::string line = text.substr(begin, end - begin);
    const int rank = line.at(6) - '0';
    BOOST_REQUIRE_EQUAL(
        line, fmt::format("daig [{}] info: {} {}", rank, next_of[rank]++, std::string(60, 'x')));
  }
  BOOST_CHECK_EQUAL(begin, text.size());
  BOOST_CHECK_EQUAL(next_of.size(), threads);
  for (const auto& [rank, count] : next_of) BOOST_CHECK_EQUAL(count, lines);
}

BOOST_AUTO_TEST_CASE(the_environment_names_the_first_level) {
  const auto level_of = [](const char* name) {
    setenv("DAIG_LOG", name, 1);
    return log::detail::level_from_environment();
  };
  BOOST_CHECK(level_of("debug") == log::Level::debug);
  BOOST_CHECK(level_of("info") == log::Level::info);
  BOOST_CHECK(level_of("warning") == log::Level::warning);
  BOOST_CHECK(level_of("error") == log::Level::error);
  BOOST_CHECK(level_of("off") == log::Level::off);
  BOOST_CHECK(level_of("loud") == log::Level::warning);
  unsetenv("DAIG_LOG");
  BOOST_CHECK(log::detail::level_from_environment() == log::Level::warning);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
