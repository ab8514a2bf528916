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
#include <sys/wait.h>
#include <unistd.h>

#include <daig/core/error.hpp>

#include "process.hpp"
#include "rank_0.hpp"
#include "reap.hpp"
#include "remote_shell.hpp"
#include "stderr_filter.hpp"

namespace daig::launcher {
namespace {

using namespace std::chrono_literals;

void write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(descriptor, text.data(), text.size());
    if (written <= 0) return;  // there is nowhere to say it
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

/// What the others write can be read from the first, without waiting.
struct Pipe {
  Pipe() {
    std::array<int, 2> ends{};
    checked(::pipe2(ends.data(), O_CLOEXEC), "cannot make a pipe");
    out = FileDescriptor(ends[0]);
    in = FileDescriptor(ends[1]);
  }
  FileDescriptor out;
  FileDescriptor in;
};

/// Ends a process that does not end by itself: first politely.
class Ending {
 public:
  void of(pid_t process) { process_ = process; }
  void within(Duration grace) { by_ = std::min(by_, Deadline::in(grace)); }
  void check() {
    if (!by_.expired()) return;
    ::kill(process_, asked_ ? SIGKILL : SIGTERM);
    asked_ = true;
    by_ = Deadline::in(5s);
  }
  bool was_needed() const { return asked_; }
  /// For poll: until the next thing to do, at most a second.
  int timeout_ms() const {
    const auto left = std::min<Duration>(by_.remaining(), 1s);
    return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(left).count());
  }

 private:
  pid_t process_ = 0;
  Deadline by_ = Deadline::at(TimePoint::max());
  bool asked_ = false;
};

/// Gives mpirun the terminal's input, which it cannot read itself: a terminal lets only one process
/// group read, ours, and mpirun has its own so that the terminal's keys do not end it.
class Feeder {
 public:
  Feeder() = default;
  Feeder(const Feeder&) = delete;
  Feeder& operator=(const Feeder&) = delete;
  Feeder(Feeder&&) = delete;
  Feeder& operator=(Feeder&&) = delete;
  ~Feeder() {
    if (process_ <= 0) return;
    ::kill(process_, SIGKILL);
    wait_for(process_);
  }
  void start(const FileDescriptor& to) {
    const pid_t self = ::getpid();
    process_ = checked(::fork(), "cannot read the terminal");
    if (process_ != 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() == self) feed(to.get());
    std::_Exit(0);
  }

 private:
  static void feed(int pipe) {
    std::signal(SIGTTIN, SIG_IGN);  // in the background a read fails instead of stopping us
    std::array<char, 4096> piece{};
    while (true) {
      const ssize_t count = ::read(STDIN_FILENO, piece.data(), piece.size());
      if (count == 0) return;
      if (count > 0) write_all(pipe, {piece.data(), static_cast<std::size_t>(count)});
      if (count < 0) ::poll(nullptr, 0, 1000);
    }
  }

  pid_t process_ = 0;
};

class Attempt {
 public:
  Attempt(const Job& job, const Supervision& how, const SignalWatch& signals)
      : job_(job), how_(how), signals_(signals) {
    checked(::fcntl(errors_.out.get(), F_SETFL, O_NONBLOCK), "cannot read from a pipe");
    job_.environment.emplace_back(job_variable, id_);
    job_.rank_0_starter = {own_path(), rank_0_command, channel_.path().string(), "--"};
    if (job_.hosts.size() > 1) job_.remote_shell = guarded_remote_shell(remote_shell());
    start_mpirun();
  }

  JobEnd see_through() {
    std::array<pollfd, 3> sources{{{errors_.out.get(), POLLIN, 0},
                                   {signals_.descriptor(), POLLIN, 0},
                                   {channel_.descriptor(), POLLIN, 0}}};
    int status = 0;
    for (bool ended = false; !ended;) {
      ::poll(sources.data(), sources.size(), ending_.timeout_ms());
      // Asked first: what was written before mpirun's end is there to be read after it.
      ended = ::waitpid(mpirun_, &status, WNOHANG) == mpirun_;
      hear_rank_0();
      relay_errors();
      if ((sources[0].revents & POLLHUP) != 0) sources[0].fd = -1;  // closed: nothing to wait for
      hear_signals(ended);
      if (!ended) ending_.check();
    }
    write_all(STDERR_FILENO, filter_.rest());
    end_.mpirun = exit_code_of(status);
    end_.lost_host = filter_.lost_host();
    if (ending_.was_needed() || end_.lost_host || WIFSIGNALED(status)) tidy_up();
    return end_;
  }

