#pragma once

/// The processes of a job, found in /proc by what their environment holds.

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <daig/core/deadline.hpp>

namespace daig::test {

inline std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// All processes of this machine that the function is content with; zombies are none.
inline std::vector<pid_t> find_processes(const std::function<bool(pid_t)>& content);

/// Whether the process was started with this variable, written NAME=VALUE, in its environment.
inline bool has_variable(pid_t process, const std::string& variable);

/// The program itself that is this rank of the MPI job whose processes have the variable; not its
/// starter. @throws std::runtime_error when there is none.
inline pid_t find_rank_of(const std::string& variable, int rank);

/// A process, and never another one that gets its number later. One that is gone already is no
/// error.
class Process {
 public:
  explicit Process(pid_t number)
      : handle_(static_cast<int>(::syscall(SYS_pidfd_open, number, 0))) {}
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  Process(Process&& other) noexcept : handle_(std::exchange(other.handle_, -1)) {}
  Process& operator=(Process&&) = delete;
  ~Process() {
    if (handle_ >= 0) ::close(handle_);
  }

  /// Nothing happens when it is gone.
  void signal(int number) const { ::syscall(SYS_pidfd_send_signal, handle_, number, nullptr, 0); }
  /// Waits until it is gone; false when it does not go.
  bool has_gone() const {
    if (handle_ < 0) return true;
    pollfd source{handle_, POLLIN, 0};
    return ::poll(&source, 1, 60'000) == 1;
  }

 private:
  int handle_;
};

// ---------------------------------------------------------------------------------------------

inline std::vector<pid_t> find_processes(const std::function<bool(pid_t)>& content) {
  std::vector<pid_t> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const pid_t process = std::atoi(entry.path().filename().c_str());
    if (process > 0 && content(process)) found.push_back(process);
  }
  return found;
}

inline bool has_variable(pid_t process, const std::string& variable) {
  const std::string environment = '\0' + text_of(fmt::format("/proc/{}/environ", process));
  return environment.find('\0' + variable + '\0') != environment.npos;
}

inline pid_t find_rank_of(const std::string& variable, int rank) {
  const auto found = find_processes([&](pid_t process) {
    return has_variable(process, variable) &&
           has_variable(process, fmt::format("OMPI_COMM_WORLD_RANK={}", rank)) &&
           text_of(fmt::format("/proc/{}/cmdline", process)).find("rank-0") == std::string::npos;
  });
  if (found.empty()) throw std::runtime_error(fmt::format("there is no rank {}", rank));
  return found.front();
}

}  // namespace daig::test
