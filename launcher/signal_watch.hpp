#pragma once

/// The signals that the launcher is sent.

#include <csignal>
#include <optional>

#include <daig/core/file_descriptor.hpp>

namespace daig::launcher {

/// SIGINT, SIGTERM, SIGHUP, SIGUSR1 and SIGCHLD come as something to read instead of interrupting,
/// for as long as this lives. No other thread may run that could take them.
class SignalWatch {
 public:
  /// @throws IoError when the system does not let signals be watched.
  SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;
  SignalWatch(SignalWatch&&) = delete;
  SignalWatch& operator=(SignalWatch&&) = delete;
  ~SignalWatch();

  /// Readable once a signal has come.
  int descriptor() const { return arrivals_.get(); }
  /// The next one that has come; nothing when there is none.
  std::optional<int> next() const;
  /// What was blocked before: what a child is to begin with.
  const sigset_t& before() const { return before_; }

 private:
  sigset_t before_{};
  FileDescriptor arrivals_;
};

}  // namespace daig::launcher
