#pragma once

/// Runs commands as a user would: with a folder to work in, a deadline, and their output kept.

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <daig/core/deadline.hpp>

namespace daig::test {

using Words = std::vector<std::string>;

/// What a command left.
struct Ended {
  int code = -1;  ///< 128 + n when signal n ended it
  std::string out;
  std::string error;

  /// The last line of what it wrote to stdout.
  std::string last_line() const {
    std::string text = out;
    while (text.ends_with('\n')) text.pop_back();
    const auto start = text.rfind('\n');
    return start == std::string::npos ? text : text.substr(start + 1);
  }
};

/// A command that runs; killed with all it has started when it is still there at the end.
class Command {
 public:
  /// Starts it in the given folder, with more environment.
  Command(const Words& words, const std::filesystem::path& folder,
          const std::vector<std::pair<std::string, std::string>>& environment = {});
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;
  Command(Command&&) = delete;
  Command& operator=(Command&&) = delete;
  ~Command();

  pid_t pid() const { return pid_; }
  /// What it has written to stdout so far.
  const std::string& out() const { return ended_.out; }
  void signal(int number) const { ::kill(pid_, number); }

  /// Reads what it writes until stdout holds something that the function is content with.
  /// @throws std::runtime_error when it ends before, or at the deadline.
  template <class Content>
  void read_until(Content&& content, Deadline deadline = Deadline::in(patience));

  /// Waits for its end. @throws std::runtime_error at the deadline.
  Ended wait(Deadline deadline = Deadline::in(patience));

  /// No test comes near it, however slow the machine.
  static constexpr auto patience = std::chrono::seconds(120);

 private:
  bool read_some(Deadline deadline);
  /// For an exception, of which Boost.Test shows 4 KiB.
  std::string said() const;
  [[noreturn]] void run(const Words& words, const std::filesystem::path& folder,
                        const std::vector<std::pair<std::string, std::string>>& environment) const;

  pid_t pid_ = -1;
  std::array<int, 2> out_{-1, -1};
  std::array<int, 2> error_{-1, -1};
  Ended ended_;
};

/// Runs a command to its end.
inline Ended run(const Words& words, const std::filesystem::path& folder) {
  return Command(words, folder).wait();
}

// ---------------------------------------------------------------------------------------------

inline Command::Command(const Words& words, const std::filesystem::path& folder,
                        const std::vector<std::pair<std::string, std::string>>& environment) {
  if (::pipe2(out_.data(), O_CLOEXEC) != 0 || ::pipe2(error_.data(), O_CLOEXEC) != 0) {
    throw std::runtime_error("no pipe");
  }
  pid_ = ::fork();
  if (pid_ < 0) throw std::runtime_error("no process");
  if (pid_ == 0) run(words, folder, environment);
  for (auto* pipe : {&out_, &error_}) {
    ::close((*pipe)[1]);
    ::fcntl((*pipe)[0], F_SETFL, O_NONBLOCK);
  }
}

inline Command::~Command() {
  if (pid_ > 0) {
    ::kill(-pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  for (const int pipe : {out_[0], error_[0]}) {
    if (pipe >= 0) ::close(pipe);
  }
}

inline void Command::run(
    const Words& words, const std::filesystem::path& folder,
    const std::vector<std::pair<std::string, std::string>>& environment) const {
  ::setpgid(0, 0);
  ::dup2(::open("/dev/null", O_RDONLY), STDIN_FILENO);
  ::dup2(out_[1], STDOUT_FILENO);
  ::dup2(error_[1], STDERR_FILENO);
  if (::chdir(folder.c_str()) != 0) std::_Exit(126);
  for (const auto& [name, value] : environment) ::setenv(name.c_str(), value.c_str(), 1);
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  ::execvp(arguments[0], arguments.data());
  std::_Exit(127);
}

inline std::string Command::said() const {
  const auto end_of = [](const std::string& text) {
    return text.substr(text.size() - std::min<std::size_t>(text.size(), 1500));
  };
  return "its stderr: " + end_of(ended_.error) + "\nits stdout: " + end_of(ended_.out);
}

/// False once both pipes have ended.
inline bool Command::read_some(Deadline deadline) {
  if (out_[0] < 0 && error_[0] < 0) return false;
  std::array<pollfd, 2> sources{{{out_[0], POLLIN, 0}, {error_[0], POLLIN, 0}}};
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline.remaining());
  const bool silent = ::poll(sources.data(), sources.size(), static_cast<int>(left.count())) == 0;
  if (silent || deadline.expired()) {
    throw std::runtime_error("the command takes too long; " + said());
  }
  const auto read_from = [](int& pipe, std::string& text) {
    std::array<char, 4096> piece{};
    const ssize_t count = pipe < 0 ? 0 : ::read(pipe, piece.data(), piece.size());
    if (count > 0) text.append(piece.data(), static_cast<std::size_t>(count));
    if (count == 0 && pipe >= 0) ::close(std::exchange(pipe, -1));
  };
  read_from(out_[0], ended_.out);
  read_from(error_[0], ended_.error);
  return true;
}

template <class Content>
void Command::read_until(Content&& content, Deadline deadline) {
  while (!content(ended_.out)) {
    if (!read_some(deadline)) {
      throw std::runtime_error("the command ended early; " + said());
    }
  }
}

inline Ended Command::wait(Deadline deadline) {
  while (read_some(deadline)) {
  }
  int status = 0;
  ::waitpid(std::exchange(pid_, -1), &status, 0);
  ended_.code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  return ended_;
}

}  // namespace daig::test
