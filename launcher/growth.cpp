#include "growth.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include <daig/core/error.hpp>

namespace daig::launcher {
namespace {

using namespace std::chrono_literals;

Duration pause_after(int failures) {
  constexpr Duration longest = 30s;
  Duration pause = 1s;
  for (int i = 1; i < failures && pause < longest; ++i) pause *= 2;
  return std::min(pause, longest);
}

std::string ranks_text(std::size_t count) {
  return fmt::format("{} rank{}", count, count == 1 ? "" : "s");
}

}  // namespace

Growth::Growth(const std::vector<Host>& listed, const std::vector<Host>& founders,
               GrowthLimits limits, TimePoint now)
    : limits_(limits) {
  expects(!listed.empty() && !founders.empty(), "this machine, and rank 0 on it");
  for (const Host& host : listed) {
    places_.push_back({.name = host.name, .slots = host.slots, .not_before = now});
  }
  for (const Host& host : founders) {
    const auto place = std::ranges::find(places_, host.name, &Place::name);
    expects(place != places_.end(), "founders on hosts that are listed");
    const int beyond = place->slots - host.slots;
    place->spare = std::min(beyond, 0);
    const auto index = static_cast<std::size_t>(place - places_.begin());
    for (int i = 0; i < host.slots; ++i) {
      ranks_.push_back({.rank = next_rank_++, .place = index, .founder = true, .since = now});
    }
  }
  if (limits.spare == GrowthLimits::SpareSlots::taken) return;
  for (std::size_t i = 0; i < places_.size(); ++i) {
    places_[i].spare = places_[i].slots - count(i, false);
  }
}

void Growth::hear_list(const std::vector<Host>& listed, TimePoint now) {
  expects(!listed.empty(), "this machine at least");
  for (std::size_t i = 1; i < places_.size(); ++i) {
    const auto still = std::find_if(listed.begin() + 1, listed.end(),
                                    [&](const Host& host) { return host.name == places_[i].name; });
    if (still == listed.end()) list(places_[i], 0, now);
  }
  list(places_.front(), listed.front().slots, now);
  for (auto host = listed.begin() + 1; host != listed.end(); ++host) {
    auto place = std::find_if(places_.begin() + 1, places_.end(),
                              [&](const Place& known) { return known.name == host->name; });
    if (place == places_.end()) place = places_.insert(place, {.name = host->name});
    list(*place, host->slots, now);
  }
}

void Growth::list(Place& place, int slots, TimePoint now) {
  if (slots > place.slots) {
    place.failures = 0;
    place.not_before = place.failing_until = now;
  } else if (place.spare > 0) {
    place.spare = std::max(0, place.spare - (place.slots - slots));
  }
  if (slots == 0) place.spare = 0;
  place.slots = slots;
}

void Growth::hear_lost(int rank, TimePoint now) {
  Member* member = find(rank);
  if (member == nullptr || rank == 0) return;
  if (member->leaves) {
    if (member->founder) remove(rank);  // it has left; a newcomer's end is told by its process
    return;
  }
  // It may stand still only, and is told to leave before another one takes its slot.
  orders_for(orders_.leave, member->place).ranks.push_back(rank);
  const std::string sequel = fail(*member, now);
  ask_to_leave(*member, places_[member->place].not_before);
  orders_.remarks.push_back(
      fmt::format("host {}: rank {} was lost{}", places_[member->place].name, rank, sequel));
}

void Growth::hear_ended(int rank, int exit_code, TimePoint now) {
  const Member* member = find(rank);
  if (member == nullptr || member->founder) return;
  Place& place = places_[member->place];
  if (!member->leaves && exit_code == 0) {
    if (place.slots > 0) ++place.spare;
    orders_.remarks.push_back(fmt::format("host {}: rank {} has left", place.name, rank));
  } else if (!member->leaves) {
    const std::string sequel = fail(*member, now);
    orders_.remarks.push_back(fmt::format("host {}: rank {} ended with exit code {}{}", place.name,
                                          rank, exit_code, sequel));
  }
  remove(rank);
}

std::string Growth::fail(const Member& member, TimePoint now) {
  Place& place = places_[member.place];
  if (now >= place.failing_until) {
    if (now - member.since >= proven_after) place.failures = 0;
    ++place.failures;
    place.failing_until = place.not_before = now + pause_after(place.failures);
  }
  if (place.slots == 0) return {};
  if (is_given_up(place)) {
    return fmt::format("; the host is given up after {} failures, until it is listed anew",
                       place.failures);
  }
  return fmt::format("; its slot is free in {:.0f} s", seconds(place.not_before - now));
}

GrowthOrders Growth::decide(TimePoint now) {
  std::erase_if(ranks_, [&](const Member& member) {
    return member.founder && member.leaves && member.held_until <= now;
  });
  shrink(now);
  grow(now);
  return std::exchange(orders_, {});
}

void Growth::shrink(TimePoint now) {
  for (std::size_t i = 0; i < places_.size(); ++i) {
    const int too_many = count(i, false) - capacity(i);
    if (too_many <= 0) continue;
    int left = too_many;
    for (auto member = ranks_.rbegin(); left > 0 && member != ranks_.rend(); ++member) {
      if (member->place != i || member->leaves || member->rank == 0) continue;
      orders_for(orders_.leave, i).ranks.push_back(member->rank);
      ask_to_leave(*member, now + hold_for_founder);
      --left;
    }
    orders_.remarks.push_back(
        places_[i].slots == 0
            ? fmt::format("host {} is gone from the list: its ranks leave", places_[i].name)
            : fmt::format("host {} has fewer slots: {} leave{}", places_[i].name,
                          ranks_text(static_cast<std::size_t>(too_many)),
                          too_many == 1 ? "s" : ""));
  }
}

void Growth::grow(TimePoint now) {
  int room = limits_.most_ranks.value_or(std::numeric_limits<int>::max()) - size();
  for (std::size_t i = 0; i < places_.size(); ++i) {
    Place& place = places_[i];
    const int free = capacity(i) - count(i, false) - count(i, true);
    const int joining = std::min({free, room, most_together});
    if (joining <= 0 || now < place.not_before || is_given_up(place)) continue;
    HostRanks& orders = orders_for(orders_.join, i);
    for (int k = 0; k < joining; ++k) {
      orders.ranks.push_back(next_rank_);
      ranks_.push_back({.rank = next_rank_++, .place = i, .since = now});
    }
    room -= joining;
    place.not_before = now + 1s;
    orders_.remarks.push_back(fmt::format("host {}: {} join{}", place.name,
                                          ranks_text(orders.ranks.size()),
                                          joining == 1 ? "s" : ""));
  }
}

int Growth::capacity(std::size_t place) const {
  const int usable = places_[place].slots - places_[place].spare;
  return std::max(usable, place == 0 ? 1 : 0);
}

int Growth::count(std::size_t place, bool leaving) const {
  return static_cast<int>(std::ranges::count_if(ranks_, [&](const Member& member) {
    return member.place == place && member.leaves == leaving;
  }));
}

Growth::Member* Growth::find(int rank) {
  const auto member = std::ranges::find(ranks_, rank, &Member::rank);
  return member == ranks_.end() ? nullptr : &*member;
}

void Growth::remove(int rank) {
  std::erase_if(ranks_, [&](const Member& member) { return member.rank == rank; });
}

void Growth::ask_to_leave(Member& member, TimePoint until) {
  member.leaves = true;
  member.held_until = until;
}

HostRanks& Growth::orders_for(std::vector<HostRanks>& all, std::size_t place) const {
  const std::string& name = places_[place].name;
  const bool here = place == 0;
  for (HostRanks& orders : all) {
    if (orders.here == here && orders.host == name) return orders;
  }
  all.push_back({name, here, {}});
  return all.back();
}

}  // namespace daig::launcher
