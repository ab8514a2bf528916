#pragma once

/// A file that does not exist until it is whole.

#include <filesystem>

namespace daig::store::detail {

/// Owns a new, empty file beside `target`; it takes the target's name at commit, or is removed.
class PendingFile {
 public:
  /// @throws IoError when a file cannot be created beside the target, or the target is something
  ///         that a file must not replace (a folder, a device).
  explicit PendingFile(const std::filesystem::path& target);
  PendingFile(const PendingFile&) = delete;
  PendingFile& operator=(const PendingFile&) = delete;
  PendingFile(PendingFile&&) = delete;
  PendingFile& operator=(PendingFile&&) = delete;
  ~PendingFile();

  /// Where to write.
  const std::filesystem::path& path() const { return temporary_; }

  /// Flushes what was written to the disk and renames it. @throws IoError
  void commit();

 private:
  std::filesystem::path target_;
  std::filesystem::path temporary_;
  bool committed_ = false;
};

}  // namespace daig::store::detail
