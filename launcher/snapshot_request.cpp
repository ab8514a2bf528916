#include "snapshot_request.hpp"

#include <cerrno>
#include <cstring>
#include <system_error>
#include <thread>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <daig/core/error.hpp>
#include <daig/store/run_directory.hpp>

namespace daig::launcher {
namespace {

namespace fs = std::filesystem;

constexpr const char* file_name = "snapshot-request";

bool is_file(const fs::path& path) {
  std::error_code unknown;
  return fs::exists(path, unknown);
}

void take_away(const fs::path& path) {
  std::error_code in_vain;  // somebody else was faster, or may and will
  fs::remove(path, in_vain);
}

}  // namespace

SnapshotRequest::SnapshotRequest(const fs::path& folder) : file_(folder / file_name) {}

bool SnapshotRequest::is_there() {
  const TimePoint now = Clock::now();
  if (now - looked_ < pause) return false;
  looked_ = now;
  return is_file(file_);
}

void SnapshotRequest::answer() const {
  take_away(file_);
}

void ask_for_snapshot(const fs::path& folder, Duration patience) {
  const fs::path request = folder / file_name;
  const int file = ::open(request.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0666);
  if (file < 0) {
    throw IoError(fmt::format("{}: the run cannot be asked for a snapshot: {}", request.string(),
                              std::strerror(errno)));
  }
  ::close(file);
  const Deadline deadline = Deadline::in(patience);
  while (is_file(request) && !is_file(folder / store::RunDirectory::model_name)) {
    if (deadline.expired()) {
      take_away(request);
      throw DeadlineExceeded(fmt::format(
          "{}: asked for a snapshot, the run did not answer within {:g} s; it may not be "
          "under way, or wait for volunteers: leave out --now for the latest snapshot "
          "that there is",
          folder.string(), seconds(patience)));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  take_away(request);
}

}  // namespace daig::launcher
