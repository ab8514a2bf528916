// What the launcher makes of signals, of a coordinator that dies, and of what mpirun leaves behind.
// Ranks are shell scripts.

#include <fstream>

#include <boost/test/unit_test.hpp>

#include "launcher/scripted_job.hpp"

BOOST_AUTO_TEST_SUITE(supervision_test)

namespace {

using namespace daig::test;
namespace fs = std::filesystem;

auto all_ready = [](const std::string& out) { return count(out, "ready\n") == 3; };

BOOST_AUTO_TEST_CASE(the_first_signal_goes_to_rank_0_alone) {
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
    const ScriptedJob place;
    Command command(place.job({"--grace", "1000"}, R"(
trap 'echo rank $rank is told; touch leave; exit 0' TERM INT HUP
echo ready
wait_for leave
echo rank $rank leaves
)"),
                    place.folder.path());
    command.read_until(all_ready);
    command.signal(signal);
    const Ended ended = command.wait();
    BOOST_TEST(ended.code == 128 + signal);
    BOOST_TEST(ended.error == "");
    BOOST_TEST(count(ended.out, "is told\n") == 1, ended.out);
    for (const char* line : {"rank 0 is told\n", "rank 1 leaves\n", "rank 2 leaves\n"}) {
      BOOST_TEST(contains(ended.out, line), ended.out);
    }
  }
}

/// Ranks that nothing polite ends.
const std::string stubborn = R"(
trap 'echo told' TERM
echo $$ > process-$rank
echo ready
sleep_on
)";

BOOST_AUTO_TEST_CASE(the_second_signal_ends_all_at_once) {
  const ScriptedJob place;
  Command command(place.job({"--grace", "1000"}, stubborn), place.folder.path());
  command.read_until(all_ready);
  command.signal(SIGINT);
  command.read_until([](const std::string& out) { return contains(out, "told"); });
  command.signal(SIGTERM);
  BOOST_TEST(command.wait().code == 128 + SIGINT);
  for (const char* rank : {"0", "1", "2"})
    BOOST_TEST(place.is_gone("process-" + std::string(rank)));
}

BOOST_AUTO_TEST_CASE(the_grace_is_over_some_time) {
  const ScriptedJob place;
  Command command(place.job({"--grace", "0.2"}, stubborn), place.folder.path());
  command.read_until(all_ready);
  command.signal(SIGTERM);
  BOOST_TEST(command.wait().code == 128 + SIGTERM);
  for (const char* rank : {"0", "1", "2"})
    BOOST_TEST(place.is_gone("process-" + std::string(rank)));
}

BOOST_AUTO_TEST_CASE(sigusr1_goes_to_all_ranks) {
  const ScriptedJob place;
  Command command(place.job({}, R"(
trap 'echo rank $rank is told; exit 0' USR1
echo ready
sleep_on
)"),
                  place.folder.path());
  command.read_until(all_ready);
  command.signal(SIGUSR1);
  const Ended ended = command.wait();
  BOOST_TEST(ended.code == 0);
  BOOST_TEST(count(ended.out, "is told\n") == 3, ended.out);
}

BOOST_AUTO_TEST_CASE(ranks_that_do_not_end_after_rank_0_are_ended) {
  const ScriptedJob place;
  const Ended ended = place.run_job({"--grace", "0.2"}, R"(
trap '' TERM
if test $rank = 0; then wait_for process-1; wait_for process-2; wait_for child; exit 4; fi
echo $$ > process-$rank
if test $rank = 1; then setsid sh -c 'echo $$ > child; while :; do sleep 0.05; done' & fi
sleep_on
)");
  BOOST_TEST(ended.code == 4);
  for (const char* name : {"process-1", "process-2", "child"}) BOOST_TEST(place.is_gone(name));
}

BOOST_AUTO_TEST_CASE(a_killed_coordinator_is_started_again) {
  const ScriptedJob place;
  const Ended ended = place.run_job({"--grace", "0.2"}, R"(
echo rank $rank, attempt $DAIG_ATTEMPT
test $rank = 0 || sleep_on
test $DAIG_ATTEMPT = 3 || kill -9 $$
exit 7
)");
  BOOST_TEST(ended.code == 7);
  BOOST_TEST(
      ended.error ==
      "daig: warning: the coordinator was ended by signal 9; restarting (1 of 3 restarts)\n"
      "daig: warning: the coordinator was ended by signal 9; restarting (2 of 3 restarts)\n");
  for (const char* attempt : {"1", "2", "3"}) {
    BOOST_TEST(contains(ended.out, "rank 0, attempt " + std::string(attempt)), ended.out);
  }
  BOOST_TEST(!contains(ended.out, "attempt 4"), ended.out);
}

BOOST_AUTO_TEST_CASE(it_is_not_started_again_for_ever) {
  const ScriptedJob place;
  const Ended ended =
      place.run_job({"--restarts", "1"}, "test $rank != 0 || { echo starts; kill -9 $$; }\n");
  BOOST_TEST(ended.code == 128 + SIGKILL);
  BOOST_TEST(count(ended.out, "starts\n") == 2);
  BOOST_TEST(contains(ended.error, "(1 of 1 restart)\n"), ended.error);
  BOOST_TEST(contains(ended.error, "daig: error: rank 0, the coordinator, was ended by signal 9\n"),
             ended.error);
}

