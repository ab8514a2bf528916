#pragma once

/// Where newcomers knock at a job: rank 0 writes it into a file that the launcher has named, and
/// into another one whom it has lost.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace daig::launcher {

/// The variable that tells the ranks of a job that it may grow: the file's path.
inline constexpr const char* door_variable = "DAIG_DOOR";
/// The variable that tells a newcomer what the file says.
inline constexpr const char* join_variable = "DAIG_JOIN";
/// The variable that tells a newcomer which rank it is.
inline constexpr const char* rank_variable = "DAIG_RANK";
/// The variable that holds the attempt's secret, which all its ranks know.
inline constexpr const char* key_variable = "DAIG_KEY";

/// The launcher's side of it.
class Door {
 public:
  explicit Door(std::filesystem::path path) : path_(std::move(path)) {}

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
