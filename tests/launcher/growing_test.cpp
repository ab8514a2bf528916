// Jobs that grow and shrink while they run. Ranks are shell scripts, which open a door but let
// nobody in; all hosts are this machine.

#include <boost/test/unit_test.hpp>

#include "launcher/scripted_job.hpp"

BOOST_AUTO_TEST_SUITE(growing_test)

namespace {

using namespace daig::test;
namespace fs = std::filesystem;

/// Functions for the scripts of jobs that grow.
const std::string growing = R"(
attempt=$DAIG_ATTEMPT
open_door() { echo 10.0.0.1:4711,192.168.0.1:4711 > $DAIG_DOOR.new; mv $DAIG_DOOR.new $DAIG_DOOR; }
list() { printf "$1" > hosts.new; mv hosts.new hosts; }
lose() { echo $1 >> $DAIG_DOOR.lost; }
here() { echo $$ > process-$rank; touch here-$attempt-$rank; }
# What a polite rank does: it is there until it is told to leave, or the job is over.
serve() {
  trap 'touch told-$attempt-$rank; exit 0' TERM
  here
  until test -e over; do sleep 0.05; done
}
)";

/// Localhost with one slot and nodea with two; three ranks.
struct GrowingJob : TwoHosts {
  /// What rank 0 does with its door open; the others serve.
  Words growing_job(const Words& options, const std::string& rank_0) const {
    return job(Words{"--hostfile", "hosts", "--grace", grace} + options,
               growing + "if test $rank != 0; then serve; exit 0; fi\nopen_door\n" + rank_0 +
                   "\ntouch over\n");
  }
  Ended run_growing(const Words& options, const std::string& rank_0) const {
    return Command(growing_job(options, rank_0), folder.path(), environment()).wait();
  }
  bool has(const std::string& name) const { return fs::exists(folder / name); }
  void wait_for(const std::string& name) const {
    const auto deadline = daig::Deadline::in(std::chrono::seconds(60));
    while (!has(name)) {
      if (deadline.expired()) throw std::runtime_error(name + " does not appear");
      ::usleep(10'000);
    }
  }

  std::string grace = "20";  ///< seconds; long, so that nobody is ended who would end by himself
};

BOOST_AUTO_TEST_CASE(a_newcomer_is_told_all_it_needs) {
  const GrowingJob place;
  const Ended ended = place.run_growing({}, R"(
env > environment-0
env | sed -n 's/^DAIG_KEY=//p' > key
list 'localhost:2\nnodea:2\nnodeb:1\n'
wait_for here-1-3
wait_for here-1-4
for rank in 3 4; do tr '\0' '\n' < /proc/$(cat process-$rank)/environ > environment-$rank; done
readlink /proc/$(cat process-4)/cwd > folder
cat /proc/[0-9]*/cmdline 2>/dev/null | grep -a -c -F -f key > seen
)");
  BOOST_TEST(ended.code == 0, ended.error);
  BOOST_TEST(contains(ended.error, "daig: host localhost: 1 rank joins\n"), ended.error);
  BOOST_TEST(contains(ended.error, "daig: host nodeb: 1 rank joins\n"), ended.error);
  const std::string key = place.text("key");
  BOOST_TEST(key.size() == 33);
  const std::string founder = place.text("environment-0");
  BOOST_TEST(contains(founder, "DAIG_DOOR=/"), founder);
  for (const std::string rank : {"3", "4"}) {
    const std::string environment = "\n" + place.text("environment-" + rank);
    for (const std::string& variable :
         {std::string("DAIG_JOIN=10.0.0.1:4711,192.168.0.1:4711\n"), "DAIG_RANK=" + rank + "\n",
          "DAIG_KEY=" + key, std::string("DAIG_ATTEMPT=1\n"),
          std::string("OPENBLAS_NUM_THREADS=1\n")}) {
      BOOST_TEST(contains(environment, "\n" + variable), environment);
    }
    const auto job = founder.find("DAIG_JOB=");
    BOOST_REQUIRE(job != founder.npos);
    BOOST_TEST(contains(environment, founder.substr(job, 42)), environment);
    for (const char* name : {"\nOMPI_", "\nPMIX_", "\nDAIG_DOOR="}) {
      BOOST_TEST(!contains(environment, name), environment);
    }
  }
  BOOST_TEST(place.text("folder") == fs::canonical(place.folder.path()).string() + "\n");
  BOOST_TEST(place.text("seen") == "0\n");
  // One on nodea for its daemon, one on nodeb for the newcomer; here none is needed.
  BOOST_TEST(count(place.text("shells"), "nodea ") == 1, place.text("shells"));
  BOOST_TEST(count(place.text("shells"), "nodeb ") == 1, place.text("shells"));
  BOOST_TEST(count(place.text("shells"), "localhost ") == 0, place.text("shells"));
  BOOST_TEST(place.is_gone("process-4"));
}

BOOST_AUTO_TEST_CASE(ranks_of_a_host_that_vanishes_leave_and_it_may_come_back) {
  const GrowingJob place;
  const Ended ended = place.run_growing({}, R"(
wait_for here-1-1
wait_for here-1-2
list 'localhost:1\nnodea:2\nnodeb:2\n'
wait_for here-1-3
wait_for here-1-4
list 'localhost:1\nnodea:1\n'
for rank in 2 3 4; do wait_for told-1-$rank; done
list 'localhost:1\nnodea:1\nnodeb:1\n'
wait_for here-1-5
)");
  BOOST_TEST(ended.code == 0, ended.error);
  BOOST_TEST(!place.has("told-1-1"));
  BOOST_TEST(!place.has("told-1-0"));
  for (const char* line : {"daig: host nodea has fewer slots: 1 rank leaves\n",
                           "daig: host nodeb is gone from the list: its ranks leave\n"}) {
    BOOST_TEST(contains(ended.error, line), ended.error);
  }
  BOOST_TEST(contains(place.text("shells"), " dismiss "), place.text("shells"));
}

BOOST_AUTO_TEST_CASE(a_lost_rank_is_replaced) {
  GrowingJob place;
  place.grace = "2";  // of a frozen rank, until its slot is free
  const Ended ended = place.run_growing({}, R"(
wait_for here-1-1
wait_for here-1-2
kill -9 $(cat process-1)
lose 1
lose 1
wait_for here-1-3
kill -STOP $(cat process-3)
lose 3
wait_for here-1-4
touch replaced
)");
  BOOST_TEST(ended.code == 0, ended.error);
  BOOST_TEST(place.has("replaced"));
  BOOST_TEST(contains(ended.error, "daig: host nodea: rank 1 was lost; its slot is free in 1 s\n"),
             ended.error);
  BOOST_TEST(place.is_gone("process-3"));
  BOOST_TEST(!place.has("here-1-5"));
}

BOOST_AUTO_TEST_CASE(a_start_that_fails_is_tried_again) {
  const GrowingJob place;
  std::ofstream(place.folder / "shell") << R"(#!/bin/sh
test $1 != nodeb || test -e up || { touch tried; exit 255; }
shift
sh -c "$*"
)";
  const Ended ended = place.run_growing({}, R"(
list 'localhost:1\nnodea:2\nnodeb:1\n'
wait_for tried
touch up
until test -e here-1-4 || test -e here-1-5; do sleep 0.05; done
)");
  BOOST_TEST(ended.code == 0, ended.error);
  BOOST_TEST(contains(ended.error, "daig: host nodeb: rank 3 ended with exit code 255; "),
             ended.error);
  BOOST_TEST(!place.has("here-1-3"));
}

