#include "reap.hpp"

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <daig/core/log.hpp>

#include "process.hpp"
#include "remote_shell.hpp"

namespace daig::launcher {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

std::string environment_of(pid_t process) {
  std::ifstream file(fmt::format("/proc/{}/environ", process), std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

bool is_own(pid_t process) {
  struct stat status {};
  return ::stat(fmt::format("/proc/{}", process).c_str(), &status) == 0 &&
         status.st_uid == ::geteuid();
}

struct JobProcess {
  pid_t number = 0;
  FileDescriptor handle;
  std::string environment;
};

/// Whether a process was started with this variable.
bool holds(const std::string& environment, std::string_view name, const std::string& value) {
  // The terminating null is part of it, as is the one before it, but for the first variable.
  const std::string variable = fmt::format("{}={}", name, value) + '\0';
  const std::size_t at = environment.find(variable);
  return at != environment.npos && (at == 0 || environment[at - 1] == '\0');
}

/// The job's processes on this machine, but for this one.
std::vector<JobProcess> find(const std::string& job_id) {
  std::vector<JobProcess> found;
  std::error_code error;
  fs::directory_iterator entry("/proc", error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    pid_t process = 0;
    const auto [stop, bad] = std::from_chars(name.data(), name.data() + name.size(), process);
    if (bad != std::errc() || stop != name.data() + name.size()) continue;
    if (process == ::getpid() || !is_own(process)) continue;
    // Held before it is looked at, so that the one looked at is the one that is ended.
    FileDescriptor handle = watch(process);
    if (handle.get() < 0) continue;
    std::string environment = environment_of(process);
    if (holds(environment, job_variable, job_id)) {
      found.push_back({process, std::move(handle), std::move(environment)});
    }
  }
  return found;
}

pid_t parent_of(pid_t process) {
  std::ifstream file(fmt::format("/proc/{}/stat", process));
  const std::string stat{std::istreambuf_iterator<char>(file), {}};
  const auto name_end = stat.rfind(')');  // after which: a letter, and the parent
  return name_end == stat.npos || name_end + 4 > stat.size() ? 0 : std::atoi(&stat[name_end + 4]);
}

int signal_all(const std::string& job_id, int signal, Duration patience) {
  const std::vector<JobProcess> processes = find(job_id);
  for (const JobProcess& process : processes) send(process.handle, signal);
  const Deadline deadline = Deadline::in(patience);
  for (const JobProcess& process : processes) ends_by(process.handle, deadline);
  return static_cast<int>(processes.size());
}

}  // namespace

std::string fresh_job_id() {
  std::random_device random;  // the system's own, not a seeded one: unlike any other job's
  return fmt::format("{:08x}{:08x}{:08x}{:08x}", random(), random(), random(), random());
}

int reap(const std::string& job_id, Duration patience) {
  const int count = signal_all(job_id, SIGTERM, patience);
  // Once more than it should take: for what was started while we looked.
  for (int i = 0; i < 3; ++i) {
    if (signal_all(job_id, SIGKILL, 1s) == 0) break;
  }
  return count;
}

int dismiss(const std::string& job_id, const std::vector<int>& ranks) {
  std::vector<JobProcess> processes = find(job_id);
  std::erase_if(processes, [&](const JobProcess& process) {
    return std::ranges::none_of(ranks, [&](int rank) {
      return holds(process.environment, "OMPI_COMM_WORLD_RANK", fmt::to_string(rank));
    });
  });
  int count = 0;
  for (const JobProcess& process : processes) {
    const pid_t parent = parent_of(process.number);
    if (std::ranges::find(processes, parent, &JobProcess::number) != processes.end()) continue;
    send(process.handle, SIGTERM);
    ++count;
  }
  return count;
}

void reap_on(const std::vector<Host>& hosts, const std::string& job_id, Duration patience) {
  if (hosts.empty()) return;
  const std::vector<int> codes = run_on(hosts, {own_path(), reap_command, job_id}, patience);
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    if (codes[i] == 0) continue;
    log::debug("nothing could be tidied up on {}: the remote shell ended with exit code {}",
               hosts[i].name, codes[i]);
  }
}

}  // namespace daig::launcher
