#include "rank_0.hpp"

#include <array>
#include <csignal>
#include <cstdlib>
#include <system_error>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "process.hpp"

namespace daig::launcher {
namespace {

void tell(const std::filesystem::path& channel, const RankZeroNews& news) {
  const FileDescriptor pipe(::open(channel.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
  // When the launcher is gone nobody wants the news: whether it was written is not looked at.
  [[maybe_unused]] const auto written = ::write(pipe.get(), &news, sizeof news);
}

/// Waits for a child's end and leaves it its number: until wait_for, no other process can get it.
int exit_code_of_ended(pid_t child) {
  siginfo_t end{};
  while (::waitid(P_PID, static_cast<id_t>(child), &end, WEXITED | WNOWAIT) < 0 && errno == EINTR) {
  }
  return end.si_code == CLD_EXITED ? end.si_status : 128 + end.si_status;
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

RankZeroChannel::RankZeroChannel() {
  std::string folder = (std::filesystem::temp_directory_path() / "daig-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) checked(-1, "cannot make the folder " + folder);
  path_ = std::filesystem::path(folder) / "rank-0";
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

RankZeroChannel::~RankZeroChannel() {
  std::error_code ignored;
  std::filesystem::remove_all(path_.parent_path(), ignored);
}

std::optional<RankZeroNews> RankZeroChannel::read() const {
  RankZeroNews news;
  if (::read(pipe_.get(), &news, sizeof news) != sizeof news) return std::nullopt;
  return news;
}

void tell_up() {
  if (const char* channel = std::getenv(channel_variable)) {
    tell(channel, {RankZeroNews::What::up, 0});
  }
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
    // Told by the child, so that nothing of the program is seen before the launcher knows of it.
    tell(channel, {RankZeroNews::What::started, ::getpid()});
    ::setenv(channel_variable, channel.c_str(), 1);
    execute(arguments);
    std::_Exit(127);
  }
  const Watched watched = watch_over(mpirun, child);
  const int code = exit_code_of_ended(child);
  // An end that is our own deed is no news: mpirun's is.
  if (watched == Watched::ended_by_itself) tell(channel, {RankZeroNews::What::ended, code});
  return wait_for(child);
}

}  // namespace daig::launcher
