#pragma once

/// Short commands on other hosts that nobody waits for.

#include <string>
#include <vector>

#include <sys/types.h>

#include <daig/core/deadline.hpp>

namespace daig::launcher {

/// Each command has ten seconds; a host that does not answer is passed over.
class Errands {
 public:
  Errands() = default;
  Errands(const Errands&) = delete;
  Errands& operator=(const Errands&) = delete;
  Errands(Errands&&) = delete;
  Errands& operator=(Errands&&) = delete;
  /// Ends those that are under way.
  ~Errands();

  /// Starts a command on a host, through the remote shell. @throws IoError when it cannot be.
  void run(const std::string& host, const std::vector<std::string>& command);
  /// Looks after those that have ended, or have had their time. Does not wait.
  void check();

 private:
  struct Errand {
    pid_t shell;
    Deadline deadline;
  };
  std::vector<Errand> under_way_;
};

}  // namespace daig::launcher
