#pragma once

/// Which machines a job runs on, from a file.

#include <filesystem>
#include <string>
#include <vector>

namespace daig::launcher {

struct Host {
  std::string name;
  int slots = 1;  ///< ranks it takes before the next one's turn

  friend bool operator==(const Host&, const Host&) = default;
};

/// Reads a file with a host on each line: "host", "host:4" or "host slots=4"; '#' begins a comment.
/// This machine comes first, so that rank 0 runs on it: where the file does not name it, it is
/// added, for rank 0 alone.
/// @throws InputError naming the file, the line, and what is wrong with it.
std::vector<Host> read_hostfile(const std::filesystem::path& path);

/// What is in such a file. @throws InputError when it cannot be read.
std::string text_of_hostfile(const std::filesystem::path& path);

/// This machine's name.
std::string own_host_name();

/// The same from text. @param name  what errors call it  @param own_name  this machine's
std::vector<Host> parse_hostfile(const std::string& text, const std::string& name,
                                 const std::string& own_name);

/// "localhost:1,nodea:4", for mpirun's --host.
std::string host_list(const std::vector<Host>& hosts);

}  // namespace daig::launcher
