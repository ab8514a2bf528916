#pragma once

/// Which hosts a job may use, while it runs: a file that may change, or a command that is asked
/// again and again.

#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <sys/types.h>

#include <daig/core/deadline.hpp>
#include <daig/core/file_descriptor.hpp>

#include "hostfile.hpp"

namespace daig::launcher {

/// Where the list comes from: one of the two.
struct HostListSource {
  std::filesystem::path file{};
  std::string command{};                         ///< for a shell; prints what a hostfile holds
  Duration every = std::chrono::seconds(5);      ///< from the command's end to its next start
  Duration patience = std::chrono::seconds(30);  ///< then the command hangs, and is killed

  bool empty() const { return file.empty() && command.empty(); }
};

/// Keeps the last list that was good. A list that cannot be had or understood is no list: that is
/// said on stderr, once for each kind of trouble until there is a good one again.
class HostListWatch {
 public:
  /// @param source  not empty
  explicit HostListWatch(HostListSource source);
  HostListWatch(const HostListWatch&) = delete;
  HostListWatch& operator=(const HostListWatch&) = delete;
  HostListWatch(HostListWatch&&) = delete;
  HostListWatch& operator=(HostListWatch&&) = delete;
  /// Kills a command that is under way.
  ~HostListWatch();

  /// Reads the file at once; a command is left to check().
  /// @throws InputError when the file is no list.
  void read_file();

  /// Looks whether there is something new; starts the command when it is time. Waits for nothing,
  /// costs a look at a small file at most. Call it at least once a second. A changed file is
  /// believed when it was the same at two looks, half a second apart: somebody may be writing it.
  void check();

  /// The last good list, this machine first; nothing before there was one.
  const std::optional<std::vector<Host>>& list() const { return list_; }

 private:
  /// A command under way.
  struct Run {
    pid_t process = 0;
    FileDescriptor out;
    FileDescriptor error;
    std::string text;
    std::string complaints;
    Deadline by = Deadline::at(TimePoint::max());
  };

  void check_file();
  void check_command();
  void start_command();
  void finish_command(int exit_code, bool hung);
  void take(const std::string& text);
  void complain_once(const std::string& kind, const std::string& text);

  HostListSource source_;
  std::optional<std::vector<Host>> list_;
  std::string taken_text_;  ///< of the file
  std::string seen_text_;   ///< at the last look
  TimePoint next_look_ = TimePoint::min();
  std::optional<Run> run_;
  std::set<std::string> complained_;
};

}  // namespace daig::launcher
