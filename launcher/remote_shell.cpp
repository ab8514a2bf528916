#include "remote_shell.hpp"

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <sstream>

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <poll.h>

#include <daig/core/error.hpp>

#include "mpirun.hpp"
#include "process.hpp"

namespace daig::launcher {
namespace {

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream stream(text);
  return {std::istream_iterator<std::string>(stream), {}};
}

}  // namespace

std::vector<std::string> remote_shell(const std::string& setting) {
  std::istringstream agents(setting.empty() ? "ssh : rsh" : setting);
  std::vector<std::string> first;
  for (std::string agent; std::getline(agents, agent, ':');) {
    std::vector<std::string> words = words_of(agent);
    if (words.empty()) continue;
    if (is_program(words.front())) return words;
    if (first.empty()) first = std::move(words);
  }
  return first.empty() ? std::vector<std::string>{"ssh"} : first;
}

std::vector<std::string> remote_shell() {
  const char* setting = std::getenv("OMPI_MCA_plm_rsh_agent");
  return remote_shell(setting == nullptr ? "" : setting);
}

std::string guarded_remote_shell(const std::vector<std::string>& agent) {
  const std::string itself = fmt::format("{}", fmt::join(agent, " "));
  return fmt::format("{} {} {} : {}", own_path(), remote_shell_command, itself, itself);
}

std::vector<std::string> remote_line(const std::string& host,
                                     const std::vector<std::string>& command, Duration patience) {
  std::vector<std::string> line = remote_shell();
  expects(!line.empty(), "a remote shell");
  if (std::filesystem::path(line.front()).filename() == "ssh") {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(patience).count();
    for (const std::string& option :
         {std::string("BatchMode=yes"), fmt::format("ConnectTimeout={}", seconds),
          fmt::format("ServerAliveInterval={}", seconds)}) {
      line.insert(line.end(), {"-o", option});
    }
  }
  line.insert(line.end(), {host, shell_text(command)});
  return line;
}

std::vector<int> run_on(const std::vector<Host>& hosts, const std::vector<std::string>& command,
                        Duration patience) {
  const FileDescriptor nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
  const Birth birth{.input = nothing.get(),
                    .output = nothing.get(),
                    .error = nothing.get(),
                    .at_our_end = SIGKILL,
                    .own_group = true};
  std::vector<pid_t> shells;
  for (const Host& host : hosts) {
    shells.push_back(spawn(remote_line(host.name, command, patience), birth));
  }
  const Deadline deadline = Deadline::in(patience);
  std::vector<int> codes;
  for (const pid_t shell : shells) {
    if (!ends_by(watch(shell), deadline)) ::kill(-shell, SIGKILL);
    codes.push_back(wait_for(shell));
  }
  return codes;
}

std::vector<Host> reachable(const std::vector<Host>& hosts, Duration patience) {
  const std::vector<Host> others(hosts.begin() + 1, hosts.end());
  const std::vector<int> codes = run_on(others, {"true"}, patience);
  std::vector<Host> answered{hosts.front()};
  for (std::size_t i = 0; i < others.size(); ++i) {
    if (codes[i] == 0) answered.push_back(others[i]);
  }
  return answered;
}

int run_remote_shell(const std::vector<std::string>& words) {
  const int code = wait_for(spawn(words, {}));
  constexpr int moment_ms = 2000;
  if (code != 0) ::poll(nullptr, 0, moment_ms);
  return code;
}

}  // namespace daig::launcher
