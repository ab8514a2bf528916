#include "launcher/mpirun.hpp"

#include <boost/test/unit_test.hpp>
#include <sys/stat.h>

#include <daig/core/error.hpp>

#include "data/array_files.hpp"
#include "launcher/supervisor.hpp"
#include "support/temporary_folder.hpp"

BOOST_AUTO_TEST_SUITE(mpirun_test)

namespace {

using daig::launcher::Job;
using daig::launcher::JobEnd;
using daig::launcher::mpirun_line;
using daig::launcher::shell_text;

const std::string fixed =
    "mpirun --oversubscribe --bind-to none --enable-recovery --mca mpi_yield_when_idle 1";

BOOST_AUTO_TEST_CASE(the_line_of_a_job) {
  Job job;
  job.ranks = 3;
  job.program = {"./program", "-n", "7", "it's two words", ""};
  BOOST_TEST(shell_text(mpirun_line(job, false)) ==
             fixed + " -x OPENBLAS_NUM_THREADS=1 -n 3 ./program -n 7 'it'\\''s two words' ''");
  BOOST_TEST(shell_text(mpirun_line(job, true)) ==
             fixed +
                 " --allow-run-as-root -x OPENBLAS_NUM_THREADS=1 -n 3 ./program -n 7 "
                 "'it'\\''s two words' ''");
}

BOOST_AUTO_TEST_CASE(rank_0_may_have_a_starter) {
  Job job;
  job.ranks = 4;
  job.program = {"p", "a"};
  job.hosts = {{"localhost", 1}, {"nodea", 8}};
  job.environment = {{"NAME", "value"}};
  job.rank_0_starter = {"starter", "--"};
  // Both parts of the line are told the environment: mpirun keeps it apart for each.
  const std::string environment = " -x OPENBLAS_NUM_THREADS=1 -x NAME=value";
  const std::string first =
      fixed + " --host localhost:1,nodea:8" + environment + " -n 1 starter -- p a";
  BOOST_TEST(shell_text(mpirun_line(job, false)) == first + " :" + environment + " -n 3 p a");
  job.ranks = 1;
  BOOST_TEST(shell_text(mpirun_line(job, false)) == first);
  job.remote_shell = "guard ssh : ssh";
  BOOST_TEST(shell_text(mpirun_line(job, false))
                 .starts_with(fixed + " --mca plm_rsh_agent 'guard ssh : ssh' --host "));
}

BOOST_AUTO_TEST_CASE(only_the_daemons_lines_are_harmless) {
  using daig::launcher::is_harmless;
  BOOST_TEST(
      is_harmless("[vm:20884] PMIX ERROR: BAD-PARAM in file "
                  "../../../src/event/pmix_event_notification.c at line 1033\n"));
  BOOST_TEST(
      is_harmless("[here:20726] plm:rsh: Warning: setpgid(20731,20731) failed in parent with "
                  "errno=Permission denied(13)\n"));
  BOOST_TEST(is_harmless("[vm:27860] Read -1, expected 20360, errno = 3\n"));
  BOOST_TEST(!is_harmless("[vm:27860] Read -1, expected 20360, errno = 14\n"));
  BOOST_TEST(!is_harmless("[vm:20884] PMIX ERROR: BAD-PARAM in file elsewhere.c at line 3\n"));
  BOOST_TEST(!is_harmless("daig: error: pmix_event_notification.c\n"));
}

BOOST_AUTO_TEST_CASE(a_program_is_there_or_not) {
  using daig::launcher::check_program;
  check_program("sh", "advice");
  check_program("/bin/sh", "advice");
  const daig::test::TemporaryFolder folder;
  daig::test::write_file(folder / "data", {});  // there, but no program
  ::chmod((folder / "data").c_str(), 0644);
  for (const std::string& name : {std::string("no-such-program"), std::string("./no-such"),
                                  folder.path().string(), (folder / "data").string()}) {
    BOOST_CHECK_EXCEPTION(check_program(name, "do this"), daig::InputError,
                          [&](const daig::InputError& error) {
                            const std::string text = error.what();
                            return text.starts_with(name) && text.ends_with("do this");
                          });
  }
}

BOOST_AUTO_TEST_CASE(the_verdict_of_a_job) {
  const auto code = [](std::optional<int> rank_0, int mpirun, std::optional<int> signal) {
    return JobEnd{rank_0, mpirun, signal}.exit_code();
  };
  BOOST_TEST(code(0, 0, {}) == 0);
  BOOST_TEST(code(3, 0, {}) == 3);  // mpirun --enable-recovery says 0 whatever happens
  BOOST_TEST(code(0, 1, {}) == 0);
  BOOST_TEST(code({}, 0, {}) == 1);  // no verdict is no success
  BOOST_TEST(code({}, 213, {}) == 213);
  BOOST_TEST(code(0, 0, 2) == 130);
  BOOST_TEST((JobEnd{0, 0, {}}.remark().empty()));
  BOOST_TEST((JobEnd{3, 0, {}}.remark().empty()));  // rank 0 has said why itself
  BOOST_TEST((JobEnd{137, 0, {}}.remark().find("signal 9") != std::string::npos));
  BOOST_TEST((!JobEnd{{}, 0, {}}.remark().empty()));
}

BOOST_AUTO_TEST_CASE(the_loss_of_a_coordinator) {
  const auto loss = [](std::optional<int> rank_0, int mpirun, std::optional<int> signal, bool ran) {
    return JobEnd{rank_0, mpirun, signal, ran, false}.loss();
  };
  BOOST_TEST(loss(0, 0, {}, true) == "");
  BOOST_TEST(loss(3, 0, {}, true) == "");  // it ended by itself
  BOOST_TEST(loss(137, 0, {}, true) == "the coordinator was ended by signal 9");
  BOOST_TEST(loss(137, 0, 2, true) == "");  // the launcher was told to end the job
  BOOST_TEST(loss({}, 137, {}, true) == "mpirun was ended by signal 9");
  BOOST_TEST(loss({}, 137, {}, false) == "mpirun was ended by signal 9");
  BOOST_TEST(loss({}, 1, {}, false) == "");  // it could not be started
  BOOST_TEST(loss({}, 1, {}, true) == "mpirun ended with exit code 1, and the coordinator with it");
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
