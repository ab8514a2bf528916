#include "signal_watch.hpp"

#include <chrono>

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace daig::launcher {

SignalWatch::SignalWatch() {
  sigset_t wanted;
  sigemptyset(&wanted);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGCHLD}) sigaddset(&wanted, signal);
  arrivals_ = FileDescriptor(
      checked(::signalfd(-1, &wanted, SFD_NONBLOCK | SFD_CLOEXEC), "cannot watch signals"));
  sigprocmask(SIG_BLOCK, &wanted, &before_);
}

SignalWatch::~SignalWatch() {
  sigprocmask(SIG_SETMASK, &before_, nullptr);
}

std::optional<int> SignalWatch::next() const {
  signalfd_siginfo arrived{};
  if (::read(arrivals_.get(), &arrived, sizeof arrived) != sizeof arrived) return std::nullopt;
  return static_cast<int>(arrived.ssi_signo);
}

std::optional<int> SignalWatch::pause(Duration time) const {
  const Deadline deadline = Deadline::in(time);
  do {
    while (const auto signal = next()) {
      if (*signal != SIGCHLD && *signal != SIGUSR1) return signal;
    }
    pollfd source{descriptor(), POLLIN, 0};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline.remaining());
    ::poll(&source, 1, static_cast<int>(left.count()));
  } while (!deadline.expired());
  return std::nullopt;
}

}  // namespace daig::launcher
