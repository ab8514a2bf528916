#pragma once

/// A folder where training jobs run, lose processes, and are judged by what they leave.

#include <charconv>
#include <csignal>
#include <filesystem>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "launcher/command.hpp"
#include "launcher/job_processes.hpp"
#include "launcher/sample_data.hpp"
#include "support/temporary_folder.hpp"

namespace daig::test {

using Environment = std::vector<std::pair<std::string, std::string>>;

/// Whatever is started here has the folder for its temporary files: that tells its processes from
/// all others of the machine, on which host they may be, and nothing of a killed one stays behind.
class TrainingPlace {
 public:
  TrainingPlace() { write_dataset(folder_ / "data"); }

  const std::filesystem::path& path() const { return folder_.path(); }
  std::filesystem::path run_folder() const { return folder_ / "run"; }
  /// What jobs are to be started with; progress is shown often.
  Environment environment() const {
    return {{"DAIG_TERMINAL", "1"},
            {"TMPDIR", path().string()},
            {"OMPI_MCA_btl_vader_backing_directory", path().string()}};
  }

  /// Trains a small model on small data into the run's folder: 30 batches an epoch.
  static Words train(const Words& more) {
    Words words{DAIG_COMMAND, "train",        "--dataset", "data",      "--model",
                "mlp:8-16-3", "--k",          "4",         "--run-dir", "run",
                "--json",     "--batch-size", "10"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  nlohmann::json audit(const Words& more = {}) const {
    Words words{DAIG_COMMAND, "audit", "run", "--json"};
    words.insert(words.end(), more.begin(), more.end());
    const Ended ended = run(words, path());
    BOOST_REQUIRE_MESSAGE(!ended.out.empty(), ended.error);
    return nlohmann::json::parse(ended.last_line());
  }
  /// What has become of the members so far: who joined, left, was lost.
  std::vector<nlohmann::json> member_events() const;

  /// A rank of the job that runs here.
  pid_t find_rank(int rank) const { return find_rank_of(marker(), rank); }
  /// Processes of the jobs that were started here, their launchers among them.
  std::vector<pid_t> processes() const {
    return find_processes([this](pid_t process) { return has_variable(process, marker()); });
  }

  /// The run came to its end: every batch counts once, all is reproduced bit for bit, and no
  /// process is left.
  void check_whole(const Ended& ended) const;
  /// Asks a run under way to end, and checks the same of all that was done by then.
  void check_stopped(Command& command) const;

 private:
  /// No process is left; the audit is clean, and all is reproduced.
  void check_left(const Words& manner) const;
  std::string marker() const { return "TMPDIR=" + path().string(); }

  TemporaryFolder folder_;
};

/// The last step that the progress on stdout tells of.
inline std::uint64_t steps_in(const std::string& out) {
  const auto at = out.rfind("\rstep ");
  std::uint64_t steps = 0;
  if (at != std::string::npos) {
    std::from_chars(out.data() + at + 6, out.data() + out.size(), steps);
  }
  return steps;
}

/// In the middle of its work, for a run of hundreds of steps.
inline bool is_under_way(const std::string& out) {
  return steps_in(out) > 50;
}

// ---------------------------------------------------------------------------------------------

inline std::vector<nlohmann::json> TrainingPlace::member_events() const {
  std::istringstream lines(text_of(run_folder() / "events.jsonl"));
  std::vector<nlohmann::json> events;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(R"({"event":"member_)") || !line.ends_with('}')) continue;
    events.push_back(nlohmann::json::parse(line));
  }
  return events;
}

inline void TrainingPlace::check_whole(const Ended& ended) const {
  BOOST_REQUIRE_MESSAGE(ended.code == 0, ended.code << ": " << ended.error);
  check_left({});
}

inline void TrainingPlace::check_stopped(Command& command) const {
  command.signal(SIGTERM);
  const Ended ended = command.wait();
  BOOST_REQUIRE_MESSAGE(ended.code == 128 + SIGTERM, ended.code << ": " << ended.error);
  check_left({"--unfinished"});
}

inline void TrainingPlace::check_left(const Words& manner) const {
  // On other hosts the last ones may be about to end.
  for (const pid_t process : processes()) {
    const std::string what = text_of(fmt::format("/proc/{}/cmdline", process));
    BOOST_TEST(Process(process).has_gone(), "left: " << what);
  }
  BOOST_TEST(processes().empty());
  const nlohmann::json report = audit(manner);
  BOOST_TEST(report.at("clean").get<bool>(), report.dump());
  const Ended replayed = run({DAIG_COMMAND, "replay", "run"}, path());
  BOOST_TEST(replayed.code == 0, replayed.out + replayed.error);
}

}  // namespace daig::test
