#include "newcomers.hpp"

#include <array>
#include <chrono>
#include <csignal>
#include <utility>

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <daig/core/error.hpp>

#include "process.hpp"
#include "reap.hpp"
#include "remote_shell.hpp"

namespace daig::launcher {
namespace {

using namespace std::chrono_literals;

/// Until a host must have answered.
constexpr Duration patience = 10s;

}  // namespace

Newcomers::Newcomers(const sigset_t& blocked, std::string job_id)
    : blocked_(blocked), job_id_(std::move(job_id)) {}

Newcomers::~Newcomers() {
  kill_all();
  for (const auto& [rank, process] : processes_) wait_for(process.number);
}

void Newcomers::start_here(int rank, const JoinOrder& order) {
  start(rank, {own_path(), join_command}, order);
}

void Newcomers::start_on(const std::string& host, int rank, const JoinOrder& order) {
  start(rank, remote_line(host, {own_path(), join_command}, patience), order);
}

void Newcomers::start(int rank, const std::vector<std::string>& words, const JoinOrder& order) {
  // A pair of sockets rather than a pipe, which would end us when we speak to one that is gone.
  std::array<int, 2> ends{};
  checked(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()),
          "cannot make a pair of sockets");
  FileDescriptor ours(ends[0]);
  const FileDescriptor theirs(ends[1]);
  const std::string text = encode(order);
  const auto sent = ::send(ours.get(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent != static_cast<ssize_t>(text.size())) {
    throw IoError(
        fmt::format("rank {} cannot be started: the program's arguments and environment "
                    "are {} bytes, too long to be handed over",
                    rank, text.size()));
  }
  Process process;
  process.number = spawn(words, {.blocked = blocked_,
                                 .input = theirs.get(),
                                 .at_our_end = SIGTERM,
                                 .own_group = true,
                                 .environment = {{job_variable, job_id_}}});
  process.voice = std::move(ours);
  processes_[rank] = std::move(process);
}

void Newcomers::ask_to_leave(int rank, Duration grace) {
  const auto found = processes_.find(rank);
  if (found == processes_.end()) return;
  Process& process = found->second;
  say(process, leave_word);
  process.end_at = std::min(process.end_at, Deadline::in(grace));
}

void Newcomers::say_to_all(char word) {
  for (const auto& [rank, process] : processes_) say(process, word);
}

void Newcomers::say(const Process& process, char word) {
  ::send(process.voice.get(), &word, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void Newcomers::end_all() {
  for (auto& [rank, process] : processes_) end(process);
}

void Newcomers::kill_all() {
  for (auto& [rank, process] : processes_) kill(process);
}

void Newcomers::end(Process& process) {
  process.voice.close();
  process.end_at = Deadline::at(TimePoint::max());
  process.kill_at = std::min(process.kill_at, Deadline::in(patience));
}

void Newcomers::kill(Process& process) {
  process.voice.close();
  ::kill(process.number, SIGKILL);
  process.kill_at = Deadline::in(patience);
  left_doubtful_ = true;
}

std::vector<NewcomerEnd> Newcomers::check() {
  std::vector<NewcomerEnd> ended;
  for (auto next = processes_.begin(); next != processes_.end();) {
    auto& [rank, process] = *next;
    int status = 0;
    if (::waitpid(process.number, &status, WNOHANG) == process.number) {
      ended.push_back({rank, exit_code_of(status)});
      // 255 is what a remote shell says when it has lost its host.
      if (WIFSIGNALED(status) || exit_code_of(status) == 255) left_doubtful_ = true;
      next = processes_.erase(next);
      continue;
    }
    if (process.end_at.expired()) end(process);
    if (process.kill_at.expired()) kill(process);
    ++next;
  }
  return ended;
}

}  // namespace daig::launcher
