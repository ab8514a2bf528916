#include "supervisor.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <string_view>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <daig/core/error.hpp>

#include "rank_0.hpp"
#include "system.hpp"

namespace daig::launcher {
namespace {

using namespace std::chrono_literals;

/// Signals come as bytes to read instead of interrupting, for as long as this lives.
class SignalWatch {
 public:
  SignalWatch() {
    sigset_t wanted;
    sigemptyset(&wanted);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGCHLD}) sigaddset(&wanted, signal);
    sigprocmask(SIG_BLOCK, &wanted, &before_);
    arrivals_ = FileDescriptor(
        checked(::signalfd(-1, &wanted, SFD_NONBLOCK | SFD_CLOEXEC), "cannot watch signals"));
  }
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;
  SignalWatch(SignalWatch&&) = delete;
  SignalWatch& operator=(SignalWatch&&) = delete;
  ~SignalWatch() { sigprocmask(SIG_SETMASK, &before_, nullptr); }

  int descriptor() const { return arrivals_.get(); }
  const sigset_t& before() const { return before_; }
  std::optional<signalfd_siginfo> next() const {
    signalfd_siginfo arrived{};
    if (::read(arrivals_.get(), &arrived, sizeof arrived) != sizeof arrived) return std::nullopt;
    return arrived;
  }

 private:
  sigset_t before_{};
  FileDescriptor arrivals_;
};

void write_all(std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(STDERR_FILENO, text.data(), text.size());
    if (written <= 0) return;  // there is nowhere to say it
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

/// Passes a pipe's lines on to stderr, less the harmless ones.
class LineRelay {
 public:
  /// Takes what there is.
  void relay(int descriptor) {
    std::array<char, 4096> piece{};
    for (ssize_t count; (count = ::read(descriptor, piece.data(), piece.size())) > 0;) {
      pending_.append(piece.data(), static_cast<std::size_t>(count));
    }
    while (true) {
      const std::size_t end = pending_.find('\n');
      if (end == std::string::npos) return;
      const std::string_view line(pending_.data(), end + 1);
      if (!is_harmless(line)) write_all(line);
      pending_.erase(0, end + 1);
    }
  }
  /// Passes on a line that has not ended, too.
  void flush() {
    write_all(pending_);
    pending_.clear();
  }

 private:
  std::string pending_;
};

pid_t start(const std::vector<std::string>& line, const sigset_t& signals, int error_pipe,
            bool reads_input) {
  const std::vector<char*> arguments = argument_list(line);
  const pid_t self = ::getpid();
  const pid_t child = checked(::fork(), "cannot start mpirun");
  if (child != 0) return child;
  sigprocmask(SIG_SETMASK, &signals, nullptr);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);  // mpirun ends its ranks on SIGTERM
  if (::getppid() != self) std::_Exit(127);
  if (!reads_input) {
    const int nothing = ::open("/dev/null", O_RDONLY);
    ::dup2(nothing, STDIN_FILENO);
  }
  ::dup2(error_pipe, STDERR_FILENO);
  execute(arguments);
  std::_Exit(127);
}

/// Ends a process that does not end by itself: first politely.
class Ending {
 public:
  explicit Ending(pid_t process) : process_(process) {}

  void within(Duration grace) { by_ = std::min(by_, Deadline::in(grace)); }
  void check() {
    if (!by_.expired()) return;
    ::kill(process_, asked_ ? SIGKILL : SIGTERM);
    asked_ = true;
    by_ = Deadline::in(10s);
  }
  /// For poll: until the next thing to do, at most a second.
  int timeout_ms() const {
    const auto left = std::min<Duration>(by_.remaining(), 1s);
    return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(left).count());
  }

 private:
  pid_t process_;
  Deadline by_ = Deadline::at(TimePoint::max());
  bool asked_ = false;
};

}  // namespace

int JobEnd::exit_code() const {
  if (signal) return 128 + *signal;
  if (rank_0) return *rank_0;
  return mpirun != 0 ? mpirun : static_cast<int>(ExitCode::failure);
}

std::string JobEnd::remark() const {
  if (signal) return {};
  if (rank_0 && *rank_0 > 128 && *rank_0 <= 128 + SIGRTMAX) {
    return fmt::format("rank 0, the coordinator, was ended by signal {}", *rank_0 - 128);
  }
  if (!rank_0) {
    return fmt::format("mpirun ended with exit code {}, and rank 0 never said how it fared",
                       mpirun);
  }
  return {};
}

JobEnd supervise(const Job& job, const Supervision& how) {
  check_program("mpirun", "install Open MPI (Debian: openmpi-bin)");
  const VerdictChannel verdict;
  const SignalWatch signals;
  std::array<int, 2> ends{};
  checked(::pipe2(ends.data(), O_CLOEXEC), "cannot make a pipe");
  const FileDescriptor errors(ends[0]);
  FileDescriptor errors_in(ends[1]);
  checked(::fcntl(errors.get(), F_SETFL, O_NONBLOCK), "cannot read from a pipe");

  Job watched = job;
  const std::string self = std::filesystem::read_symlink("/proc/self/exe").string();
  watched.rank_0_starter = {self, rank_0_command, verdict.path().string(), "--"};
  const pid_t mpirun = start(mpirun_line(watched, ::geteuid() == 0), signals.before(),
                             errors_in.get(), how.reads_input);
  errors_in.close();

  JobEnd end;
  Ending ending(mpirun);
  LineRelay relay;
  std::array<pollfd, 3> sources{{{errors.get(), POLLIN, 0},
                                 {signals.descriptor(), POLLIN, 0},
                                 {verdict.descriptor(), POLLIN, 0}}};
  int status = 0;
  for (bool ended = false; !ended;) {
    ::poll(sources.data(), sources.size(), ending.timeout_ms());
    // Asked first: what mpirun wrote before its end is there to be read after it.
    ended = ::waitpid(mpirun, &status, WNOHANG) == mpirun;
    relay.relay(errors.get());
    if ((sources[0].revents & POLLHUP) != 0) sources[0].fd = -1;  // closed: nothing to wait for
    if (const auto code = verdict.read()) {
      end.rank_0 = *code;
      ending.within(how.grace);
    }
    while (const auto signal = signals.next()) {
      const int number = static_cast<int>(signal->ssi_signo);
      if (number == SIGCHLD) continue;
      // What a terminal sends goes to mpirun as well; a second SIGINT would make it drop all.
      if (!ended && signal->ssi_code <= 0) ::kill(mpirun, number);
      if (number == SIGUSR1) continue;
      end.signal = number;
      ending.within(how.grace);
    }
    if (!ended) ending.check();
  }
  relay.flush();
  end.mpirun = exit_code_of(status);
  return end;
}

}  // namespace daig::launcher
