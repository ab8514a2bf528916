#pragma once

/// How rank 0 ended: mpirun --enable-recovery returns 0 whatever happens to the ranks, so that
/// rank 0 is started by `daig` itself, which tells the launcher.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "system.hpp"

namespace daig::launcher {

/// The subcommand that starts rank 0: daig rank-0 CHANNEL -- PROGRAM ...
inline constexpr const char* rank_0_command = "rank-0";

/// Where the launcher hears how rank 0 ended: a named pipe in a folder of its own.
class VerdictChannel {
 public:
  /// @throws IoError when it cannot be made.
  VerdictChannel();
  VerdictChannel(const VerdictChannel&) = delete;
  VerdictChannel& operator=(const VerdictChannel&) = delete;
  VerdictChannel(VerdictChannel&&) = delete;
  VerdictChannel& operator=(VerdictChannel&&) = delete;
  ~VerdictChannel();

  const std::filesystem::path& path() const { return path_; }
  /// Readable once there is a verdict.
  int descriptor() const { return pipe_.get(); }
  /// The exit code of rank 0, 128 + n when signal n killed it; nothing as long as it runs.
  std::optional<int> read() const;

 private:
  std::filesystem::path path_;
  FileDescriptor pipe_;
};

/// Runs the program as a child, waits for it, and writes its verdict into the channel; returns it.
/// Signals are left to the program, which mpirun sends them to as well. The program dies with its
/// starter, and with mpirun; of an end that mpirun's own end has caused there is no verdict.
int run_rank_0(const std::filesystem::path& channel, const std::vector<std::string>& program);

/// A process's exit code from what waitpid says; 128 + n when signal n killed it.
int exit_code_of(int wait_status);

/// Replaces this process by the program; returns only when that fails. Async-signal-safe but for
/// what it is given: call it between fork and the end of the child.
void execute(const std::vector<char*>& arguments);

/// The arguments as execvp wants them; they live as long as the words.
std::vector<char*> argument_list(const std::vector<std::string>& words);

}  // namespace daig::launcher
