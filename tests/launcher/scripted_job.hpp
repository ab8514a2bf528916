#pragma once

/// Jobs whose ranks are shell scripts, for `daig run`.

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <sys/stat.h>

#include "launcher/command.hpp"
#include "support/temporary_folder.hpp"

namespace daig::test {

inline Words operator+(Words left, const Words& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != text.npos;
}

inline int count(const std::string& text, const std::string& part) {
  int found = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != text.npos; at += part.size()) ++found;
  return found;
}

/// Functions for the ranks' scripts, and a name for what is often asked.
inline const std::string prologue = R"(
rank=${DAIG_RANK:-$OMPI_COMM_WORLD_RANK}
wait_for() { until test -e $1; do sleep 0.05; done; }
wait_for_end_of() { while kill -0 $1 2>/dev/null; do sleep 0.05; done; }
lives() { grep -q '^State:.*[^Z] (' /proc/$1/status 2>/dev/null; }  # a zombie does not
sleep_on() { while :; do sleep 0.05; done; }
)";

/// A folder with a script that the ranks run.
struct ScriptedJob {
  /// A job of three ranks.
  Words job(const Words& options, const std::string& script) const {
    std::ofstream(folder / "script") << prologue << script;
    return Words{DAIG_COMMAND, "run", "-n", "3"} + options + Words{"--", "sh", "script"};
  }
  Ended run_job(const Words& options, const std::string& script) const {
    return run(job(options, script), folder.path());
  }
  std::string text(const std::string& name) const {
    std::ifstream file(folder / name);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  /// Whether a process that wrote its number into this file is no more.
  bool is_gone(const std::string& name) const {
    const pid_t process = std::atoi(text(name).c_str());
    BOOST_REQUIRE(process > 1);
    return ::kill(process, 0) != 0 || is_zombie(process);
  }
  static bool is_zombie(pid_t process) {
    std::ifstream file("/proc/" + std::to_string(process) + "/stat");
    const std::string stat{std::istreambuf_iterator<char>(file), {}};
    const auto name_end = stat.rfind(')');
    return name_end != stat.npos && stat.compare(name_end, 4, ") Z ") == 0;
  }

  TemporaryFolder folder;
};

/// Two hosts on one machine: the remote shell is a script that stays here.
struct TwoHosts : ScriptedJob {
  TwoHosts() {
    std::ofstream(folder / "hosts") << "localhost:1\nnodea:2\n";
    std::ofstream(folder / "shell") << R"(#!/bin/sh
host=$1
shift
echo "$host $*" >> shells
echo $PPID >> starters
sh -c "$*"
)";
    ::chmod((folder / "shell").c_str(), 0755);
  }
  std::vector<std::pair<std::string, std::string>> environment() const {
    return {{"OMPI_MCA_plm_rsh_agent", (folder / "shell").string()}};
  }
  Ended run_on_hosts(const Words& options, const std::string& script) const {
    return Command(job(Words{"--hostfile", "hosts"} + options, script), folder.path(),
                   environment())
        .wait();
  }
};

}  // namespace daig::test
