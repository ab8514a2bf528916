#include "supervisor.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <daig/comm/invitation.hpp>
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

/// When those who do not end by themselves are to be signalled: first politely.
class Ending {
 public:
  void within(Duration grace) { by_ = std::min(by_, Deadline::in(grace)); }
  /// The signal that is due now.
  std::optional<int> due() {
    if (!by_.expired()) return std::nullopt;
    by_ = Deadline::in(5s);
    return std::exchange(asked_, true) ? SIGKILL : SIGTERM;
  }
  bool was_needed() const { return asked_; }
  /// For poll: until the next thing to do, at most a second.
  int timeout_ms() const {
    const auto left = std::min<Duration>(by_.remaining(), 1s);
    return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(left).count());
  }

 private:
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
  Attempt(const Job& job, const Supervision& how, const SignalWatch& signals,
          const GrowthSupply* supply)
      : job_(job), how_(how), signals_(signals) {
    checked(::fcntl(errors_.out.get(), F_SETFL, O_NONBLOCK), "cannot read from a pipe");
    if (supply != nullptr) prepare_growth(*supply);
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
    for (bool ended = false; !ended || (growing_ && growing_->has_newcomers());) {
      ::poll(sources.data(), sources.size(), ending_.timeout_ms());
      // Asked first: what was written before mpirun's end is there to be read after it.
      if (!ended) ended = mpirun_has_ended(status);
      hear_rank_0();
      relay_errors();
      if ((sources[0].revents & POLLHUP) != 0) sources[0].fd = -1;  // closed: nothing to wait for
      hear_signals(ended);
      if (growing_) growing_->check();
      if (!ended) check_start();
      if (const auto signal = ending_.due()) end(*signal, ended);
    }
    write_all(STDERR_FILENO, filter_.rest());
    end_.mpirun = exit_code_of(status);
    end_.lost_host = filter_.lost_host();
    if (ending_.was_needed() || end_.lost_host || WIFSIGNALED(status) ||
        (growing_ && growing_->left_doubtful())) {
      tidy_up();
    }
    return end_;
  }

 private:
  void prepare_growth(const GrowthSupply& supply) {
    GrowingAttempt attempt{.job_id = id_,
                           .key = fresh_job_id(),
                           .door = channel_.path().parent_path() / "door",
                           .founders = job_.hosts,
                           .order = {.directory = std::filesystem::current_path().string(),
                                     .program = job_.program,
                                     .environment = environment_of_ranks(job_)},
                           .grace = how_.grace};
    key_ = attempt.key;
    job_.environment.emplace_back(comm::door_variable, attempt.door.string());
    job_.inherited.emplace_back(comm::key_variable);
    growing_.emplace(supply, std::move(attempt), signals_.before());
  }

  void start_mpirun() {
    const bool feeds = how_.reads_input && ::isatty(STDIN_FILENO) == 1;
    const FileDescriptor nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    Birth birth;
    birth.blocked = signals_.before();
    birth.own_group = true;
    birth.environment = {{job_variable, id_}};  // for mpirun's own helpers
    if (growing_) birth.environment.emplace_back(comm::key_variable, key_);
    birth.error = errors_.in.get();
    Pipe input;
    if (feeds) birth.input = input.out.get();
    if (!how_.reads_input) birth.input = nothing.get();
    mpirun_ = spawn(mpirun_line(job_, ::geteuid() == 0), birth);
    errors_.in.close();
    input.out.close();
    if (feeds) feeder_.start(input.in);
  }

  bool mpirun_has_ended(int& status) {
    if (::waitpid(mpirun_, &status, WNOHANG) != mpirun_) return false;
    hear_rank_0();
    stop_growing();
    // Newcomers are the only ones left; without a word of rank 0 nobody has told them to end.
    if (!end_.rank_0) ending_.within(Duration::zero());
    return true;
  }

  void end(int signal, bool mpirun_ended) {
    stop_growing();
    if (!mpirun_ended) ::kill(mpirun_, signal);
    if (!growing_) return;
    if (signal == SIGKILL) {
      growing_->kill_all();
    } else {
      growing_->end_all();
    }
  }

  void stop_growing() {
    if (growing_) growing_->stop_growing();
  }

  /// Ends the attempt when its start is overdue.
  void check_start() {
    if (start_is_over_ || end_.rank_0 || end_.signal || !start_by_.expired()) return;
    if (how_.start_sign == StartSign::door && growing_ && growing_->was_open()) {
      start_is_over_ = true;
      return;
    }
    start_is_over_ = true;
    end_.hung_start = fmt::format(
        "{} within {:g} s (--start-limit)",
        end_.rank_0_ran ? "the ranks have not found each other" : "rank 0 was not started",
        seconds(start_limit()));
    ending_.within(Duration::zero());
  }

  Duration start_limit() const {
    return how_.start_limit + std::chrono::seconds(job_.hosts.size());
  }

  void hear_rank_0() {
    while (const auto news = channel_.read()) {
      if (news->what == RankZeroNews::What::started) {
        rank_0_ = news->value;
        end_.rank_0_ran = true;
        filter_.job_runs();
        start_is_over_ |= how_.start_sign == StartSign::program;
        continue;
      }
      if (news->what == RankZeroNews::What::up) {
        start_is_over_ |= how_.start_sign == StartSign::up;
        continue;
      }
      stop_growing();
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
        if (growing_) growing_->pass_on_usr1();
        continue;
      }
      stop_growing();
      hear_rank_0();  // who sent the signal may have waited for rank 0's first words
      const bool polite = !end_.signal && rank_0_ > 0;
      if (!end_.signal) end_.signal = signal;
      if (polite) ::kill(rank_0_, SIGTERM);
      ending_.within(polite ? how_.grace : Duration::zero());
    }
  }

  void tidy_up() const {
    reap(id_, 2s);
    std::vector<Host> others;
    if (job_.hosts.size() > 1) others.assign(job_.hosts.begin() + 1, job_.hosts.end());
    if (growing_) {
      for (const Host& host : growing_->used_hosts()) {
        if (std::ranges::find(others, host.name, &Host::name) == others.end()) {
          others.push_back(host);
        }
      }
    }
    reap_on(others, id_, 5s);
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
  std::string key_;   ///< of a job that may grow
  std::optional<GrowingJob> growing_;
  Ending ending_;
  bool start_is_over_ = false;
  Deadline start_by_ = Deadline::in(start_limit());
  StderrFilter filter_;
  JobEnd end_;
};

}  // namespace

int JobEnd::exit_code() const {
  if (signal) return 128 + *signal;
  if (!hung_start.empty()) return static_cast<int>(ExitCode::peer);
  if (rank_0) return *rank_0;
  return mpirun != 0 ? mpirun : static_cast<int>(ExitCode::failure);
}

std::string JobEnd::loss() const {
  if (signal) return {};
  if (!hung_start.empty()) return hung_start;
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
  if (!hung_start.empty()) return hung_start;
  if (rank_0 && signal_in(*rank_0) != 0) {
    return fmt::format("rank 0, the coordinator, was ended by signal {}", signal_in(*rank_0));
  }
  if (!rank_0) {
    return fmt::format("mpirun ended with exit code {}, and rank 0 never said how it fared",
                       mpirun);
  }
  return {};
}

JobEnd supervise(const Job& job, const Supervision& how, const SignalWatch& signals,
                 const GrowthSupply* supply) {
  check_program("mpirun", "install Open MPI (Debian: openmpi-bin)");
  return Attempt(job, how, signals, supply).see_through();
}

}  // namespace daig::launcher
