#pragma once

/// The processes of the ranks that have joined a job, as the launcher holds them: `daig join`, here
/// or through the remote shell, one for each rank.

#include <map>
#include <string>
#include <vector>

#include <sys/types.h>

#include <daig/core/deadline.hpp>
#include <daig/core/file_descriptor.hpp>

#include "join.hpp"

namespace daig::launcher {

/// A newcomer's end.
struct NewcomerEnd {
  int rank = 0;
  int exit_code = 0;  ///< the program's, or the remote shell's
};

class Newcomers {
 public:
  /// @param blocked  signals that a child begins with
  /// @param job_id   for `reap`, which ends what is left of them here
  Newcomers(const sigset_t& blocked, std::string job_id);
  Newcomers(const Newcomers&) = delete;
  Newcomers& operator=(const Newcomers&) = delete;
  Newcomers(Newcomers&&) = delete;
  Newcomers& operator=(Newcomers&&) = delete;
  /// Ends by force what is left of them.
  ~Newcomers();

  /// Starts a rank on this machine. @throws IoError when it cannot be.
  void start_here(int rank, const JoinOrder& order);
  /// Starts a rank on a host, through the remote shell. @throws IoError when it cannot be.
  void start_on(const std::string& host, int rank, const JoinOrder& order);

  /// Asks a rank to leave; it is told to end when it has not within the grace. Nothing when there
  /// is none such.
  void ask_to_leave(int rank, Duration grace);
  void say_to_all(char word);
  /// Tells all to end: politely; they are killed when they have not in 10 s.
  void end_all();
  /// Kills all, as far as they can be reached.
  void kill_all();

  /// Does what is due, and returns who has ended since. Does not wait. Call it often.
  std::vector<NewcomerEnd> check();

  bool empty() const { return processes_.empty(); }
  /// Whether one was killed, or its remote shell failed: something may be left of it.
  bool left_doubtful() const { return left_doubtful_; }

 private:
  struct Process {
    pid_t number = 0;
    FileDescriptor voice;  ///< its stdin
    Deadline end_at = Deadline::at(TimePoint::max());
    Deadline kill_at = Deadline::at(TimePoint::max());
  };

  void start(int rank, const std::vector<std::string>& words, const JoinOrder& order);
  static void say(const Process& process, char word);
  static void end(Process& process);
  void kill(Process& process);

  sigset_t blocked_;
  std::string job_id_;
  std::map<int, Process> processes_;  ///< by rank
  bool left_doubtful_ = false;
};

}  // namespace daig::launcher
