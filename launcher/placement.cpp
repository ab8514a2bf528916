#include "placement.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>

#include <daig/core/error.hpp>

namespace daig::launcher {

int room_on(const std::vector<Host>& hosts) {
  std::int64_t room = 0;
  for (const Host& host : hosts) room += host.slots;
  return static_cast<int>(std::min<std::int64_t>(room, std::numeric_limits<int>::max()));
}

std::vector<Host> place_ranks(const std::vector<Host>& hosts, int ranks) {
  expects(!hosts.empty() && ranks > 0, "a host and a rank");
  std::vector<Host> placed;
  for (const Host& host : hosts) {
    if (ranks == 0) break;
    placed.push_back({host.name, std::min(host.slots, ranks)});
    ranks -= placed.back().slots;
  }
  const int each = ranks / static_cast<int>(placed.size());
  const int more = ranks % static_cast<int>(placed.size());
  for (int i = 0; Host & host : placed) host.slots += each + (i++ < more ? 1 : 0);
  return placed;
}

}  // namespace daig::launcher
