#define BOOST_TEST_MODULE launcher_hosts
#define BOOST_TEST_NO_MAIN

// Training on several hosts, one of which is lost, or cut off for a while. Hosts are namespaces of
// this machine; skipped, visibly, where these cannot be made.

#include "launcher/hosts.hpp"

#include <algorithm>
#include <csignal>
#include <fstream>

#include <boost/test/unit_test.hpp>

#include "launcher/training_place.hpp"
#include "store/sample_run.hpp"

namespace {

using namespace daig::test;
using nlohmann::json;

/// Four hosts with two slots each, and the launcher on the first of them: ranks 0 and 1 are here,
/// ranks 6 and 7 on the last one.
struct Site : TrainingPlace {
  Site() {
    std::ofstream file(path() / "hostfile");
    for (const std::string name : {"here", "east", "west", "south"}) {
      hosts.add(name);
      file << name << " slots=2\n";
    }
  }
  Words train_on_hosts(const Words& more) const {
    // With a short grace, as mpirun does not end by itself when it has lost a host.
    Words words = train({"-n", "8", "--hostfile", "hostfile", "--grace", "1"});
    words.insert(words.end(), more.begin(), more.end());
    return hosts.on("here", words);
  }
  Environment with_hosts() const {
    Environment variables = environment();
    variables.push_back(hosts.remote_shell());
    return variables;
  }
  /// Batches that count of ranks that are on the last host.
  int work_of_the_last(const std::string& condition) const {
    return std::stoi(query(run_folder() / "ledger.sqlite",
                           "SELECT COUNT(*) FROM batches WHERE superseded_by IS NULL AND "
                           "volunteer >= 6 AND " +
                               condition));
  }

  Hosts hosts{path()};
};

int count(const std::vector<json>& events, const std::string& kind, int rank) {
  return static_cast<int>(std::ranges::count_if(events, [&](const json& event) {
    return event.at("event") == kind && event.at("rank") == rank;
  }));
}

/// Of the last such event of a rank.
std::uint64_t step_of(const std::vector<json>& events, const std::string& kind, int rank) {
  std::uint64_t step = 0;
  for (const json& event : events) {
    if (event.at("event") == kind && event.at("rank") == rank) step = event.at("step");
  }
  return step;
}

BOOST_AUTO_TEST_CASE(four_hosts_train_one_model) {
  const Site site;
  // A machine that is busy with other things is no disturbance.
  const Words patiently{"--epochs", "40", "--silence-limit", "60", "--orphan-limit", "100"};
  const Ended ended =
      Command(site.train_on_hosts(patiently), site.path(), site.with_hosts()).wait();
  BOOST_TEST(ended.error == "");
  site.check_whole(ended);
  for (const json& event : site.events()) BOOST_TEST(event.at("event") != "member_lost");
  BOOST_TEST(site.work_of_the_last("1") > 0);
}

void check_loss_of_a_host(void (Hosts::*lose)(const std::string&)) {
  Site site;
  Command command(site.train_on_hosts({"--epochs", "100"}), site.path(), site.with_hosts());
  command.read_until(is_under_way);
  (site.hosts.*lose)("south");
  site.check_whole(command.wait());
  const std::vector<json> events = site.events();
  for (const int rank : {6, 7}) BOOST_TEST(count(events, "member_lost", rank) == 1);
}

BOOST_AUTO_TEST_CASE(a_host_crashes) {
  check_loss_of_a_host(&Hosts::crash);
}

BOOST_AUTO_TEST_CASE(a_host_is_switched_off) {
  check_loss_of_a_host(&Hosts::switch_off);
}

BOOST_AUTO_TEST_CASE(a_host_is_cut_off_and_comes_back) {
  const Site site;
  Command command(site.train_on_hosts({"--epochs", "600"}), site.path(), site.with_hosts());
  command.read_until(is_under_way);
  const auto both = [&](const std::string& kind, int times) {
    return [&site, kind, times](const std::string&) {
      const std::vector<json> events = site.events();
      return count(events, kind, 6) >= times && count(events, kind, 7) >= times;
    };
  };
  site.hosts.cut("south");
  command.read_until(both("member_lost", 1));
  site.hosts.heal("south");
  command.read_until(both("member_joined", 2));  // once at the start
  const std::vector<json> events = site.events();
  site.check_whole(command.wait());
  BOOST_TEST(site.work_of_the_last(fmt::format("step >= {}", step_of(events, "member_joined", 6))) >
             0);
}

BOOST_AUTO_TEST_CASE(the_coordinator_dies) {
  const Site site;
  Command command(site.train_on_hosts({"--epochs", "200", "--snapshot-every", "20"}), site.path(),
                  site.with_hosts());
  command.read_until(is_under_way);
  ::kill(site.find_rank(0), SIGKILL);
  const Ended ended = command.wait();
  BOOST_TEST(contains(ended.error, "restarting from step "), ended.error);
  site.check_whole(ended);
  const json report = site.audit();
  BOOST_TEST(report.at("attempts").get<int>() == 2);
  // What had to be done again is told apart, and whoever did it.
  std::uint64_t redone = 0;
  for (const json& volunteer : report.at("volunteers")) {
    redone += volunteer.at("redone_batches").get<std::uint64_t>();
  }
  BOOST_TEST(redone == report.at("superseded_batches").get<std::uint64_t>());
  BOOST_TEST(report.at("superseded_batches") == 4 * report.at("superseded_steps").get<int>());
}

}  // namespace

int main(int argc, char** argv) {
  const std::string obstacle = Hosts::obstacle();
  if (!obstacle.empty()) {
    fmt::print("skipped: {}\n", obstacle);
    return 77;
  }
  return boost::unit_test::unit_test_main(&init_unit_test, argc, argv);
}
