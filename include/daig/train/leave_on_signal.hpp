#pragma once

/// SIGTERM and SIGINT as a request to leave in good order, instead of the end of the process.

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <thread>
#include <utility>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <daig/core/error.hpp>

namespace daig::train {

/// While it lives, the process's first SIGTERM or SIGINT calls a function, and the second ends the
/// process at once, whatever it is doing: both signals have their default action from the first on.
///
/// Threads: make it on the main thread, one at a time, and before MPI is initialised: the threads
/// that are started from then on inherit that these signals do not interrupt them. Those of before
/// (a BLAS may have some before `main`) may have a system call interrupted once. The function is
/// called on a thread of this class's own, once; it must not throw, and may do what any thread may:
/// it does not run inside a signal handler. A signal that is sent to a thread that blocks it
/// (raise, pthread_kill) is not seen.
///
/// Children inherit the blocked signals as well: unblock them between fork and exec.
///
/// Cost: a thread that sleeps.
class LeaveOnSignal {
 public:
  /// Expects that there is no other. @throws IoError when there are no file descriptors left.
  explicit LeaveOnSignal(std::function<void()> leave);
  LeaveOnSignal(const LeaveOnSignal&) = delete;
  LeaveOnSignal& operator=(const LeaveOnSignal&) = delete;
  LeaveOnSignal(LeaveOnSignal&&) = delete;
  LeaveOnSignal& operator=(LeaveOnSignal&&) = delete;
  /// On the thread that made it. Waits for the function when it is under way.
  ~LeaveOnSignal();

 private:
  class Descriptor {
   public:
    Descriptor(int made, const char* what);
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    Descriptor(Descriptor&&) = delete;
    Descriptor& operator=(Descriptor&&) = delete;
    ~Descriptor() { ::close(number); }
    const int number;
  };
  /// Blocks signals, and sets the thread's mask back.
  class Mask {
   public:
    explicit Mask(const sigset_t& blocked) { pthread_sigmask(SIG_BLOCK, &blocked, &before_); }
    Mask(const Mask&) = delete;
    Mask& operator=(const Mask&) = delete;
    Mask(Mask&&) = delete;
    Mask& operator=(Mask&&) = delete;
    ~Mask() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

   private:
    sigset_t before_{};
  };

  /// Has the signals handled, and sets back how they were; both have their default action if one
  /// came meanwhile.
  class Handler {
   public:
    explicit Handler(int arrivals);
    Handler(const Handler&) = delete;
    Handler& operator=(const Handler&) = delete;
    Handler(Handler&&) = delete;
    Handler& operator=(Handler&&) = delete;
    ~Handler();

   private:
    static void handle(int signal) noexcept;

    static inline std::atomic<int> arrivals_ = -1;  ///< where an arrival is written; -1: nowhere
    static inline std::atomic<int> handling_ = 0;   ///< threads that are inside `handle`
    static_assert(std::atomic<int>::is_always_lock_free, "or a signal handler may not use it");

    struct sigaction terminate_before_ {};
    struct sigaction interrupt_before_ {};
  };

  /// Nothing is missed meanwhile: only so that no wait is for ever.
  static constexpr int now_and_then_ms = 60'000;

  static sigset_t wanted();
  static bool is_readable(const pollfd& source) { return (source.revents & POLLIN) != 0; }
  /// Waits for a signal; false once the destructor wants the end.
  bool signal_comes() const;
  void wait_for_destructor() const;
  void listen();

  const sigset_t wanted_ = wanted();
  std::function<void()> leave_;
  Descriptor arrivals_;
  Descriptor stop_;
  Mask mask_;
  Handler handler_;     ///< gone before the mask: a signal that waited then has its old action
  std::thread thread_;  ///< last: it uses the others
};

// ---------------------------------------------------------------------------------------------

inline LeaveOnSignal::LeaveOnSignal(std::function<void()> leave)
    : leave_(std::move(leave)),
      arrivals_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "cannot make an eventfd"),
      stop_(::eventfd(0, EFD_CLOEXEC), "cannot make an eventfd"),
      mask_(wanted_),
      handler_(arrivals_.number),
      thread_([this] { listen(); }) {}

inline LeaveOnSignal::~LeaveOnSignal() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(stop_.number, &one, sizeof one);
  thread_.join();
}

inline LeaveOnSignal::Descriptor::Descriptor(int made, const char* what) : number(made) {
  if (number < 0) throw IoError(std::string(what) + ": " + std::strerror(errno));
}

inline LeaveOnSignal::Handler::Handler(int arrivals) {
  int none = -1;
  expects(arrivals_.compare_exchange_strong(none, arrivals), "one LeaveOnSignal at a time");
  struct sigaction action {};
  action.sa_handler = handle;
  action.sa_flags = SA_RESTART;
  action.sa_mask = wanted();
  ::sigaction(SIGTERM, &action, &terminate_before_);
  ::sigaction(SIGINT, &action, &interrupt_before_);
}

inline LeaveOnSignal::Handler::~Handler() {
  const auto restore = [](int signal, const struct sigaction& before) {
    struct sigaction now {};
    ::sigaction(signal, nullptr, &now);
    if (now.sa_handler == handle) ::sigaction(signal, &before, nullptr);
  };
  restore(SIGTERM, terminate_before_);
  restore(SIGINT, interrupt_before_);
  arrivals_ = -1;
  while (handling_ != 0) std::this_thread::yield();  // for the few instructions that are left of it
}

/// Does what a signal handler may, and no more: the rest is the listening thread's.
inline void LeaveOnSignal::Handler::handle(int) noexcept {
  ++handling_;
  const int error = errno;
  std::signal(SIGTERM, SIG_DFL);
  std::signal(SIGINT, SIG_DFL);
  const std::uint64_t one = 1;
  if (const int arrivals = arrivals_; arrivals >= 0) {
    [[maybe_unused]] const auto written = ::write(arrivals, &one, sizeof one);
  }
  errno = error;
  --handling_;
}

inline sigset_t LeaveOnSignal::wanted() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

inline bool LeaveOnSignal::signal_comes() const {
  std::array<pollfd, 2> sources{{{stop_.number, POLLIN, 0}, {arrivals_.number, POLLIN, 0}}};
  while (true) {
    ::poll(sources.data(), sources.size(), now_and_then_ms);
    if (is_readable(sources[0])) return false;
    std::uint64_t arrived = 0;
    if (::read(arrivals_.number, &arrived, sizeof arrived) == sizeof arrived) return true;
  }
}

inline void LeaveOnSignal::wait_for_destructor() const {
  pollfd source{stop_.number, POLLIN, 0};
  while (!is_readable(source)) ::poll(&source, 1, now_and_then_ms);
}

inline void LeaveOnSignal::listen() {
  // Both signals come to this thread, which does not block them, whatever it does.
  pthread_sigmask(SIG_UNBLOCK, &wanted_, nullptr);
  if (!signal_comes()) return;
  leave_();
  wait_for_destructor();
}

}  // namespace daig::train
