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
    for (const std::string name : {"here", "east", "west", "south"}) hosts.add(name);
    list(all_hosts);
  }
  /// Writes the hostfile, as a whole.
  void list(const Words& names) const {
    std::ofstream file(path() / "hostfile.new");
    for (const std::string& name : names) file << name << " slots=2\n";
    file.close();
    std::filesystem::rename(path() / "hostfile.new", path() / "hostfile");
  }
  Words train_on_hosts(const Words& more) const {
    Words words = train({"-n", "8", "--hostfile", "hostfile"});
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

  static inline const Words all_hosts{"here", "east", "west", "south"};
  static inline const Words all_but_the_last{"here", "east", "west"};
  Hosts hosts{path()};
};

/// A run that goes on until it has seen what it is to see.
const Words endless{"--epochs", "40000", "--grace", "10"};

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
  for (const json& event : site.member_events()) BOOST_TEST(event.at("event") != "member_lost");
  BOOST_TEST(site.work_of_the_last("1") > 0);
}

void check_loss_of_a_host(void (Hosts::*lose)(const std::string&)) {
  Site site;
  // With a short grace, as mpirun does not end by itself when it has lost a host.
  Command command(site.train_on_hosts({"--epochs", "100", "--grace", "1"}), site.path(),
                  site.with_hosts());
  command.read_until(is_under_way);
  (site.hosts.*lose)("south");
  site.check_whole(command.wait());
  const std::vector<json> events = site.member_events();
  for (const int rank : {6, 7}) BOOST_TEST(count(events, "member_lost", rank) == 1);
}

BOOST_AUTO_TEST_CASE(a_host_crashes) {
  check_loss_of_a_host(&Hosts::crash);
}

BOOST_AUTO_TEST_CASE(a_host_is_switched_off) {
  check_loss_of_a_host(&Hosts::switch_off);
}

/// Who works there when the link is whole again: the ranks that were cut off, which learn that they
/// were expelled, or newcomers in their place; that is a race.
BOOST_AUTO_TEST_CASE(a_host_is_cut_off_and_comes_back) {
  const Site site;
  Command command(site.train_on_hosts(endless), site.path(), site.with_hosts());
  command.read_until(is_under_way);
  site.hosts.cut("south");
  command.read_until([&](const std::string&) {
    const std::vector<json> events = site.member_events();
    return count(events, "member_lost", 6) == 1 && count(events, "member_lost", 7) == 1;
  });
  const std::string after = fmt::format("step > {}", site.member_events().back().at("step").dump());
  BOOST_TEST(site.work_of_the_last(after) == 0);
  site.hosts.heal("south");
  command.read_until([&](const std::string&) { return site.work_of_the_last(after) > 0; });
  site.check_stopped(command);
}

/// The last host is listed while the run goes on, and again it is not: its ranks join, work, and
/// leave.
void check_growth(const Words& where_the_list_is) {
  const Site site;
  site.list(Site::all_but_the_last);
  Words words = site.train(endless);
  words.insert(words.end(), where_the_list_is.begin(), where_the_list_is.end());
  Command command(site.hosts.on("here", words), site.path(), site.with_hosts());
  command.read_until(is_under_way);
  const auto both = [&](const std::string& kind) {
    return [&site, kind](const std::string&) {
      const std::vector<json> events = site.member_events();
      return count(events, kind, 6) == 1 && count(events, kind, 7) == 1;
    };
  };
  site.list(Site::all_hosts);
  command.read_until(both("member_joined"));
  const std::vector<json> events = site.member_events();
  const std::uint64_t joined =
      std::min(step_of(events, "member_joined", 6), step_of(events, "member_joined", 7));
  const std::uint64_t now = steps_in(command.out());
  command.read_until([&](const std::string& out) { return steps_in(out) > now + 100; });
  site.list(Site::all_but_the_last);
  command.read_until(both("member_left"));
  site.check_stopped(command);
  BOOST_TEST(site.work_of_the_last(fmt::format("step >= {}", joined)) > 0);
  BOOST_TEST(site.work_of_the_last(fmt::format("step < {}", joined)) == 0);
  for (const json& event : site.member_events()) BOOST_TEST(event.at("event") != "member_lost");
}

BOOST_AUTO_TEST_CASE(a_host_joins_by_the_hostfile_and_leaves) {
  check_growth({"--hostfile", "hostfile"});
}

BOOST_AUTO_TEST_CASE(a_host_joins_by_discovery_and_leaves) {
  check_growth({"--discover", "cat hostfile", "--discover-every", "0.2"});
}

/// A newcomer is as mortal as a founder; its host may come back.
BOOST_AUTO_TEST_CASE(a_host_that_joined_crashes) {
  Site site;
  site.list(Site::all_but_the_last);
  Words words = site.train(endless);
  words.insert(words.end(), {"--hostfile", "hostfile"});
  Command command(site.hosts.on("here", words), site.path(), site.with_hosts());
  command.read_until(is_under_way);
  site.list(Site::all_hosts);
  const auto have = [&](const std::string& kind) {
    return [&site, kind](const std::string&) {
      const std::vector<json> events = site.member_events();
      return count(events, kind, 6) > 0 && count(events, kind, 7) > 0;
    };
  };
  command.read_until(have("member_joined"));
  site.hosts.crash("south");
  command.read_until(have("member_lost"));
  site.check_stopped(command);
}

BOOST_AUTO_TEST_CASE(the_coordinator_dies) {
  const Site site;
  Command command(
      site.train_on_hosts({"--epochs", "200", "--grace", "1", "--snapshot-every", "20"}),
      site.path(), site.with_hosts());
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