 private:
  void start_mpirun() {
    const bool feeds = how_.reads_input && ::isatty(STDIN_FILENO) == 1;
    const FileDescriptor nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    Birth birth;
    birth.blocked = signals_.before();
    birth.own_group = true;
    birth.environment = {{job_variable, id_}};  // for mpirun's own helpers
    birth.error = errors_.in.get();
    Pipe input;
    if (feeds) birth.input = input.out.get();
    if (!how_.reads_input) birth.input = nothing.get();
    mpirun_ = spawn(mpirun_line(job_, ::geteuid() == 0), birth);
    ending_.of(mpirun_);
    errors_.in.close();
    input.out.close();
    if (feeds) feeder_.start(input.in);
  }

  void hear_rank_0() {
    while (const auto news = channel_.read()) {
      if (news->what == RankZeroNews::What::started) {
        rank_0_ = news->value;
        end_.rank_0_ran = true;
        filter_.job_runs();
        continue;
      }
      rank_0_ = 0;
      end_.rank_0 = news->value;
      // One that was killed has told the others nothing.
      ending_.within(signal_in(news->value) != 0 ? Duration::zero() : how_.farewell);
    }
  }

  void relay_errors() {
    std::array<char, 4096> piece{};
    for (ssize_t count; (count = ::read(errors_.out.get(), piece.data(), piece.size())) > 0;) {
      write_all(STDERR_FILENO, filter_.take({piece.data(), static_cast<std::size_t>(count)}));
    }
  }

  void hear_signals(bool ended) {
    while (const auto signal = signals_.next()) {
      if (*signal == SIGCHLD) continue;
      if (*signal == SIGUSR1) {
        if (!ended) ::kill(mpirun_, SIGUSR1);
        continue;
      }
      hear_rank_0();  // who sent the signal may have waited for rank 0's first words
      const bool polite = !end_.signal && rank_0_ > 0;
      if (!end_.signal) end_.signal = signal;
      if (polite) ::kill(rank_0_, SIGTERM);
      ending_.within(polite ? how_.grace : Duration::zero());
    }
  }

  void tidy_up() const {
    reap(id_, 2s);
    if (job_.hosts.size() > 1) reap_on({job_.hosts.begin() + 1, job_.hosts.end()}, id_, 5s);
  }

  Job job_;
  const Supervision& how_;
  const SignalWatch& signals_;
  const std::string id_ = fresh_job_id();
  const RankZeroChannel channel_;
  Pipe errors_;
  Feeder feeder_;
  pid_t mpirun_ = 0;
  pid_t rank_0_ = 0;  ///< as long as it runs
  Ending ending_;
  StderrFilter filter_;
  JobEnd end_;
};

}  // namespace

int JobEnd::exit_code() const {
  if (signal) return 128 + *signal;
  if (rank_0) return *rank_0;
  return mpirun != 0 ? mpirun : static_cast<int>(ExitCode::failure);
}

std::string JobEnd::loss() const {
  if (signal) return {};
  if (rank_0) {
    const int killer = signal_in(*rank_0);
    return killer == 0 ? std::string()
                       : fmt::format("the coordinator was ended by signal {}", killer);
  }
  if (const int killer = signal_in(mpirun)) {
    return fmt::format("mpirun was ended by signal {}", killer);
  }
  if (!rank_0_ran) return {};
  return fmt::format("mpirun ended with exit code {}, and the coordinator with it", mpirun);
}

std::string JobEnd::remark() const {
  if (signal) return {};
  if (rank_0 && signal_in(*rank_0) != 0) {
    return fmt::format("rank 0, the coordinator, was ended by signal {}", signal_in(*rank_0));
  }
  if (!rank_0) {
    return fmt::format("mpirun ended with exit code {}, and rank 0 never said how it fared",
                       mpirun);
  }
  return {};
}

JobEnd supervise(const Job& job, const Supervision& how, const SignalWatch& signals) {
  check_program("mpirun", "install Open MPI (Debian: openmpi-bin)");
  return Attempt(job, how, signals).see_through();
}

}  // namespace daig::launcher