BOOST_AUTO_TEST_CASE(newcomers_have_the_farewell_of_the_others_and_none_is_left) {
  const GrowingJob place;
  const Ended ended = Command(place.job({"--hostfile", "hosts", "--grace", "0.2"}, growing + R"(
trap '' TERM
if test $rank = 0; then
  open_door
  list 'localhost:2\nnodea:2\nnodeb:1\n'
  wait_for here-1-3
  wait_for here-1-4
  exit 6
fi
here
sleep_on
)"),
                              place.folder.path(), place.environment())
                          .wait();
  BOOST_TEST(ended.code == 6, ended.error);
  for (const char* name : {"process-1", "process-2", "process-3", "process-4"}) {
    BOOST_TEST(place.is_gone(name));
  }
  BOOST_TEST(contains(place.text("shells"), " reap "), place.text("shells"));
}

BOOST_AUTO_TEST_CASE(newcomers_end_with_the_launcher) {
  const GrowingJob place;
  Command command(place.growing_job({}, R"(
list 'localhost:2\nnodea:2\nnodeb:1\n'
wait_for here-1-3
wait_for here-1-4
echo ready
sleep_on
)"),
                  place.folder.path(), place.environment());
  command.read_until([](const std::string& out) { return contains(out, "ready"); });
  command.signal(SIGKILL);
  command.wait();  // until all who hold its output are gone
  for (const char* name : {"process-3", "process-4"}) BOOST_TEST(place.is_gone(name));
  BOOST_TEST(place.has("told-1-3"));
  BOOST_TEST(place.has("told-1-4"));
}

BOOST_AUTO_TEST_CASE(a_shut_door_ends_the_growth) {
  const GrowingJob place;
  const Ended ended = place.run_growing({}, R"(
list 'localhost:2\nnodea:2\n'
wait_for here-1-3
rm $DAIG_DOOR
list 'localhost:3\nnodea:1\n'
kill -9 $(cat process-3)
sleep 2
)");
  BOOST_TEST(ended.code == 0, ended.error);
  BOOST_TEST(!place.has("here-1-4"));
  BOOST_TEST(!place.has("told-1-2"));
}

