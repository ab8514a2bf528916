#pragma once

/// The rules that the source keeps beyond what a compiler asks: floors, outside libraries' headers
/// in their places, tidy files. A rule looks at one file and says what is wrong in it.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

namespace daig::checks {

/// One file of the project.
struct SourceFile {
  std::filesystem::path path;  ///< from the project's root
  std::string text;
};

using Findings = std::vector<std::string>;

/// The floors: a folder of include/daig may include folders of lower floors and itself, no sibling.
inline const std::map<std::string, int, std::less<>> floor_of{
    {"core", 0},                                                                   //
    {"comm", 1},       {"codec", 1}, {"model", 1},   {"data", 1}, {"metrics", 1},  //
    {"collective", 2}, {"optim", 2}, {"control", 2}, {"nn", 2},   {"store", 2},    //
    {"train", 3},
};

/// Folders of include/daig and src: what they include of DAIG lies on a lower floor, and another
/// folder's detail/ is left alone everywhere.
inline Findings check_floors(const SourceFile& file);

/// A public header includes the standard library, POSIX, fmt and DAIG; outside libraries stay in
/// src/, CLI11 and cairo in launcher/ (examples and benchmarks may use both, and tests compare with
/// them).
inline Findings check_outside_headers(const SourceFile& file);

/// No tabs, spaces at line ends, carriage returns, unfinished business or paths of one machine; a
/// newline ends the file, and a header begins with its guard.
inline Findings check_tidiness(const SourceFile& file);

/// The project's own text files: what git would track, told by folder and ending.
inline std::vector<SourceFile> read_project(const std::filesystem::path& root);

// ---------------------------------------------------------------------------------------------

namespace detail {

struct Include {
  int line;
  std::string name;  ///< between the <> or ""
  bool quoted;
};

inline std::vector<Include> includes_of(const SourceFile& file) {
  std::vector<Include> includes;
  std::istringstream lines(file.text);
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    std::size_t at = line.find_first_not_of(' ');
    if (at == std::string::npos || line[at] != '#') continue;
    at = line.find_first_not_of(' ', at + 1);
    if (at == std::string::npos || line.compare(at, 7, "include") != 0) continue;
    const std::size_t open = line.find_first_of("<\"", at);
    if (open == std::string::npos) continue;
    const std::size_t close = line.find_first_of(">\"", open + 1);
    includes.push_back({number, line.substr(open + 1, close - open - 1), line[open] == '"'});
  }
  return includes;
}

/// The parts of a path as texts: "include/daig/core/id.hpp" -> include, daig, core, id.hpp.
inline std::vector<std::string> parts_of(const std::filesystem::path& path) {
  std::vector<std::string> parts;
  for (const std::filesystem::path& part : path) parts.push_back(part.string());
  return parts;
}

inline bool is_code(const SourceFile& file) {
  const std::filesystem::path ending = file.path.extension();
  return ending == ".hpp" || ending == ".ipp" || ending == ".cpp";
}

inline std::string place(const SourceFile& file, int line) {
  return fmt::format("{}:{}: ", file.path.string(), line);
}

/// The folder whose floor binds this file: core of include/daig/core/id.hpp and src/core/x.cpp.
inline std::string folder_of(const SourceFile& file) {
  const std::vector<std::string> parts = parts_of(file.path);
  if (parts.size() > 3 && parts[0] == "include" && parts[1] == "daig") return parts[2];
  if (parts.size() > 2 && parts[0] == "src") return parts[1];
  return {};
}

}  // namespace detail

inline Findings check_floors(const SourceFile& file) {
  Findings findings;
  if (!detail::is_code(file)) return findings;
  const std::vector<std::string> own = detail::parts_of(file.path);
  const std::string folder = detail::folder_of(file);
  const auto floor = floor_of.find(folder);
  if (!folder.empty() && floor == floor_of.end()) {
    findings.push_back(detail::place(file, 1) + folder + " has no floor: give it one in floor_of");
  }
  for (const detail::Include& include : detail::includes_of(file)) {
    const std::vector<std::string> parts = detail::parts_of(include.name);
    if (parts.size() < 3 || parts[0] != "daig") continue;
    const std::string& other = parts[1];
    if (parts[2] == "detail" && std::find(own.begin(), own.end(), other) == own.end()) {
      findings.push_back(detail::place(file, include.line) + include.name +
                         " is a detail of another folder");
    }
    if (folder.empty() || floor == floor_of.end() || other == folder) continue;
    const auto other_floor = floor_of.find(other);
    if (other_floor == floor_of.end() || other_floor->second >= floor->second) {
      findings.push_back(detail::place(file, include.line) +
                         fmt::format("{} (floor {}) includes {}, which is not on a lower floor",
                                     folder, floor->second, include.name));
    }
  }
  return findings;
}

