#include "process.hpp"

#include <chrono>
#include <cstdlib>
#include <filesystem>

#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace daig::launcher {
namespace {

void put(int descriptor, int place) {
  if (descriptor >= 0) ::dup2(descriptor, place);
}

}  // namespace

pid_t spawn(const std::vector<std::string>& words, const Birth& birth) {
  const std::vector<char*> arguments = argument_list(words);
  const pid_t self = ::getpid();
  const pid_t child = checked(::fork(), "cannot start " + words.front());
  if (child != 0) return child;
  sigprocmask(SIG_SETMASK, &birth.blocked, nullptr);
  ::prctl(PR_SET_PDEATHSIG, birth.at_our_end);
  if (::getppid() != self) std::_Exit(127);
  if (birth.own_group) ::setpgid(0, 0);
  put(birth.input, STDIN_FILENO);
  put(birth.output, STDOUT_FILENO);
  put(birth.error, STDERR_FILENO);
  for (const auto& [name, value] : birth.environment) ::setenv(name.c_str(), value.c_str(), 1);
  execute(arguments);
  std::_Exit(127);
}

FileDescriptor watch(pid_t process) {
  return FileDescriptor(static_cast<int>(::syscall(SYS_pidfd_open, process, 0)));
}

void send(const FileDescriptor& process, int signal) {
  ::syscall(SYS_pidfd_send_signal, process.get(), signal, nullptr, 0);
}

bool ends_by(const FileDescriptor& process, Deadline deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline.remaining());
  pollfd source{process.get(), POLLIN, 0};
  return ::poll(&source, 1, static_cast<int>(left.count())) == 1;
}

int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return exit_code_of(status);
}

int exit_code_of(int wait_status) {
  return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

int signal_in(int exit_code) {
  return exit_code > 128 && exit_code <= 128 + SIGRTMAX ? exit_code - 128 : 0;
}

void execute(const std::vector<char*>& arguments) {
  ::execvp(arguments[0], arguments.data());
}

std::vector<char*> argument_list(const std::vector<std::string>& words) {
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  return arguments;
}

std::string own_path() {
  return std::filesystem::read_symlink("/proc/self/exe").string();
}

}  // namespace daig::launcher
