#include "file.hpp"

#include <cerrno>
#include <cstdlib>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <daig/core/error.hpp>

namespace daig::data::detail {
namespace {

std::string reason(int error) {
  return std::generic_category().message(error);
}

[[noreturn]] void refuse(const std::string& name, const char* what) {
  throw IoError(fmt::format("{}: {}: {}", name, what, reason(errno)));
}

struct stat status_of(int descriptor, const std::string& name) {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) refuse(name, "its size cannot be had");
  return status;
}

}  // namespace

File File::open(const std::filesystem::path& path) {
  // O_NONBLOCK: opening a pipe without a writer would wait for ever; for a file it means nothing.
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) throw InputError(path.native(), "cannot be opened: " + reason(errno));
  File file(descriptor, path.native());
  if (!S_ISREG(status_of(descriptor, file.name_).st_mode)) {
    throw InputError(file.name_, "is not a regular file; give the path of an array file");
  }
  return file;
}

File File::create(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor < 0) refuse(path.native(), "cannot be written");
  return {descriptor, path.native()};
}

File File::nameless() {
  const char* wanted = std::getenv("TMPDIR");
  const std::string folder = wanted == nullptr || *wanted == '\0' ? "/tmp" : wanted;
  std::string path = folder + "/daig-XXXXXX";
  const int descriptor = ::mkostemp(path.data(), O_CLOEXEC);
  if (descriptor < 0) {
    refuse(folder, "no temporary file can be made here (set TMPDIR to another folder)");
  }
  File file(descriptor, "a temporary file in " + folder);
  if (::unlink(path.c_str()) != 0) refuse(path, "the temporary file cannot be unlinked");
  return file;
}

File::~File() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

std::uint64_t File::size() const {
  return static_cast<std::uint64_t>(status_of(descriptor_, name_).st_size);
}

std::size_t File::read_at(std::uint64_t offset, std::span<std::byte> into) const {
  std::size_t filled = 0;
  while (filled < into.size()) {
    const auto got = ::pread(descriptor_, into.data() + filled, into.size() - filled,
                             static_cast<off_t>(offset + filled));
    if (got == 0) break;
    if (got > 0) {
      filled += static_cast<std::size_t>(got);
    } else if (errno != EINTR) {
      refuse(name_, "cannot be read");
    }
  }
  return filled;
}

void File::append(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const auto put = ::write(descriptor_, bytes.data(), bytes.size());
    if (put >= 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(put));
    } else if (errno != EINTR) {
      refuse(name_, "cannot be written");
    }
  }
}

void File::flush() {
  if (::fsync(descriptor_) != 0) refuse(name_, "cannot be written to the disk");
}

}  // namespace daig::data::detail
