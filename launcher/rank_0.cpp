#include "rank_0.hpp"

#include <array>
#include <csignal>
#include <cstdlib>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace daig::launcher {
namespace {

/// Becomes readable when the process ends.
FileDescriptor watch(pid_t process) {
  return FileDescriptor(static_cast<int>(::syscall(SYS_pidfd_open, process, 0)));
}

enum class Watched { ended_by_itself, lost_mpirun };

/// Returns when the child has ended; ends it when mpirun is no more. Without rank 0 the others end
/// themselves.
Watched watch_over(pid_t mpirun, pid_t child) {
  // Not PR_SET_PDEATHSIG, which fires when the *thread* that forked ends: mpirun has several.
  const FileDescriptor above = watch(mpirun);
  const FileDescriptor below = watch(child);
  // A kernel without it: then nobody watches.
  if (above.get() < 0 || below.get() < 0) return Watched::ended_by_itself;
  std::array<pollfd, 2> sources{{{below.get(), POLLIN, 0}, {above.get(), POLLIN, 0}}};
  while (::poll(sources.data(), sources.size(), 60'000) <= 0) {
  }
  if (sources[0].revents != 0) return Watched::ended_by_itself;
  ::kill(child, SIGKILL);
  return Watched::lost_mpirun;
}

}  // namespace

VerdictChannel::VerdictChannel() {
  std::string folder = (std::filesystem::temp_directory_path() / "daig-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) checked(-1, "cannot make the folder " + folder);
  path_ = std::filesystem::path(folder) / "verdict";
  try {
    checked(::mkfifo(path_.c_str(), 0600), "cannot make the pipe " + path_.string());
    // Open for writing as well, so that the pipe does not end when a writer closes it.
    pipe_ = FileDescriptor(checked(::open(path_.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC),
                                   "cannot open the pipe " + path_.string()));
  } catch (...) {
    std::error_code ignored;
    std::filesystem::remove_all(path_.parent_path(), ignored);
    throw;
  }
}

VerdictChannel::~VerdictChannel() {
  std::error_code ignored;
  std::filesystem::remove_all(path_.parent_path(), ignored);
}

std::optional<int> VerdictChannel::read() const {
  std::int32_t code = 0;
  if (::read(pipe_.get(), &code, sizeof code) != sizeof code) return std::nullopt;
  return code;
}

int run_rank_0(const std::filesystem::path& channel, const std::vector<std::string>& program) {
  const std::vector<char*> arguments = argument_list(program);
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, &before);
  const pid_t self = ::getpid();
  const pid_t mpirun = ::getppid();
  const pid_t child = checked(::fork(), "cannot start rank 0");
  if (child == 0) {
    sigprocmask(SIG_SETMASK, &before, nullptr);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != self) std::_Exit(127);
    execute(arguments);
    std::_Exit(127);
  }
  const Watched watched = watch_over(mpirun, child);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  const std::int32_t verdict = exit_code_of(status);
  if (watched == Watched::lost_mpirun) return verdict;  // our deed, and mpirun's end is the news
  const FileDescriptor pipe(::open(channel.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
  // When the launcher is gone nobody wants the verdict: whether it was written is not looked at.
  [[maybe_unused]] const auto written = ::write(pipe.get(), &verdict, sizeof verdict);
  return verdict;
}

int exit_code_of(int wait_status) {
  return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
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

}  // namespace daig::launcher
