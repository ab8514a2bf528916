#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <daig/core/error.hpp>
#include <daig/store/run_directory.hpp>

namespace daig::store {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view prefix = "snapshot-";
constexpr std::string_view suffix = ".h5";

/// The version in a snapshot's name; nothing for other files, such as an unfinished snapshot.
std::optional<Version> version_of(const std::string& name) {
  if (name.size() <= prefix.size() + suffix.size() || !name.starts_with(prefix) ||
      !name.ends_with(suffix)) {
    return std::nullopt;
  }
  const char* begin = name.data() + prefix.size();
  const char* end = name.data() + name.size() - suffix.size();
  Version::rep value = 0;
  const auto [stop, error] = std::from_chars(begin, end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return Version{value};
}

/// Opens a folder and locks it against other processes; the lock ends with the process.
int lock_folder(const fs::path& path) {
  const int folder = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) {
    throw IoError(fmt::format("{}: the run's folder cannot be used: {}", path.string(),
                              std::strerror(errno)));
  }
  // A file system that cannot lock at all is let pass: the run is not worth less there.
  if (::flock(folder, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    ::close(folder);
    throw IoError(fmt::format(
        "{}: another process is using this run's folder; wait for it or choose another folder",
        path.string()));
  }
  return folder;
}

}  // namespace

std::vector<Snapshot> snapshots_in(const fs::path& folder) {
  std::vector<Snapshot> found;
  std::error_code error;
  fs::directory_iterator entry(folder, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const auto version = version_of(entry->path().filename().string());
    std::error_code unknown;
    if (version && entry->is_regular_file(unknown)) found.push_back({*version, entry->path()});
  }
  if (error) {
    throw IoError(
        fmt::format("{}: the run's folder cannot be read: {}", folder.string(), error.message()));
  }
  std::sort(found.begin(), found.end(),
            [](const Snapshot& a, const Snapshot& b) { return a.version > b.version; });
  return found;
}

RunDirectory RunDirectory::create(const fs::path& path) {
  std::error_code error;
  if (fs::exists(path, error) && !fs::is_directory(path, error)) {
    throw UsageError(
        fmt::format("{}: is not a folder; choose another one for the run", path.string()));
  }
  fs::create_directories(path, error);
  if (error) {
    throw IoError(
        fmt::format("{}: the run's folder cannot be made: {}", path.string(), error.message()));
  }
  RunDirectory directory(path, lock_folder(path));
  const bool used = fs::exists(directory.ledger(), error) || fs::exists(directory.model(), error) ||
                    !directory.snapshots().empty();
  if (used) {
    throw UsageError(fmt::format(
        "{}: this folder already holds a run; resume it, or choose another folder", path.string()));
  }
  return directory;
}

RunDirectory RunDirectory::resume(const fs::path& path) {
  std::error_code unknown;
  if (!fs::is_regular_file(path / ledger_name, unknown)) {
    throw InputError(
        path.string(),
        fmt::format("holds no run, as there is no {} in it; check the path", ledger_name));
  }
  return RunDirectory(path, lock_folder(path));
}

RunDirectory::RunDirectory(fs::path path, int lock) : path_(std::move(path)), lock_(lock) {}

RunDirectory::RunDirectory(RunDirectory&& other) noexcept
    : path_(std::move(other.path_)), lock_(std::exchange(other.lock_, -1)) {}

RunDirectory::~RunDirectory() {
  if (lock_ >= 0) ::close(lock_);
}

fs::path RunDirectory::snapshot(Version version) const {
  return path_ / fmt::format("{}{}{}", prefix, version.value(), suffix);
}

std::optional<Snapshot> RunDirectory::latest_snapshot() const {
  const std::vector<Snapshot> found = snapshots();
  if (found.empty()) return std::nullopt;
  return found.front();
}

void RunDirectory::keep_latest_snapshots(std::size_t count) const {
  expects(count > 0, "at least one snapshot to keep");
  const std::vector<Snapshot> found = snapshots();
  for (std::size_t i = count; i < found.size(); ++i) {
    if (found[i].version == first_version) continue;
    std::error_code error;
    fs::remove(found[i].path, error);
    if (error) {
      throw IoError(fmt::format("{}: the old snapshot cannot be removed: {}",
                                found[i].path.string(), error.message()));
    }
  }
}

}  // namespace daig::store
