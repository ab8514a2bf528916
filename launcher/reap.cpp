#include "reap.hpp"

#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <daig/core/log.hpp>

#include "mpirun.hpp"
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

/// The job's processes on this machine, but for this one.
std::vector<FileDescriptor> find(const std::string& job_id) {
  // The terminating null is part of it, as is the one before it, but for the first variable.
  const std::string variable = fmt::format("{}={}", job_variable, job_id) + '\0';
  std::vector<FileDescriptor> found;
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
    const std::string environment = environment_of(process);
    const std::size_t at = environment.find(variable);
    if (at != environment.npos && (at == 0 || environment[at - 1] == '\0')) {
      found.push_back(std::move(handle));
    }
  }
  return found;
}

/// Whether the process ended by then.
bool ends_by(const FileDescriptor& process, Deadline deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline.remaining());
  pollfd source{process.get(), POLLIN, 0};
  return ::poll(&source, 1, static_cast<int>(left.count())) == 1;
}

int signal_all(const std::string& job_id, int signal, Duration patience) {
  const std::vector<FileDescriptor> processes = find(job_id);
  for (const FileDescriptor& process : processes) send(process, signal);
  const Deadline deadline = Deadline::in(patience);
  for (const FileDescriptor& process : processes) ends_by(process, deadline);
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

void reap_on(const std::vector<Host>& hosts, const std::string& job_id, Duration patience) {
  std::vector<std::string> line = remote_shell();
  if (line.empty() || hosts.empty()) return;
  if (fs::path(line.front()).filename() == "ssh") {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(patience).count();
    for (const std::string& option :
         {std::string("BatchMode=yes"), fmt::format("ConnectTimeout={}", seconds)}) {
      line.insert(line.end(), {"-o", option});
    }
  }
  const FileDescriptor nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
  const Birth birth{.input = nothing.get(),
                    .output = nothing.get(),
                    .error = nothing.get(),
                    .at_our_end = SIGKILL,
                    .own_group = true};
  std::vector<pid_t> shells;
  for (const Host& host : hosts) {
    std::vector<std::string> words = line;
    words.insert(words.end(), {host.name, shell_text({own_path(), reap_command, job_id})});
    shells.push_back(spawn(words, birth));
  }
  const Deadline deadline = Deadline::in(patience);
  for (std::size_t i = 0; i < shells.size(); ++i) {
    if (!ends_by(watch(shells[i]), deadline)) ::kill(shells[i], SIGKILL);
    const int code = wait_for(shells[i]);
    if (code == 0) continue;
    log::debug("nothing could be tidied up on {}: {} ended with exit code {}", hosts[i].name,
               line.front(), code);
  }
}

}  // namespace daig::launcher
