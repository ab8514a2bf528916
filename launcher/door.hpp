#pragma once

/// Where newcomers knock at a job: rank 0 writes it into a file that the launcher has named, and
/// into another one whom it has lost.

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace daig::launcher {

/// The launcher's side of it.
class DoorWatch {
 public:
  explicit DoorWatch(std::filesystem::path path) : path_(std::move(path)) {}

  const std::filesystem::path& path() const { return path_; }
  /// The addresses; empty when newcomers are not, or no longer, let in. Reads a small file.
  std::string addresses() const;
  /// Ranks that rank 0 has lost, or that have left, since the last call. Reads what is new.
  std::vector<int> newly_lost();

 private:
  std::filesystem::path path_;
  std::uint64_t read_bytes_ = 0;  ///< of the file of lost ranks
};

/// Rank 0's side, of a job that may grow: no newcomer is let in from now on. Without a door nothing
/// happens.
void shut_own_door();

}  // namespace daig::launcher
