#pragma once

/// How another process asks a run that is under way for a snapshot: by a file in the run's folder,
/// which the run takes away once it has written one.

#include <filesystem>

#include <daig/core/deadline.hpp>

namespace daig::launcher {

/// The run's side. Cost: a look at the folder once a second.
class SnapshotRequest {
 public:
  explicit SnapshotRequest(const std::filesystem::path& folder);

  /// Whether somebody asks; looks once a second at most.
  bool is_there();
  /// A snapshot is written: that is what was asked for.
  void answer() const;

 private:
  static constexpr Duration pause = std::chrono::seconds(1);

  std::filesystem::path file_;
  TimePoint looked_{};
};

/// The other side: asks, and waits until there is an answer, or the finished model.
/// @throws IoError when the folder cannot be written to; DeadlineExceeded when nobody answers in
/// time, and then nothing is asked any more.
void ask_for_snapshot(const std::filesystem::path& folder, Duration patience);

}  // namespace daig::launcher
