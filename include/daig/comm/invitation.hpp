#pragma once

/// What a process has to know to be a rank of a job that grows, and how its launcher tells it.

#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include <daig/core/error.hpp>
#include <daig/core/id.hpp>

namespace daig::comm {

// Variables of the environment. For the ranks that a growing job begins with:
inline constexpr const char* door_variable = "DAIG_DOOR";  ///< Door::file
inline constexpr const char* key_variable = "DAIG_KEY";    ///< for newcomers, too
// For newcomers:
inline constexpr const char* join_variable = "DAIG_JOIN";  ///< Invitation::addresses
inline constexpr const char* rank_variable = "DAIG_RANK";

/// Where newcomers are told to knock, in a job that may grow.
struct Door {
  std::string key;  ///< a secret of the job
  /// In which rank 0 publishes its addresses, "10.0.0.1:4711,127.0.0.1:4711", once there is
  /// something to take part in; unused on other ranks. Beside it, in a file with ".lost" at the end
  /// of its name, rank 0 writes a line for each rank that it has lost: "3".
  std::filesystem::path file;
};

/// What a newcomer has to know.
struct Invitation {
  std::string key;
  std::string addresses;  ///< rank 0's, as published
  Rank rank;              ///< nobody else's, ever
};

/// This process's, as its environment has it; nothing where the job does not grow.
/// @throws UsageError when half of it is missing.
std::optional<Door> door_from_environment();
/// Nothing in a process that is no newcomer. @throws UsageError when half of it is missing, or the
/// rank is no number.
std::optional<Invitation> invitation_from_environment();

// ---------------------------------------------------------------------------------------------

inline std::string needed_variable(const char* name, const char* because_of) {
  const char* value = std::getenv(name);
  if (value != nullptr && *value != '\0') return value;
  throw UsageError(
      fmt::format("{} is set, and {} is not: both come from the launcher", because_of, name));
}

inline std::optional<Door> door_from_environment() {
  const char* file = std::getenv(door_variable);
  if (file == nullptr) return std::nullopt;
  return Door{needed_variable(key_variable, door_variable), file};
}

inline std::optional<Invitation> invitation_from_environment() {
  const char* addresses = std::getenv(join_variable);
  if (addresses == nullptr) return std::nullopt;
  Invitation invitation{needed_variable(key_variable, join_variable), addresses, Rank{0}};
  const std::string text = needed_variable(rank_variable, join_variable);
  Rank::rep rank = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), rank);
  if (error != std::errc() || end != text.data() + text.size() || rank < 1) {
    throw UsageError(fmt::format("{}={}: no rank that could join", rank_variable, text));
  }
  invitation.rank = Rank{rank};
  return invitation;
}

}  // namespace daig::comm