BOOST_AUTO_TEST_CASE(one_that_ends_by_itself_is_not_started_again) {
  for (const int code : {0, 1, 3, 128}) {
    const ScriptedJob place;
    const Ended ended = place.run_job(
        {}, "test $rank != 0 || { echo starts; exit " + std::to_string(code) + "; }\n");
    BOOST_TEST(ended.code == code);
    BOOST_TEST(ended.out == "starts\n");
    BOOST_TEST(ended.error == "");
  }
}

BOOST_AUTO_TEST_CASE(a_signal_ends_the_pause_before_a_restart) {
  const ScriptedJob place;
  Command command(place.job({"--restarts", "100"}, R"(
test $rank = 0 || exit 0
echo attempt $DAIG_ATTEMPT
kill -9 $$
)"),
                  place.folder.path());
  command.read_until([](const std::string& out) { return contains(out, "attempt 2"); });
  command.signal(SIGTERM);
  const Ended ended = command.wait();
  BOOST_TEST(ended.code == 128 + SIGTERM);
  BOOST_TEST(!contains(ended.out, "attempt 3"), ended.out);
}

BOOST_AUTO_TEST_CASE(nothing_of_a_dead_attempt_is_left_when_the_next_one_starts) {
  const ScriptedJob place;
  // Rank 0 kills mpirun, the parent of its starter. The others are no MPI programs, and not polite.
  const Ended ended = place.run_job({}, R"(
trap '' TERM
if test $DAIG_ATTEMPT = 1; then
  echo $$ > process-$rank
  test $rank != 0 || { wait_for process-1; wait_for process-2; kill -9 $(cut -d ' ' -f 4 /proc/$PPID/stat); }
  sleep_on
fi
for i in 0 1 2; do
  if lives $(cat process-$i); then echo old rank $i is there; fi
done
exit 0
)");
  BOOST_TEST(ended.code == 0);
  BOOST_TEST(ended.out == "");
  BOOST_TEST(
      contains(ended.error, "daig: warning: mpirun was ended by signal 9; restarting (1 of 3"),
      ended.error);
}

BOOST_AUTO_TEST_CASE(the_hostfile_is_read_again) {
  const ScriptedJob place;
  std::ofstream(place.folder / "hosts") << "localhost:3\n";
  const Ended ended = place.run_job({"--hostfile", "hosts"}, R"(
test $rank = 0 || exit 0
echo no host at all: > hosts
kill -9 $$
)");
  BOOST_TEST(ended.code == 3);
  BOOST_TEST(contains(ended.error, "daig: error: hosts:1: "), ended.error);
}

BOOST_AUTO_TEST_CASE(a_clean_end_asks_no_other_host) {
  const TwoHosts place;
  const Ended ended = place.run_on_hosts({}, "echo rank $rank\n");
  BOOST_TEST(ended.code == 0);
  BOOST_TEST(ended.error == "");
  BOOST_TEST(count(ended.out, "rank ") == 3, ended.out);
  BOOST_TEST(count(place.text("shells"), "nodea ") == 1);
}

BOOST_AUTO_TEST_CASE(the_loss_of_a_host_is_survived_and_leaves_nothing) {
  const TwoHosts place;
  // Rank 1 ends its host's daemon; rank 2 is left there, and does not care. Rank 0 goes on for as
  // long as mpirun has not noticed that the remote shell failed.
  const Ended ended = place.run_on_hosts({"--grace", "1"}, R"(
trap '' TERM
echo $$ > process-$rank
if test $rank = 1; then wait_for process-0; wait_for process-2; kill -9 $PPID; exit 0; fi
test $rank != 2 || sleep_on
wait_for process-1
wait_for_end_of $(head -n 1 starters)
echo rank 0 ends
exit 5
)");
  BOOST_TEST(ended.code == 5);
  BOOST_TEST(ended.out == "rank 0 ends\n");
  BOOST_TEST(contains(ended.error, "daig: warning: lost contact with a host"), ended.error);
  BOOST_TEST(!contains(ended.error, "ORTE"), ended.error);
  BOOST_TEST(!contains(ended.error, "-----"), ended.error);
  BOOST_TEST(place.is_gone("process-2"));
  BOOST_TEST(count(place.text("shells"), " reap ") == 1, place.text("shells"));
}

BOOST_AUTO_TEST_CASE(a_host_that_cannot_be_reached_at_the_start_is_an_error) {
  const TwoHosts place;
  std::ofstream(place.folder / "shell") << "#!/bin/sh\nexit 255\n";
  const Ended ended = place.run_on_hosts({}, "echo rank $rank\n");
  BOOST_TEST(ended.code != 0);
  BOOST_TEST(ended.out == "");
  BOOST_TEST(contains(ended.error, "ORTE was unable to reliably start"), ended.error);
  BOOST_TEST(contains(ended.error, "daig: error: mpirun ended with exit code"), ended.error);
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