inline Findings check_outside_headers(const SourceFile& file) {
  static const std::set<std::string, std::less<>> posix{
      "arpa/inet.h",   "dirent.h", "fcntl.h",   "ifaddrs.h", "net/if.h", "glob.h",  "netinet/in.h",
      "netinet/tcp.h", "poll.h",   "pthread.h", "sched.h",   "signal.h", "spawn.h", "unistd.h"};
  Findings findings;
  if (!detail::is_code(file)) return findings;
  const std::string top = detail::parts_of(file.path).front();
  for (const detail::Include& include : detail::includes_of(file)) {
    const std::string& name = include.name;
    const auto found = [&](std::string_view why) {
      findings.push_back(fmt::format("{}{} {}", detail::place(file, include.line), name, why));
    };
    const bool standard = name.find_first_of("./") == std::string::npos;
    const bool system = !include.quoted && (posix.contains(name) || name.starts_with("sys/"));
    if (standard || name.starts_with("daig/") || name.starts_with("fmt/")) {
      if (include.quoted) found("is included with quotes: write <>");
      continue;
    }
    if (top == "include") {
      if (!system) found("is an outside library's header: it belongs into src/");
    } else if (name.starts_with("CLI/") || name.starts_with("cairo/")) {
      if (top == "src" || top == "tests") found("belongs into launcher/");
    } else if (top == "launcher" && !include.quoted && !system) {
      found("is an outside library's header: it belongs into src/");
    }
  }
  return findings;
}

inline Findings check_tidiness(const SourceFile& file) {
  // Taken apart, so that this file keeps its own rules.
  static const std::vector<std::string> unwanted{
      std::string("TO") + "DO", std::string("FIX") + "ME", std::string("/ho") + "me/",
      std::string("/ro") + "ot/", std::string("/wo") + "rk/"};
  Findings findings;
  std::istringstream lines(file.text);
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    const auto found = [&](const std::string& what) {
      findings.push_back(detail::place(file, number) + what);
    };
    if (line.find('\t') != std::string::npos) found("a tab");
    if (line.find('\r') != std::string::npos) found("a carriage return");
    if (line.ends_with(' ')) found("spaces at the end of the line");
    for (const std::string& word : unwanted) {
      if (line.find(word) != std::string::npos) found(word);
    }
  }
  if (!file.text.empty() && file.text.back() != '\n') {
    findings.push_back(file.path.string() + ": no newline at the end");
  }
  if (file.path.extension() == ".hpp" && !file.text.starts_with("#pragma once\n")) {
    findings.push_back(file.path.string() + ": does not begin with #pragma once");
  }
  return findings;
}

inline std::vector<SourceFile> read_project(const std::filesystem::path& root) {
  static const std::set<std::string, std::less<>> folders{
      "include", "src",   "launcher", "examples", "benchmarks",
      "tests",   "cmake", "scripts",  ".ci",      "docs"};
  static const std::set<std::string, std::less<>> endings{
      ".hpp", ".ipp", ".cpp", ".txt", ".cmake", ".in", ".md", ".json", ".py", ".sh", ".supp"};
  std::vector<SourceFile> files;
  const auto take = [&](const std::filesystem::path& path) {
    const std::filesystem::path folder = path.parent_path().filename();
    const bool script = !path.has_extension() && (folder == "scripts" || folder == ".ci");
    if (!script && !endings.contains(path.extension().string())) return;
    std::ifstream stream(path, std::ios::binary);
    files.push_back({path.lexically_relative(root),
                     {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()}});
  };
  for (const auto& top : std::filesystem::directory_iterator(root)) {
    if (top.is_regular_file()) take(top.path());
    if (!top.is_directory() || !folders.contains(top.path().filename().string())) continue;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(top.path())) {
      if (entry.is_regular_file()) take(entry.path());
    }
  }
  return files;
}

}  // namespace daig::checks
