#include "join.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <daig/comm/invitation.hpp>
#include <daig/core/deadline.hpp>
#include <daig/core/error.hpp>

#include "process.hpp"
#include "signal_watch.hpp"

namespace daig::launcher {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t most_answer_bytes = std::size_t{4} << 20;

/// Cuts texts with a null at the end of each from the front.
class Texts {
 public:
  explicit Texts(std::string_view from) : left_(from) {}
  /// Nothing when the next one is not there in full.
  std::optional<std::string> next() {
    const std::size_t end = left_.find('\0');
    if (end == left_.npos) return std::nullopt;
    std::string text(left_.substr(0, end));
    left_.remove_prefix(end + 1);
    return text;
  }

 private:
  std::string_view left_;
};

std::size_t parse_count(const std::string& text) {
  std::size_t count = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, count);
  if (error == std::errc() && stop == end && count > 0 && count <= most_answer_bytes) return count;
  throw InputError("the order to join", fmt::format("'{}' is no number of words", text));
}

JoinOrder read_order() {
  const Deadline deadline = Deadline::in(60s);
  std::string text;
  while (true) {
    if (auto order = decode_order(text)) return *std::move(order);
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline.remaining());
    pollfd source{STDIN_FILENO, POLLIN, 0};
    if (::poll(&source, 1, static_cast<int>(left.count())) == 0) {
      throw DeadlineExceeded("no order to join came on the standard input within 60 s");
    }
    std::array<char, 4096> piece{};
    const ssize_t count = ::read(STDIN_FILENO, piece.data(), piece.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0 || text.size() > most_answer_bytes) {
      throw InputError("the order to join",
                       "it does not come to its end; this command is for the "
                       "launcher alone, see daig run --help");
    }
    text.append(piece.data(), static_cast<std::size_t>(count));
  }
}

/// A newcomer is no process of mpirun, and has no door, though the launcher may be and have one.
void forget_mpirun() {
  const std::string own_door = fmt::format("{}=", comm::door_variable);
  std::vector<std::string> names;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text = *variable;
    if (text.starts_with("OMPI_") || text.starts_with("PMIX_") || text.starts_with(own_door)) {
      names.emplace_back(text.substr(0, text.find('=')));
    }
  }
  for (const std::string& name : names) ::unsetenv(name.c_str());
}

void enter(const std::string& directory) {
  if (::chdir(directory.c_str()) == 0) return;
  const char* home = std::getenv("HOME");
  if (home == nullptr || ::chdir(home) != 0) {
    throw InputError(directory, "there is no such folder here, and no home folder either");
  }
}

/// The program, from its start to its end.
class Rank {
 public:
  Rank(const JoinOrder& order, const SignalWatch& signals) : signals_(signals) {
    const FileDescriptor nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    process_ = spawn(order.program, {.blocked = signals.before(),
                                     .input = nothing.get(),
                                     .at_our_end = SIGKILL,
                                     .own_group = true,
                                     .environment = order.environment});
  }

  int see_through() {
    std::array<pollfd, 2> sources{{{signals_.descriptor(), POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}}};
    while (true) {
      int status = 0;
      if (::waitpid(process_, &status, WNOHANG) == process_) return exit_code_of(status);
      const auto left = std::min<Duration>(by_.remaining(), 60s);
      ::poll(sources.data(), sources.size(),
             static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(left).count()));
      while (const auto signal = signals_.next()) hear(*signal);
      if (sources[1].revents != 0 && !hear_launcher()) {
        sources[1].fd = -1;
        end();
      }
      if (by_.expired()) kill();
    }
  }

 private:
  void hear(int signal) {
    if (signal == SIGUSR1) ::kill(process_, SIGUSR1);
    if (signal == SIGCHLD || signal == SIGUSR1) return;
    if (std::exchange(signalled_, true)) return kill();
    end();
  }
  /// False when there is nobody to hear any more.
  bool hear_launcher() const {
    std::array<char, 64> words{};
    const ssize_t count = ::read(STDIN_FILENO, words.data(), words.size());
    if (count <= 0) return count < 0 && errno == EINTR;
    for (const char word : std::string_view(words.data(), static_cast<std::size_t>(count))) {
      if (word == leave_word) ::kill(process_, SIGTERM);
      if (word == usr1_word) ::kill(process_, SIGUSR1);
    }
    return true;
  }
  void end() {
    if (by_ != Deadline::at(TimePoint::max())) return;  // the end of stdin comes with a signal
    ::kill(process_, SIGTERM);
    by_ = Deadline::in(5s);
  }
  void kill() {
    ::kill(-process_, SIGKILL);  // and what it has started
    ::kill(process_, SIGKILL);   // it may not have its group yet
    by_ = Deadline::in(5s);
  }

  const SignalWatch& signals_;
  pid_t process_ = 0;
  bool signalled_ = false;
  Deadline by_ = Deadline::at(TimePoint::max());
};

}  // namespace

std::string encode(const JoinOrder& order) {
  std::string text;
  const auto put = [&](std::string_view part) { (text += part) += '\0'; };
  put(order.directory);
  put(fmt::to_string(order.program.size()));
  for (const std::string& word : order.program) put(word);
  for (const auto& [name, value] : order.environment) put(name + "=" + value);
  put("");
  return text;
}

std::optional<JoinOrder> decode_order(std::string_view text) {
  Texts texts(text);
  JoinOrder order;
  auto part = texts.next();
  if (!part) return std::nullopt;
  order.directory = *std::move(part);
  if (!(part = texts.next())) return std::nullopt;
  for (std::size_t left = parse_count(*part); left > 0; --left) {
    if (!(part = texts.next())) return std::nullopt;
    order.program.push_back(*std::move(part));
  }
  while ((part = texts.next()) && !part->empty()) {
    const std::size_t equals = part->find('=');
    if (equals == part->npos || equals == 0) {
      throw InputError("the order to join", fmt::format("'{}' is no variable", *part));
    }
    order.environment.emplace_back(part->substr(0, equals), part->substr(equals + 1));
  }
  if (!part) return std::nullopt;
  return order;
}

int run_join() {
  const SignalWatch signals;
  const JoinOrder order = read_order();
  forget_mpirun();
  enter(order.directory);
  return Rank(order, signals).see_through();
}

}  // namespace daig::launcher
