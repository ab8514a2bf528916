#pragma once

/// Processes: how they are started, watched and judged.

#include <csignal>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

#include <daig/core/file_descriptor.hpp>

namespace daig::launcher {

/// How a child begins its life. Descriptors that are -1 stay what they are here.
struct Birth {
  sigset_t blocked{};  ///< signals; none, unless filled
  int input = -1;
  int output = -1;
  int error = -1;
  int at_our_end = SIGTERM;  ///< the signal it gets when the thread that started it ends
  bool own_group = false;    ///< the terminal's keys do not reach it
  std::vector<std::pair<std::string, std::string>> environment = {};  ///< beside ours
};

/// Starts a program as a child, which exits with 127 when there is no such program. No other thread
/// may run. @throws IoError when there can be no more processes.
pid_t spawn(const std::vector<std::string>& words, const Birth& birth);

/// Becomes readable when the process ends, and never means another one that has got its number.
/// Holds -1 when there is no such process, or on a kernel that cannot do it.
FileDescriptor watch(pid_t process);

/// Signals a watched process; nothing happens when it has ended.
void send(const FileDescriptor& process, int signal);

/// Waits for a child's end; returns its exit code.
int wait_for(pid_t child);

/// A process's exit code from what waitpid says; 128 + n when signal n killed it.
int exit_code_of(int wait_status);

/// The signal that an exit code tells of, as shells and exit_code_of write it; 0 for none.
int signal_in(int exit_code);

/// Replaces this process by the program; returns only when that fails. Async-signal-safe but for
/// what it is given: call it between fork and the end of the child.
void execute(const std::vector<char*>& arguments);

/// The arguments as execvp wants them; they live as long as the words.
std::vector<char*> argument_list(const std::vector<std::string>& words);

/// The path of the `daig` command that runs here.
std::string own_path();

}  // namespace daig::launcher
