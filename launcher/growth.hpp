#pragma once

/// Who is to join a job that grows, and who is to leave it: decided from what is listed, who runs
/// where, and who was lost. No process and no clock is in here.

#include <optional>
#include <string>
#include <vector>

#include <daig/core/deadline.hpp>

#include "hostfile.hpp"

namespace daig::launcher {

/// Ranks of one host that something is to happen to.
struct HostRanks {
  std::string host;
  bool here = false;  ///< this machine
  std::vector<int> ranks;

  friend bool operator==(const HostRanks&, const HostRanks&) = default;
};

/// How far a job grows.
struct GrowthLimits {
  std::optional<int> most_ranks;  ///< that live at any time
  /// What becomes of slots that the founders left free: taken, or left free for as long as their
  /// host stays listed; slots that are listed later are taken in any case.
  enum class SpareSlots { taken, left } spare = SpareSlots::taken;
};

/// What is to be done now.
struct GrowthOrders {
  std::vector<HostRanks> join;       ///< newcomers to start
  std::vector<HostRanks> leave;      ///< ranks to ask to leave, founders and newcomers
  std::vector<std::string> remarks;  ///< a line each, for a person
};

/// The ranks of an attempt at a job, each on a host, and the slots that are listed.
///
/// Founders have the numbers from 0 on, newcomers those that follow; no number is used twice. Rank
/// 0 always stays. A slot is taken by one rank at a time: by one that was asked to leave until it
/// has ended, as far as that can be known (hold_for_founder). After a start that failed, or a loss,
/// the host has a pause of 1 s, twice as long each time, at most 30 s; it is given up after
/// most_failures, until it is listed anew or with more slots. A newcomer that ends with exit code 0
/// has left, and its slot is not used again while the host stays listed.
class Growth {
 public:
  static constexpr int most_failures = 12;  ///< with all their pauses, about four minutes
  /// So many ranks join on a host at a time, a second apart: what an sshd lets in together.
  static constexpr int most_together = 8;
  /// A founder that was asked to leave and is not heard of: mpirun tells nobody of its end.
  static constexpr Duration hold_for_founder = std::chrono::seconds(30);
  /// A newcomer that lasted so long shows that its host is well.
  static constexpr Duration proven_after = std::chrono::seconds(60);

  /// @param listed    what the job was started on; this machine first
  /// @param founders  where its ranks are: place_ranks of what is listed
  Growth(const std::vector<Host>& listed, const std::vector<Host>& founders, GrowthLimits limits,
         TimePoint now);

  /// What is listed now; this machine first, by whatever name.
  void hear_list(const std::vector<Host>& listed, TimePoint now);
  /// Rank 0 says that this rank was lost, or has left. May come more than once.
  void hear_lost(int rank, TimePoint now);
  /// A newcomer's process has ended.
  void hear_ended(int rank, int exit_code, TimePoint now);

  /// What to do by now; all of it is taken as done.
  GrowthOrders decide(TimePoint now);

  /// How many ranks live, or may: founders that nobody told of, and newcomers that have not ended.
  int size() const { return static_cast<int>(ranks_.size()); }

 private:
  struct Place {
    std::string name;
    int slots = 0;  ///< listed; 0: the host is not
    int spare = 0;  ///< of these, not to be used; below 0, as many ranks beyond the slots
    int failures = 0;
    TimePoint not_before{};     ///< no rank joins
    TimePoint failing_until{};  ///< further failures are part of the last one
  };
  struct Member {
    int rank = 0;
    std::size_t place = 0;
    bool founder = false;
    TimePoint since{};
    bool leaves = false;
    TimePoint held_until{};  ///< of a founder that leaves: then its slot is free
  };

  static bool is_given_up(const Place& place) { return place.failures > most_failures; }
  int capacity(std::size_t place) const;
  int count(std::size_t place, bool leaving) const;
  Member* find(int rank);
  void remove(int rank);
  void list(Place& place, int slots, TimePoint now);
  /// Returns what comes of it for the host, for a person.
  std::string fail(const Member& member, TimePoint now);
  HostRanks& orders_for(std::vector<HostRanks>& all, std::size_t place) const;
  void ask_to_leave(Member& member, TimePoint until);
  void shrink(TimePoint now);
  void grow(TimePoint now);

  GrowthLimits limits_;
  std::vector<Place> places_;  ///< all that were ever listed; this machine first
  std::vector<Member> ranks_;  ///< in the order of their numbers
  int next_rank_ = 0;
  GrowthOrders orders_;  ///< until they are asked for
};

}  // namespace daig::launcher
