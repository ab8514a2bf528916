#pragma once

/// Lets an attempt at a job grow and shrink: carries out what Growth decides.

#include <filesystem>
#include <string>
#include <vector>

#include "door.hpp"
#include "errands.hpp"
#include "growth.hpp"
#include "host_list_watch.hpp"
#include "newcomers.hpp"

namespace daig::launcher {

/// What an attempt has to grow with.
struct GrowthSupply {
  HostListWatch& watch;
  GrowthLimits limits;
  std::vector<Host> listed;  ///< what the attempt was started on; this machine first
};

/// The attempt that grows.
struct GrowingAttempt {
  std::string job_id;
  std::string key;             ///< the secret
  std::filesystem::path door;  ///< named to rank 0
  std::vector<Host> founders;  ///< where the first ranks are
  JoinOrder order;             ///< what every newcomer is started with, beside its own variables
  Duration grace{};            ///< for those who are asked to leave
};

class GrowingJob {
 public:
  /// @param blocked  signals that a child begins with
  GrowingJob(const GrowthSupply& supply, GrowingAttempt attempt, const sigset_t& blocked);

  /// Looks at the list, the door and the newcomers, and does what is to be done. Waits for nothing.
  /// Call it at least once a second. Nobody is started or asked to leave while the door is shut.
  void check();

  /// From now on nobody joins, and the newcomers are left to end.
  void stop_growing() { grows_ = false; }
  /// SIGUSR1 for the newcomers.
  void pass_on_usr1() { newcomers_.say_to_all(usr1_word); }
  void end_all() { newcomers_.end_all(); }
  void kill_all() { newcomers_.kill_all(); }

  bool has_newcomers() const { return !newcomers_.empty(); }
  /// Whether rank 0 has ever opened its door.
  bool was_open() const { return was_open_; }
  /// Whether something of a newcomer may be left.
  bool left_doubtful() const { return newcomers_.left_doubtful(); }
  /// The other hosts on which newcomers were started.
  const std::vector<Host>& used_hosts() const { return used_hosts_; }

 private:
  void carry_out(const GrowthOrders& orders, const std::string& addresses);
  void start(const HostRanks& ranks, const std::string& addresses);
  void ask_to_leave(const HostRanks& ranks);

  GrowthSupply supply_;
  GrowingAttempt attempt_;
  int founders_ = 0;
  DoorWatch door_;
  Growth growth_;
  std::vector<Host> heard_;  ///< the list that Growth knows
  Newcomers newcomers_;
  std::vector<Host> used_hosts_;
  Errands errands_;
  bool grows_ = true;
  bool was_open_ = false;
};

}  // namespace daig::launcher
