#include "await_hosts.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>

#include <fmt/format.h>

#include <daig/core/error.hpp>

#include "outcome.hpp"
#include "placement.hpp"
#include "remote_shell.hpp"

namespace daig::launcher {
namespace {

using namespace std::chrono_literals;

void say_who_is_left_out(const std::vector<Host>& listed, const std::vector<Host>& there) {
  for (const Host& host : listed) {
    if (std::ranges::find(there, host) != there.end()) continue;
    note(fmt::format("host {} cannot be reached: the job starts without it", host.name));
  }
}

/// Nothing when there is too little room.
std::optional<StartingHosts> choose(const std::vector<Host>& hosts, const Elasticity& elasticity,
                                    bool some_left_out) {
  const int room = room_on(hosts);
  if (room < elasticity.min_ranks.value_or(1)) return std::nullopt;
  int ranks = elasticity.ranks_to_start(room);
  // Those that were to be on hosts which are gone are not crowded onto the others.
  if (some_left_out) ranks = std::min(ranks, room);
  if (ranks < elasticity.least) return std::nullopt;
  return StartingHosts{hosts, place_ranks(hosts, ranks)};
}

}  // namespace

std::variant<StartingHosts, int> await_hosts(HostListWatch& watch, const Elasticity& elasticity,
                                             Unreachable unreachable, const SignalWatch& signals) {
  const Deadline deadline = Deadline::in(elasticity.wait_limit());
  watch.read_file();
  bool said = false;
  std::optional<std::vector<Host>> refused;
  int room = 0;  // on those of them that answer
  TimePoint ask_again = TimePoint::min();
  while (true) {
    watch.check();
    if (watch.list() && (watch.list() != refused || Clock::now() >= ask_again)) {
      const std::vector<Host>& listed = *watch.list();
      const std::vector<Host> hosts =
          unreachable == Unreachable::left_out ? reachable(listed, 5s) : listed;
      if (auto start = choose(hosts, elasticity, hosts.size() < listed.size())) {
        say_who_is_left_out(listed, hosts);
        return *std::move(start);
      }
      refused = listed;
      room = room_on(hosts);
      ask_again = Clock::now() + 5s;  // a host that did not answer may come up
    }
    const std::string lack =
        refused ? fmt::format("there is room for {} rank{}, and at least {} are to start", room,
                              room == 1 ? "" : "s",
                              std::max(elasticity.min_ranks.value_or(1), elasticity.least))
                : std::string("there is no list of hosts yet");
    if (deadline.expired()) {
      throw DeadlineExceeded(fmt::format("{}; it stayed so for {:.0f} s (--wait-limit)", lack,
                                         seconds(elasticity.wait_limit())));
    }
    if (!said && refused) note(lack + "; waiting");
    said = said || refused;
    if (const auto signal = signals.pause(100ms)) return *signal;
  }
}

}  // namespace daig::launcher
