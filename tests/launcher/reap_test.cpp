#include "launcher/reap.hpp"

#include <fstream>

#include <boost/test/unit_test.hpp>
#include <sys/stat.h>

#include "launcher/command.hpp"
#include "launcher/remote_shell.hpp"
#include "support/temporary_folder.hpp"

BOOST_AUTO_TEST_SUITE(reap_test)

namespace {

using namespace daig::test;
using namespace std::chrono_literals;
using daig::launcher::fresh_job_id;
using daig::launcher::reap;
using daig::launcher::remote_shell;

/// A process of a job, under way.
struct Member {
  Member(const std::string& job_id, const std::string& script)
      : command({"sh", "-c", script + "; echo ready; while :; do sleep 1; done"}, folder.path(),
                {{daig::launcher::job_variable, job_id}}) {
    command.read_until([](const std::string& out) { return out.find("ready") != out.npos; });
  }
  TemporaryFolder folder;
  Command command;
};

BOOST_AUTO_TEST_CASE(no_two_jobs_have_the_same_id) {
  BOOST_TEST(fresh_job_id().size() == 32);
  BOOST_TEST(fresh_job_id() != fresh_job_id());
}

BOOST_AUTO_TEST_CASE(what_is_left_of_a_job_is_ended_and_nothing_else) {
  const std::string id = fresh_job_id();
  Member polite(id, "trap 'exit 3' TERM");
  Member stubborn(id, "trap '' TERM");
  Member other(fresh_job_id(), ":");
  Member longer(id + "0", ":");
  // The shells, and whatever they sleep in.
  BOOST_TEST(reap(id, 2s) >= 2);
  BOOST_TEST(polite.command.wait().code == 3);
  BOOST_TEST(stubborn.command.wait().code == 128 + SIGKILL);
  for (Member* member : {&other, &longer}) {
    member->command.signal(SIGINT);
    BOOST_TEST(member->command.wait().code == 128 + SIGINT);
  }
  BOOST_TEST(reap(id, 2s) == 0);
}

BOOST_AUTO_TEST_CASE(the_remote_shell_is_the_first_that_there_is) {
  BOOST_TEST(remote_shell("no-such-program -x : sh -a b : true") == (Words{"sh", "-a", "b"}),
             boost::test_tools::per_element());
  BOOST_TEST(remote_shell("none -x:none") == (Words{"none", "-x"}),
             boost::test_tools::per_element());
}

/// A remote shell that writes down what it is asked to do.
BOOST_AUTO_TEST_CASE(other_machines_are_asked_all_at_once) {
  const TemporaryFolder folder;
  const std::string shell = (folder / "shell").string();
  {
    std::ofstream script(shell);
    script << "#!/bin/sh\necho \"$@\" > " << folder.path().string() << "/$1\n"
           << "test $1 != silent || sleep 1000\n";
  }
  ::chmod(shell.c_str(), 0755);
  ::setenv("OMPI_MCA_plm_rsh_agent", shell.c_str(), 1);
  daig::launcher::reap_on({{"nodea", 1}, {"silent", 1}, {"nodeb", 2}}, "id", 1s);
  ::unsetenv("OMPI_MCA_plm_rsh_agent");
  for (const std::string host : {"nodea", "silent", "nodeb"}) {
    std::ifstream file(folder / host);
    std::string line;
    std::getline(file, line);
    BOOST_TEST(line.starts_with(host + " /"), line);
    BOOST_TEST(line.ends_with(" reap id"), line);
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
