#include "host_list_watch.hpp"

#include <array>
#include <csignal>
#include <fstream>
#include <iterator>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>

#include <daig/core/error.hpp>

#include "outcome.hpp"
#include "process.hpp"

namespace daig::launcher {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t most_list_bytes = std::size_t{1} << 20;

/// What is there to read now, as far as there is room for it.
void read_some(const FileDescriptor& from, std::string& text) {
  std::array<char, 4096> piece{};
  for (ssize_t count; (count = ::read(from.get(), piece.data(), piece.size())) > 0;) {
    if (text.size() < most_list_bytes) text.append(piece.data(), static_cast<std::size_t>(count));
  }
}

std::string last_line_of(std::string text) {
  while (text.ends_with('\n')) text.pop_back();
  return text.substr(text.rfind('\n') + 1);
}

}  // namespace

HostListWatch::HostListWatch(HostListSource source) : source_(std::move(source)) {
  expects(source_.file.empty() != source_.command.empty(), "a file or a command");
}

HostListWatch::~HostListWatch() {
  if (!run_) return;
  ::kill(-run_->process, SIGKILL);
  ::kill(run_->process, SIGKILL);
  wait_for(run_->process);
}

void HostListWatch::read_file() {
  if (source_.file.empty()) return;
  taken_text_ = seen_text_ = text_of_hostfile(source_.file);
  list_ = parse_hostfile(taken_text_, source_.file.string(), own_host_name());
}

void HostListWatch::check() {
  source_.file.empty() ? check_command() : check_file();
}

void HostListWatch::check_file() {
  const TimePoint now = Clock::now();
  if (now < next_look_) return;
  next_look_ = now + 500ms;
  try {
    const std::string before = std::exchange(seen_text_, text_of_hostfile(source_.file));
    if (seen_text_ == taken_text_ || seen_text_ != before) return;
    taken_text_ = seen_text_;
    take(taken_text_);
  } catch (const Error& error) {
    complain_once("unreadable", error.what());
  }
}

void HostListWatch::check_command() {
  if (!run_) {
    if (Clock::now() >= next_look_) start_command();
    return;
  }
  read_some(run_->out, run_->text);
  read_some(run_->error, run_->complaints);
  int status = 0;
  const bool ended = ::waitpid(run_->process, &status, WNOHANG) == run_->process;
  if (!ended && !run_->by.expired()) return;
  ::kill(-run_->process, SIGKILL);  // and what it may have left
  if (!ended) status = wait_for(run_->process);
  read_some(run_->out, run_->text);
  read_some(run_->error, run_->complaints);
  finish_command(ended ? exit_code_of(status) : 0, !ended);
}

void HostListWatch::start_command() {
  const FileDescriptor nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  std::array<int, 2> out{};
  std::array<int, 2> error{};
  Run run;
  checked(::pipe2(out.data(), O_CLOEXEC), "cannot make a pipe");
  run.out = FileDescriptor(out[0]);
  const FileDescriptor out_end(out[1]);
  checked(::pipe2(error.data(), O_CLOEXEC), "cannot make a pipe");
  run.error = FileDescriptor(error[0]);
  const FileDescriptor error_end(error[1]);
  for (const int end : {out[0], error[0]}) {
    checked(::fcntl(end, F_SETFL, O_NONBLOCK), "cannot read from a pipe");
  }
  run.by = Deadline::in(source_.patience);
  run.process = spawn({"sh", "-c", source_.command}, {.input = nothing.get(),
                                                      .output = out_end.get(),
                                                      .error = error_end.get(),
                                                      .at_our_end = SIGKILL,
                                                      .own_group = true});
  run_ = std::move(run);
}

void HostListWatch::finish_command(int exit_code, bool hung) {
  const Run run = *std::exchange(run_, std::nullopt);
  next_look_ = Clock::now() + source_.every;
  if (hung) {
    complain_once("hung", fmt::format("{}: it has not ended after {:.0f} s, and was killed",
                                      source_.command, seconds(source_.patience)));
  } else if (exit_code != 0) {
    const std::string last = last_line_of(run.complaints);
    complain_once("failed", fmt::format("{}: it ended with exit code {}{}{}", source_.command,
                                        exit_code, last.empty() ? "" : ": ", last));
  } else {
    take(run.text);
  }
}

void HostListWatch::take(const std::string& text) {
  try {
    list_ = parse_hostfile(text, source_.file.empty() ? source_.command : source_.file.string(),
                           own_host_name());
    complained_.clear();
  } catch (const InputError& error) {
    complain_once("not understood", error.what());
  }
}

void HostListWatch::complain_once(const std::string& kind, const std::string& text) {
  if (!complained_.insert(kind).second) return;
  warn(fmt::format("{}; {}", text,
                   list_ ? "the hosts stay as they were" : "there is no list of hosts yet"));
}

}  // namespace daig::launcher
