#include "pending_file.hpp"

#include <atomic>
#include <cerrno>
#include <cstring>
#include <string>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <daig/core/error.hpp>

namespace daig::store::detail {

namespace fs = std::filesystem;

namespace {

[[noreturn]] void fail(const fs::path& path, const char* what, int error) {
  throw IoError(fmt::format("{}: {}: {}", path.string(), what, std::strerror(error)));
}

/// Asks the system to put what a file or folder holds on the disk.
void flush(const fs::path& path, int flags) {
  const int file = ::open(path.c_str(), flags | O_CLOEXEC);
  if (file < 0) fail(path, "cannot be opened to be flushed", errno);
  const int failed = ::fsync(file) != 0 ? errno : 0;
  ::close(file);
  if (failed != 0) fail(path, "cannot be flushed to the disk", failed);
}

/// The file a name stands for: renaming onto a symbolic link would replace the link.
fs::path followed(const fs::path& path) {
  std::error_code unresolved;
  const fs::path real = fs::weakly_canonical(path, unresolved);
  return unresolved ? path : real;
}

}  // namespace

PendingFile::PendingFile(const fs::path& target) : target_(followed(target)) {
  std::error_code unknown;
  const fs::file_status status = fs::status(target_, unknown);
  if (fs::exists(status) && !fs::is_regular_file(status)) {
    throw IoError(
        fmt::format("{}: cannot be written, as it is a folder or a device; give the name "
                    "of a file",
                    target.string()));
  }
  if (!target_.has_filename()) {
    throw IoError(fmt::format("'{}' names no file to write", target.string()));
  }
  static std::atomic<unsigned> count{0};
  temporary_ = target_;
  temporary_ += fmt::format(".tmp-{}-{}", ::getpid(), count++);
  const int file = ::open(temporary_.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666);
  if (file < 0) fail(target, "cannot be written: no file can be created beside it", errno);
  ::close(file);
}

PendingFile::~PendingFile() {
  if (!committed_) ::unlink(temporary_.c_str());
}

void PendingFile::commit() {
  flush(temporary_, O_WRONLY);
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) {
    fail(target_, "cannot be replaced by the new file", errno);
  }
  committed_ = true;
  flush(target_.parent_path().empty() ? "." : target_.parent_path(), O_RDONLY | O_DIRECTORY);
}

}  // namespace daig::store::detail
