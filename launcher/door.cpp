#include "door.hpp"

#include <charconv>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string_view>
#include <system_error>

#include <daig/comm/invitation.hpp>

namespace daig::launcher {

std::string DoorWatch::addresses() const {
  std::ifstream file(path_);
  std::string line;
  std::getline(file, line);
  return line;
}

std::vector<int> DoorWatch::newly_lost() {
  std::vector<int> lost;
  std::ifstream file(path_.string() + ".lost", std::ios::binary);
  if (!file.seekg(static_cast<std::streamoff>(read_bytes_))) return lost;
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  std::string_view left = text;
  for (std::size_t end = 0; (end = left.find('\n')) != left.npos; left.remove_prefix(end + 1)) {
    int rank = 0;
    const auto [stop, error] = std::from_chars(left.data(), left.data() + end, rank);
    if (error == std::errc() && stop == left.data() + end) lost.push_back(rank);
  }
  read_bytes_ += text.size() - left.size();  // a line that is being written comes next time
  return lost;
}

void shut_own_door() {
  const char* path = std::getenv(comm::door_variable);
  if (path == nullptr) return;
  std::error_code ignored;
  std::filesystem::remove(path, ignored);
}

}  // namespace daig::launcher