BOOST_AUTO_TEST_CASE(a_restart_leaves_out_who_does_not_answer_until_they_do) {
  const GrowingJob place;
  std::ofstream(place.folder / "shell") << R"(#!/bin/sh
test $1 != nodea || test ! -e down || exit 255
shift
sh -c "$*"
)";
  const Ended ended = place.run_growing({}, R"(
if test $attempt = 1; then
  list 'localhost:1\nnodea:2\nnodeb:1\n'
  wait_for here-1-3
  touch down
  kill -9 $$
fi
! lives $(cat process-3) || echo rank 3 is there
echo $OMPI_COMM_WORLD_SIZE ranks
wait_for here-2-1
rm down
until ls here-2-* | grep -q 'here-2-[2-9]'; do sleep 0.05; done
)");
  BOOST_TEST(ended.code == 0, ended.error);
  BOOST_TEST(ended.out == "2 ranks\n");
  BOOST_TEST(
      contains(ended.error, "daig: host nodea cannot be reached: the job starts without it\n"),
      ended.error);
}

/// A job whose hosts a command tells.
struct DiscoveringJob : GrowingJob {
  Words discovering_job(const Words& options, const std::string& rank_0) const {
    return job(
        Words{"--discover", "touch asked; cat hosts", "--discover-every", "0.1", "--grace", "20"} +
            options,
        growing + "if test $rank != 0; then serve; exit 0; fi\nopen_door\n" + rank_0 +
            "\ntouch over\n");
  }
};

BOOST_AUTO_TEST_CASE(the_start_waits_for_room_and_takes_less_than_asked_for) {
  const DiscoveringJob place;
  fs::remove(place.folder / "hosts");
  Command command(place.discovering_job({"-n", "8", "--min-ranks", "3", "--max-ranks", "9"}, R"(
echo $OMPI_COMM_WORLD_SIZE ranks
printf 'localhost:1\nnodea:2\nnodeb:20\n' > hosts
for rank in 3 4 5 6 7 8; do wait_for here-1-$rank; done
)"),
                  place.folder.path(), place.environment());
  const auto asked_again = [&] {
    fs::remove(place.folder / "asked");
    place.wait_for("asked");
  };
  asked_again();
  asked_again();  // the first answer is there only now
  std::ofstream(place.folder / "hosts") << "localhost:1\nnodea:1\n";
  asked_again();
  asked_again();
  BOOST_TEST(!place.has("shells"));
  std::ofstream(place.folder / "hosts") << "localhost:1\nnodea:2\n";
  const Ended ended = command.wait();
  BOOST_TEST(ended.code == 0, ended.error);
  BOOST_TEST(ended.out == "3 ranks\n");
  BOOST_TEST(contains(ended.error,
                      "exit code 1: cat: hosts: No such file or directory; there is "
                      "no list of hosts yet\n"),
             ended.error);
  BOOST_TEST(contains(ended.error,
                      "daig: there is room for 2 ranks, and at least 3 are to start; waiting\n"),
             ended.error);
  BOOST_TEST(!place.has("here-1-9"));
}

BOOST_AUTO_TEST_CASE(the_start_does_not_wait_for_ever) {
  const DiscoveringJob place;
  const Words options{"--min-ranks", "4", "-n", "5", "--wait-limit", "0.5"};
  const Ended ended =
      Command(place.discovering_job(options, ""), place.folder.path(), place.environment()).wait();
  BOOST_TEST(ended.code == 5);
  BOOST_TEST(contains(ended.error,
                      "daig: error: there is room for 3 ranks, and at least 4 are to start; "),
             ended.error);
  BOOST_TEST(!place.has("shells"));
}

BOOST_AUTO_TEST_CASE(a_signal_ends_the_wait_for_room) {
  const DiscoveringJob place;
  Command command(place.discovering_job({"--min-ranks", "4", "-n", "5"}, ""), place.folder.path(),
                  place.environment());
  place.wait_for("asked");
  command.signal(SIGTERM);
  BOOST_TEST(command.wait().code == 128 + SIGTERM);
}

BOOST_AUTO_TEST_CASE(a_door_that_never_opens_is_a_start_that_hangs) {
  const GrowingJob place;
  const Ended ended = Command(place.job({"--hostfile", "hosts", "--max-ranks", "4", "--restarts",
                                         "1", "--start-limit", "0.5"},
                                        "echo $$ > process-$rank\necho starts\nsleep_on\n"),
                              place.folder.path(), place.environment())
                          .wait();
  BOOST_TEST(ended.code == 5, ended.error);
  BOOST_TEST(contains(ended.error, "(1 of 1 restart)\n"), ended.error);
  for (const char* name : {"process-0", "process-1", "process-2"}) BOOST_TEST(place.is_gone(name));
}

BOOST_AUTO_TEST_CASE(a_host_that_hangs_does_not_hang_the_start) {
  const GrowingJob place;
  std::ofstream(place.folder / "shell") << "#!/bin/sh\ntest $1 != nodea || exec sleep 1000\n";
  const Ended ended =
      Command(place.job({"--hostfile", "hosts", "--start-limit", "0.5"},
                        "echo $OMPI_COMM_WORLD_SIZE rank, attempt $DAIG_ATTEMPT\nexit 0\n"),
              place.folder.path(), place.environment())
          .wait();
  BOOST_TEST(ended.code == 0, ended.error);
  BOOST_TEST(ended.out == "1 rank, attempt 2\n");
  BOOST_TEST(
      contains(ended.error, "rank 0 was not started within 2.5 s (--start-limit); restarting"),
      ended.error);
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
