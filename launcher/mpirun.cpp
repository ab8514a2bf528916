#include "mpirun.hpp"

#include <cstdlib>
#include <filesystem>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <daig/core/error.hpp>

namespace daig::launcher {
namespace {

void append(std::vector<std::string>& line, const std::vector<std::string>& words) {
  line.insert(line.end(), words.begin(), words.end());
}

/// So many ranks. Each part of a line has an environment of its own.
void append_part(std::vector<std::string>& line, const Job& job, int ranks,
                 const std::vector<std::string>& starter) {
  for (const auto& [name, value] : environment_of_ranks(job))
    append(line, {"-x", name + "=" + value});
  for (const std::string& name : job.inherited) append(line, {"-x", name});
  append(line, {"-n", fmt::to_string(ranks)});
  append(line, starter);
  append(line, job.program);
}

std::string shell_word(const std::string& word) {
  constexpr std::string_view plain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=,+@%";
  if (!word.empty() && word.find_first_not_of(plain) == std::string::npos) return word;
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

bool is_executable(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(path, ignored) && ::access(path.c_str(), X_OK) == 0;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> environment_of_ranks(const Job& job) {
  std::vector<std::pair<std::string, std::string>> environment{{"OPENBLAS_NUM_THREADS", "1"}};
  environment.insert(environment.end(), job.environment.begin(), job.environment.end());
  return environment;
}

std::vector<std::string> mpirun_line(const Job& job, bool as_root) {
  std::vector<std::string> line{
      "mpirun", "--oversubscribe",     "--bind-to", "none", "--enable-recovery",
      "--mca",  "mpi_yield_when_idle", "1"};
  if (as_root) line.push_back("--allow-run-as-root");
  if (!job.remote_shell.empty()) append(line, {"--mca", "plm_rsh_agent", job.remote_shell});
  if (!job.hosts.empty()) append(line, {"--host", host_list(job.hosts)});
  // Rank 0 is the first process of the first part: mpirun fills hosts in their order, and this
  // machine comes first among them.
  if (job.rank_0_starter.empty()) {
    append_part(line, job, job.ranks, {});
    return line;
  }
  append_part(line, job, 1, job.rank_0_starter);
  if (job.ranks == 1) return line;
  line.push_back(":");
  append_part(line, job, job.ranks - 1, {});
  return line;
}

std::string shell_text(const std::vector<std::string>& line) {
  std::vector<std::string> words;
  for (const std::string& word : line) words.push_back(shell_word(word));
  return fmt::format("{}", fmt::join(words, " "));
}

bool is_harmless(std::string_view line) {
  const auto holds = [&](std::string_view words) { return line.find(words) != line.npos; };
  return (holds("PMIX ERROR: BAD-PARAM") && holds("pmix_event_notification.c")) ||
         holds("sent help message help-errmgr-base.txt") || holds("plm:rsh: Warning: setpgid(") ||
         (holds("] Read -1, expected ") && holds(", errno = 3")) ||
         line.starts_with("Set MCA parameter \"orte_base_help_aggregate\" to 0");
}

bool is_program(const std::string& name) {
  if (name.find('/') != std::string::npos) return is_executable(name);
  const char* variable = std::getenv("PATH");
  std::string_view folders = variable == nullptr ? "/usr/bin:/bin" : variable;
  while (!folders.empty()) {
    const std::string_view folder = folders.substr(0, folders.find(':'));
    if (!folder.empty() && is_executable(std::filesystem::path(folder) / name)) return true;
    folders.remove_prefix(std::min(folders.size(), folder.size() + 1));
  }
  return false;
}

void check_program(const std::string& name, std::string_view advice) {
  if (is_program(name)) return;
  const char* where = name.find('/') == std::string::npos ? " in PATH" : "";
  throw InputError(name, fmt::format("there is no such program{}; {}", where, advice));
}

}  // namespace daig::launcher
