#pragma once

/// The folder of a run: where its model, snapshots, ledger and events lie.

#include <cstddef>
#include <filesystem>
#include <optional>
#include <vector>

#include <daig/core/id.hpp>

namespace daig::store {

/// One saved state of a run.
struct Snapshot {
  Version version;
  std::filesystem::path path;
};

/// The snapshots in a folder, latest first. (They are whole: see write_model.) The folder may be in
/// use: a run that goes on adds some and removes others, so that one of these can be gone by the
/// time it is opened. @throws IoError when the folder cannot be read.
std::vector<Snapshot> snapshots_in(const std::filesystem::path& folder);

/// Owns a run's folder as long as it lives: a second process is refused meanwhile.
class RunDirectory {
 public:
  /// Makes the folder of a new run, and the folders above it.
  /// @throws UsageError when it already holds a run; IoError when it cannot be made or used.
  static RunDirectory create(const std::filesystem::path& path);

  /// Opens the folder of a run to go on with it.
  /// @throws InputError when it holds no run; IoError when another process is using it.
  static RunDirectory resume(const std::filesystem::path& path);

  RunDirectory(RunDirectory&& other) noexcept;
  RunDirectory& operator=(RunDirectory&&) = delete;
  RunDirectory(const RunDirectory&) = delete;
  RunDirectory& operator=(const RunDirectory&) = delete;
  ~RunDirectory();

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path model() const { return path_ / model_name; }
  /// The file of another program's that the model came from, if it did.
  std::filesystem::path original() const { return path_ / original_name; }
  std::filesystem::path ledger() const { return path_ / ledger_name; }
  std::filesystem::path events() const { return path_ / events_name; }
  std::filesystem::path snapshot(Version version) const;

  /// The snapshots that are there, latest first.
  std::vector<Snapshot> snapshots() const { return snapshots_in(path_); }
  std::optional<Snapshot> latest_snapshot() const;
  /// Removes all snapshots but the latest ones, and the first: a replay of the run starts from the
  /// weights that it began with. Expects count > 0.
  void keep_latest_snapshots(std::size_t count) const;

  static constexpr const char* ledger_name = "ledger.sqlite";
  static constexpr const char* original_name = "original.h5";
  static constexpr const char* model_name = "model.h5";
  static constexpr const char* events_name = "events.jsonl";
  /// The snapshot that every run keeps: before any step.
  static constexpr Version first_version{0};

 private:
  RunDirectory(std::filesystem::path path, int lock);

  std::filesystem::path path_;
  int lock_;  ///< the open folder, locked; the system unlocks it when the process dies
};

}  // namespace daig::store
