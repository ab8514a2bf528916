#include "remote_shell.hpp"

#include <cstdlib>
#include <iterator>
#include <sstream>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <poll.h>

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
  return first;
}

std::vector<std::string> remote_shell() {
  const char* setting = std::getenv("OMPI_MCA_plm_rsh_agent");
  return remote_shell(setting == nullptr ? "" : setting);
}

std::string guarded_remote_shell(const std::vector<std::string>& agent) {
  const std::string itself = fmt::format("{}", fmt::join(agent, " "));
  return fmt::format("{} {} {} : {}", own_path(), remote_shell_command, itself, itself);
}

int run_remote_shell(const std::vector<std::string>& words) {
  const int code = wait_for(spawn(words, {}));
  constexpr int moment_ms = 2000;
  if (code != 0) ::poll(nullptr, 0, moment_ms);
  return code;
}

}  // namespace daig::launcher
