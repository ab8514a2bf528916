#pragma once

/// SIGTERM and SIGINT as a request to leave in good order, instead of the end of the process.

#include <array>
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
#include <sys/signalfd.h>
#include <unistd.h>

#include <daig/core/error.hpp>

namespace daig::train {

/// While it lives, the process's first SIGTERM or SIGINT calls a function, and the second ends the
/// process at once, whatever it is doing: both signals have their default action from the first on.
///
/// Threads: make it on the main thread, before there is any other (hence before MPI is
/// initialised): threads inherit what they must not be interrupted by, and one that does not may
/// take the signal. The function is called on a thread of this class's own, once; it must not
/// throw, and may do what any thread may: it does not run inside a signal handler. A signal that is
/// sent to one thread alone (raise, pthread_kill) is not seen.
///
/// Children inherit the blocked signals as well: unblock them between fork and exec.
///
/// Cost: a thread that sleeps.
class LeaveOnSignal {
 public:
  /// @throws IoError when the system does not let signals be watched.
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
  std::thread thread_;  ///< last: it uses the others
};

// ---------------------------------------------------------------------------------------------

inline LeaveOnSignal::LeaveOnSignal(std::function<void()> leave)
    : leave_(std::move(leave)),
      arrivals_(::signalfd(-1, &wanted_, SFD_NONBLOCK | SFD_CLOEXEC), "cannot watch signals"),
      stop_(::eventfd(0, EFD_CLOEXEC), "cannot make an eventfd"),
      mask_(wanted_),
      thread_([this] { listen(); }) {}

inline LeaveOnSignal::~LeaveOnSignal() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(stop_.number, &one, sizeof one);
  thread_.join();
}

inline LeaveOnSignal::Descriptor::Descriptor(int made, const char* what) : number(made) {
  if (number < 0) throw IoError(std::string(what) + ": " + std::strerror(errno));
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
    signalfd_siginfo arrived{};
    if (::read(arrivals_.number, &arrived, sizeof arrived) == sizeof arrived) return true;
  }
}

inline void LeaveOnSignal::wait_for_destructor() const {
  pollfd source{stop_.number, POLLIN, 0};
  while (!is_readable(source)) ::poll(&source, 1, now_and_then_ms);
}

inline void LeaveOnSignal::listen() {
  if (!signal_comes()) return;
  // The next one comes to this thread, the only one that does not block it, whatever it does.
  std::signal(SIGTERM, SIG_DFL);
  std::signal(SIGINT, SIG_DFL);
  pthread_sigmask(SIG_UNBLOCK, &wanted_, nullptr);
  leave_();
  wait_for_destructor();
}

}  // namespace daig::train
