#pragma once

/// Hosts on one machine: each has a network and a name of its own, and all hang on one switch.

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include "launcher/command.hpp"
#include "launcher/job_processes.hpp"

namespace daig::test {

/// Namespaces for network and host name, which last as long as the process that holds them open:
/// they need no names in the system, and end with the test, however it ends.
class Namespaces {
 public:
  Namespaces(const std::string& host_name, const std::filesystem::path& folder);

  std::string keeper() const { return std::to_string(keeper_.pid()); }
  /// The words that run a command inside; the process is the command's own.
  Words enter(const Words& words) const;
  /// All processes inside: children before their parents, and the keeper last.
  std::vector<pid_t> processes() const;

 private:
  Command keeper_;
  std::string network_;  ///< the kernel's name for it
};

/// Hosts joined by a switch (a bridge in namespaces of its own), and the remote shell that leads to
/// them: like ssh, it fails when a host crashes, and waits when one is silent. What a process sees
/// in /proc are the processes of all hosts.
class Hosts {
 public:
  /// Why there can be none here; empty when there can.
  static std::string obstacle();

  /// @param folder  where the remote shell finds out which host is where
  explicit Hosts(const std::filesystem::path& folder);

  /// Adds one, whenever it is wanted.
  void add(const std::string& name);
  /// The words that run a command on a host; the process is the command's own.
  Words on(const std::string& name, const Words& words) const { return host(name).enter(words); }
  /// What tells mpirun how to get to the hosts.
  std::pair<std::string, std::string> remote_shell() const {
    return {"OMPI_MCA_plm_rsh_agent", (folder_ / "remote-shell").string()};
  }

  /// Pulls a host's cable, and puts it in again.
  void cut(const std::string& name) const;
  void heal(const std::string& name) const;
  /// All that runs on the host is ended at once: whoever is connected to it sees that.
  void crash(const std::string& name);
  /// The host is gone from one moment to the next: whoever is connected to it sees nothing.
  void switch_off(const std::string& name);

 private:
  const Namespaces& host(const std::string& name) const { return *hosts_.at(name).namespaces; }
  void set_port(const std::string& name, const std::string& state) const;
  void remove(const std::string& name);
  void must(const Words& words) const;

  struct Host {
    std::unique_ptr<Namespaces> namespaces;
    std::string port;  ///< of the switch
  };
  std::filesystem::path folder_;
  Namespaces switch_;
  std::map<std::string, Host> hosts_;
  int added_ = 0;
};

// ---------------------------------------------------------------------------------------------

inline Namespaces::Namespaces(const std::string& host_name, const std::filesystem::path& folder)
    : keeper_(
          {"setpriv", "--pdeathsig", "KILL", "unshare", "--net", "--uts", "sh", "-c",
           "hostname \"$0\" && ip link set lo up && echo ready && exec sleep infinity", host_name},
          folder) {
  keeper_.read_until([](const std::string& out) { return out == "ready\n"; });
  network_ = std::filesystem::read_symlink(fmt::format("/proc/{}/ns/net", keeper()));
}

inline Words Namespaces::enter(const Words& words) const {
  Words line{"nsenter", "--target", keeper(), "--net", "--uts"};
  line.insert(line.end(), words.begin(), words.end());
  return line;
}

inline std::vector<pid_t> Namespaces::processes() const {
  std::vector<pid_t> found = find_processes([&](pid_t process) {
    std::error_code gone;
    return process != keeper_.pid() &&
           std::filesystem::read_symlink(fmt::format("/proc/{}/ns/net", process), gone) == network_;
  });
  std::ranges::sort(found, std::greater());
  found.push_back(keeper_.pid());
  return found;
}

inline std::string Hosts::obstacle() {
  if (::geteuid() != 0) return "network namespaces can be made by root only";
  for (const auto& [program, package] :
       {std::pair("ip", "iproute2"), std::pair("nsenter", "util-linux"),
        std::pair("unshare", "util-linux"), std::pair("setpriv", "util-linux")}) {
    if (std::system(fmt::format("command -v {} > /dev/null", program).c_str()) != 0) {
      return fmt::format("{} is not installed (Debian: {})", program, package);
    }
  }
  const std::string joined =
      "unshare --net sh -c 'ip link add name switch type bridge && ip link add type veth' "
      "> /dev/null 2>&1";
  return std::system(joined.c_str()) == 0 ? "" : "this kernel has no namespaces, bridge or veth";
}

inline Hosts::Hosts(const std::filesystem::path& folder)
    : folder_(folder), switch_("switch", folder) {
  must(switch_.enter({"ip", "link", "add", "name", "bridge", "type", "bridge"}));
  must(switch_.enter({"ip", "link", "set", "bridge", "up"}));
  std::filesystem::create_directory(folder_ / "hosts");
  const std::filesystem::path shell = remote_shell().second;
  std::ofstream(shell) << fmt::format(R"(#!/bin/sh
host={}/$1
shift
await_link() {{
  while test -e $host.cut; do sleep 0.1; done
}}
await_link
keeper=$(cat $host) || exit 255
nsenter --target $keeper --net --uts sh -c "$*"
code=$?
await_link
exit $code
)",
                                      (folder_ / "hosts").string());
  std::filesystem::permissions(shell, std::filesystem::perms::owner_all);
}

inline void Hosts::add(const std::string& name) {
  const int number = ++added_;
  Host host{std::make_unique<Namespaces>(name, folder_), fmt::format("port{}", number)};
  must({"ip", "link", "add", "name", "eth0", "netns", host.namespaces->keeper(), "type", "veth",
        "peer", "name", host.port, "netns", switch_.keeper()});
  must(switch_.enter({"ip", "link", "set", host.port, "master", "bridge", "up"}));
  must(host.namespaces->enter(
      {"ip", "address", "add", fmt::format("10.77.0.{}/24", number), "dev", "eth0"}));
  must(host.namespaces->enter({"ip", "link", "set", "eth0", "up"}));
  std::ofstream(folder_ / "hosts" / name) << host.namespaces->keeper();
  hosts_.emplace(name, std::move(host));
}

inline void Hosts::crash(const std::string& name) {
  std::filesystem::remove(folder_ / "hosts" / name);
  remove(name);
}

inline void Hosts::switch_off(const std::string& name) {
  cut(name);
  remove(name);
}

inline void Hosts::cut(const std::string& name) const {
  std::ofstream(folder_ / "hosts" / (name + ".cut"));
  set_port(name, "down");
}

inline void Hosts::heal(const std::string& name) const {
  set_port(name, "up");
  std::filesystem::remove(folder_ / "hosts" / (name + ".cut"));
}

inline void Hosts::remove(const std::string& name) {
  const auto signal_all = [&lost = host(name)](int number) {
    const std::vector<pid_t> found = lost.processes();
    for (const pid_t process : found) ::kill(process, number);
    return found.size();
  };
  // All stand still before the first one ends: a rank that sees the end of its starter would say
  // that it leaves. Once more for what was started while we looked.
  for (std::size_t before = 0, now = 0; (now = signal_all(SIGSTOP)) != before;) before = now;
  while (signal_all(SIGKILL) > 1) {
  }
  hosts_.erase(name);
}

inline void Hosts::set_port(const std::string& name, const std::string& state) const {
  must(switch_.enter({"ip", "link", "set", hosts_.at(name).port, state}));
}

inline void Hosts::must(const Words& words) const {
  const Ended ended = run(words, folder_);
  if (ended.code == 0) return;
  throw std::runtime_error(fmt::format("{}: {}", fmt::join(words, " "), ended.error));
}

}  // namespace daig::test
