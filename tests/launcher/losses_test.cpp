// Processes that die: what is left of the run, and what becomes of the rest of it.

#include <algorithm>
#include <fstream>
#include <iterator>

#include <boost/test/unit_test.hpp>

#include "launcher/training_place.hpp"
#include "support/sanitized.hpp"

BOOST_AUTO_TEST_SUITE(losses_test)

namespace {

using namespace daig::test;
using nlohmann::json;
namespace fs = std::filesystem;

Words operator+(Words left, const Words& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

/// Long enough to be killed in the middle; 7.5 steps an epoch, and a snapshot after every 20.
constexpr std::uint64_t epochs = under_address_sanitizer ? 200 : 2'000;
constexpr std::uint64_t samples = 300 * epochs;
constexpr std::uint64_t batches = samples / 10;
constexpr std::uint64_t steps = batches / 4;
const Words train =
    TrainingPlace::train({"--snapshot-every", "20", "--epochs", std::to_string(epochs)});

pid_t parent_of(pid_t process) {
  const std::string stat = text_of(fs::path("/proc") / std::to_string(process) / "stat");
  const auto name_end = stat.rfind(')');
  return name_end == std::string::npos ? 0 : std::atoi(stat.c_str() + name_end + 4);
}

/// The run was killed in the middle: it is resumed, and every batch counts exactly once.
void check_resumed(const TrainingPlace& place, const Words& manner) {
  const json before = place.audit({"--unfinished"});
  BOOST_TEST(before.at("clean").get<bool>());
  const auto done = before.at("batches").get<std::uint64_t>();
  BOOST_TEST(done < before.at("planned_batches").get<std::uint64_t>());
  BOOST_TEST(run({DAIG_COMMAND, "audit", "run"}, place.path()).code == 6);  // not finished

  const Ended ended =
      run(Words{DAIG_COMMAND, "train", "--resume", "run", "--json", "--out", "m.h5"} + manner,
          place.path());
  BOOST_REQUIRE_MESSAGE(ended.code == 0, ended.error);
  const json report = json::parse(ended.last_line());
  BOOST_TEST(report.at("steps").get<std::uint64_t>() == steps);
  BOOST_TEST(report.at("test_accuracy").get<double>() > 0.9);
  BOOST_TEST(fs::exists(place.path() / "m.h5"));
  const json after = place.audit();
  BOOST_TEST(after.at("clean").get<bool>());
  BOOST_TEST(after.at("attempts").get<int>() == 2);
  BOOST_TEST(after.at("batches").get<std::uint64_t>() == batches);
  // It was trained on from a snapshot, not from the start.
  BOOST_TEST(report.at("samples").get<std::uint64_t>() < samples);
  const auto again = after.at("superseded_steps").get<std::uint64_t>();
  BOOST_TEST(report.at("samples").get<std::uint64_t>() == samples - 10 * (done - 4 * again));
}

BOOST_AUTO_TEST_CASE(a_run_of_threads_is_killed_and_resumed) {
  const TrainingPlace place;
  const Words manner{"-n", "3", "--in-process"};
  Command first(train + manner, place.path(), place.environment());
  first.read_until(is_under_way);
  first.signal(SIGKILL);
  BOOST_REQUIRE(first.wait().code == 128 + SIGKILL);
  check_resumed(place, manner);
}

BOOST_AUTO_TEST_CASE(a_run_of_processes_is_killed_and_resumed_with_fewer) {
  const TrainingPlace place;
  Command first(train + Words{"-n", "3"}, place.path(), place.environment());
  first.read_until(is_under_way);
  const Process rank_0(place.find_rank(0));
  const Process rank_1(place.find_rank(1));
  first.signal(SIGKILL);
  BOOST_REQUIRE(first.wait().code == 128 + SIGKILL);
  // Nobody goes on without the launcher.
  BOOST_TEST(rank_0.has_gone());
  BOOST_TEST(rank_1.has_gone());
  check_resumed(place, {"-n", "1"});
}

/// A run of processes under way, with a short patience for silent ranks.
struct Run {
  explicit Run(const Words& more = {})
      : command(train + Words{"-n", "3", "--silence-limit", "3"} + more, place.path(),
                place.environment()) {
    command.read_until(is_under_way);
  }

  TrainingPlace place;
  Command command;
};

/// The run came to its end all the same, and nobody was told what only Open MPI wants to know.
void check_whole(const TrainingPlace& place, const Ended& ended) {
  place.check_whole(ended);
  BOOST_TEST(!contains(ended.error, "PMIX"), ended.error);
}

// Seeded, but for when the signals come.
BOOST_AUTO_TEST_CASE(volunteers_that_die_or_stand_still_do_not_stop_the_run) {
  const TrainingPlace place;
  Command command(train + Words{"-n", "5", "--epochs", under_address_sanitizer ? "200" : "400",
                                "--silence-limit", "1"},
                  place.path(), place.environment());
  command.read_until(is_under_way);
  const Process dead(place.find_rank(2));
  const Process alive(place.find_rank(1));
  const pid_t frozen = place.find_rank(3);
  ::kill(place.find_rank(2), SIGKILL);
  ::kill(frozen, SIGSTOP);
  const std::uint64_t before = steps_in(command.out());
  command.read_until([&](const std::string& out) { return steps_in(out) > before + 200; });
  ::kill(frozen, SIGCONT);
  check_whole(place, command.wait());
  BOOST_TEST(dead.has_gone());
  BOOST_TEST(alive.has_gone());
}

BOOST_AUTO_TEST_CASE(a_volunteer_may_die_at_any_point_of_the_protocol) {
  for (const std::string point :
       {"hello", "loading", "fetching", "computing", "banked", "ring", "reduced", "committed"}) {
    BOOST_TEST_CONTEXT(point) {
      const TrainingPlace place;
      const bool is_early = point == "hello" || point == "loading" || point == "fetching";
      const std::string death = "2:" + point + (is_early ? ":0" : ":40");
      // Later ones of an option count.
      Command command(train + Words{"-n", "4", "--epochs", "20", "--silence-limit", "0.5", "--die",
                                    death, "--quiet"},
                      place.path(), place.environment());
      check_whole(place, command.wait());
    }
  }
}

/// Pieces of the sum are large here: they are read from the memory of whoever has just died.
BOOST_AUTO_TEST_CASE(volunteers_that_die_while_large_sums_are_on_their_way_make_no_noise) {
  const TrainingPlace place;
  Command command(
      train + Words{"--model", "mlp:8-8000-3", "-n", "5", "--epochs", "10", "--silence-limit", "1",
                    "--die", "4:ring:10", "--die", "3:ring:20", "--die", "2:ring:30", "--quiet"},
      place.path(), place.environment());
  const Ended ended = command.wait();
  place.check_whole(ended);
  BOOST_TEST(ended.error == "");
}

BOOST_AUTO_TEST_CASE(a_volunteer_leaves_politely) {
  const TrainingPlace place;
  Command command(train + Words{"-n", "3", "--epochs", "200"}, place.path(), place.environment());
  command.read_until(is_under_way);
  const pid_t volunteer = place.find_rank(2);
  const Process gone(volunteer);
  ::kill(volunteer, SIGTERM);
  check_whole(place, command.wait());
  BOOST_TEST(gone.has_gone());
  const std::string events = text_of(place.path() / "run" / "events.jsonl");
  BOOST_TEST(contains(events, "member_left"));
  BOOST_TEST(!contains(events, "member_lost"));
}

BOOST_AUTO_TEST_CASE(a_run_grows_and_shrinks_with_the_list_of_its_hosts) {
  const TrainingPlace place;
  const auto list = [&](const char* hosts) {
    std::ofstream(place.path() / "new") << hosts;
    fs::rename(place.path() / "new", place.path() / "hosts");
  };
  const fs::path shell = place.path() / "shell";  // the other host is this machine, too
  std::ofstream(shell) << "#!/bin/sh\nshift\nexec sh -c \"$*\"\n";
  fs::permissions(shell, fs::perms::owner_all);
  list("localhost:1\n");
  Environment environment = place.environment();
  environment.emplace_back("OMPI_MCA_plm_rsh_agent", shell.string());
  const Words endless{"-n", "1",        "--hostfile", "hosts", "--silence-limit",
                      "5",  "--epochs", "40000"};
  Command command(train + endless, place.path(), environment);
  command.read_until(is_under_way);  // rank 0 begins alone
  const auto has_happened = [&](const char* kind, int times) {
    command.read_until([&](const std::string&) {
      const std::vector<json> events = place.member_events();
      return std::ranges::count(events, kind, [](const json& event) {
               return event.at("event").get<std::string>();
             }) >= times;
    });
  };
  list("localhost:2\nnodea:2\n");
  has_happened("member_joined", 4);
  list("localhost:2\n");
  has_happened("member_left", 2);
  list("localhost:2\nnodea:1\n");
  has_happened("member_joined", 5);
  place.check_stopped(command);
  for (const json& event : place.member_events()) BOOST_TEST(event.at("event") != "member_lost");
}

BOOST_AUTO_TEST_CASE(a_dead_coordinator_is_started_again_from_the_last_snapshot) {
  Run under_way({"--json", "--out", "m.h5"});
  const Process rank_1(under_way.place.find_rank(1));
  ::kill(under_way.place.find_rank(0), SIGKILL);
  const Ended ended = under_way.command.wait();
  BOOST_REQUIRE_MESSAGE(ended.code == 0, ended.error);
  BOOST_TEST(
      contains(ended.error,
               "daig: warning: the coordinator was ended by signal 9; restarting from step "),
      ended.error);
  BOOST_TEST(contains(ended.error, "(1 of 3 restarts)\n"), ended.error);
  BOOST_TEST(rank_1.has_gone());
  const json report = json::parse(ended.last_line());
  BOOST_TEST(report.at("steps").get<std::uint64_t>() == steps);
  BOOST_TEST(report.at("samples").get<std::uint64_t>() < samples);  // not from the start
  BOOST_TEST(fs::exists(under_way.place.path() / "m.h5"));
  const json audit = under_way.place.audit();
  BOOST_TEST(audit.at("clean").get<bool>());
  BOOST_TEST(audit.at("attempts").get<int>() == 2);
  BOOST_TEST(audit.at("batches").get<std::uint64_t>() == batches);
}

BOOST_AUTO_TEST_CASE(a_dead_coordinator_ends_a_run_that_is_not_to_be_restarted) {
  Run under_way({"--restarts", "0"});
  const Process rank_1(under_way.place.find_rank(1));
  ::kill(under_way.place.find_rank(0), SIGKILL);
  const Ended ended = under_way.command.wait();
  BOOST_TEST(ended.code == 128 + SIGKILL);
  BOOST_TEST(contains(ended.error, "rank 0, the coordinator, was ended by signal 9"), ended.error);
  BOOST_TEST(rank_1.has_gone());
}

BOOST_AUTO_TEST_CASE(a_run_without_a_snapshot_cannot_be_restarted) {
  Run under_way({"--snapshot-every", "1000000"});
  fs::remove(under_way.place.path() / "run" / "snapshot-0.h5");
  ::kill(under_way.place.find_rank(0), SIGKILL);
  const Ended ended = under_way.command.wait();
  BOOST_TEST(ended.code == 128 + SIGKILL);
  BOOST_TEST(contains(ended.error,
                      "daig: error: the coordinator was ended by signal 9, and the job "
                      "cannot be restarted: run: holds no snapshot"),
             ended.error);
}

/// An mpirun that is killed before it has done anything, as often as there are lives in a file.
struct DeadlyMpirun : TrainingPlace {
  explicit DeadlyMpirun(int lives) {
    fs::create_directory(path() / "bin");
    std::ofstream(path() / "lives") << std::string(static_cast<std::size_t>(lives), '\n');
    std::ofstream(path() / "bin" / "mpirun")
        << "#!/bin/sh\n"
        << "test -s lives || PATH=${PATH#*:} exec mpirun \"$@\"\n"
        << "sed -i 1d lives\nkill -9 $$\n";
    fs::permissions(path() / "bin" / "mpirun", fs::perms::owner_all);
  }
  Ended train_briefly(const Words& more) const {
    const std::string programs = (path() / "bin").string() + ":" + std::getenv("PATH");
    return Command(Words{DAIG_COMMAND, "train", "--dataset", "data", "--model", "mlp:8-4-3", "-n",
                         "2", "--epochs", "1"} +
                       more,
                   path(), {{"PATH", programs}})
        .wait();
  }
};

BOOST_AUTO_TEST_CASE(a_run_that_had_not_begun_starts_from_the_start) {
  const DeadlyMpirun place(2);
  const Ended ended = place.train_briefly({});
  BOOST_REQUIRE_MESSAGE(ended.code == 0, ended.error);
  BOOST_TEST(ended.error ==
             "daig: warning: mpirun was ended by signal 9; restarting from the start (1 of 3 "
             "restarts)\ndaig: warning: mpirun was ended by signal 9; restarting from the start (2 "
             "of 3 restarts)\n");
  // All in one folder.
  const auto count = std::distance(fs::directory_iterator(place.path() / "runs"), {});
  BOOST_TEST(count == 1);
}

BOOST_AUTO_TEST_CASE(a_run_that_never_began_leaves_no_folder) {
  const DeadlyMpirun place(2);
  const Ended ended = place.train_briefly({"--restarts", "1"});
  BOOST_TEST(ended.code == 128 + SIGKILL);
  BOOST_TEST(!fs::exists(place.path() / "runs"));
}

BOOST_AUTO_TEST_CASE(nobody_goes_on_without_mpirun) {
  Run under_way({"--restarts", "0"});
  const pid_t volunteer = under_way.place.find_rank(1);
  const Process rank_0(under_way.place.find_rank(0));
  const Process rank_1(volunteer);
  ::kill(parent_of(volunteer), SIGKILL);
  const Ended ended = under_way.command.wait();
  BOOST_TEST(ended.code == 128 + SIGKILL);
  BOOST_TEST(contains(ended.error, "mpirun"), ended.error);
  BOOST_TEST(rank_0.has_gone());
  BOOST_TEST(rank_1.has_gone());
}

BOOST_AUTO_TEST_CASE(a_signal_to_the_launcher_ends_all_of_it) {
  Run under_way;
  const Process rank_0(under_way.place.find_rank(0));
  const Process rank_1(under_way.place.find_rank(1));
  under_way.command.signal(SIGTERM);
  BOOST_TEST(under_way.command.wait().code == 128 + SIGTERM);
  BOOST_TEST(rank_0.has_gone());
  BOOST_TEST(rank_1.has_gone());
  BOOST_TEST(under_way.place.audit({"--unfinished"}).at("clean").get<bool>());
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
