#pragma once

/// Files of the system: an owner for the descriptor, and every call checked once, here.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <utility>

#include <daig/data/byte_source.hpp>

namespace daig::data::detail {

/// Owns an open file.
class File {
 public:
  /// For reading. @throws InputError when there is none or it is not a regular file.
  static File open(const std::filesystem::path& path);
  /// For writing, emptied when it exists. @throws IoError.
  static File create(const std::filesystem::path& path);
  /// A file without a name, in TMPDIR, else /tmp: gone with its descriptor, also when the process
  /// is killed. @throws IoError.
  static File nameless();

  File(File&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)), name_(std::move(other.name_)) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  File& operator=(File&&) = delete;
  ~File();

  const std::string& name() const { return name_; }
  std::uint64_t size() const;
  /// Reads until `into` is full or the file ends; returns the number of bytes.
  std::size_t read_at(std::uint64_t offset, std::span<std::byte> into) const;
  void append(std::span<const std::byte> bytes);
  /// Waits until the bytes are on the disk.
  void flush();

 private:
  File(int descriptor, std::string name) : descriptor_(descriptor), name_(std::move(name)) {}

  int descriptor_;
  std::string name_;
};

/// The bytes of an open file, under the name that errors shall use: a decompressed file still goes
/// by the name of the compressed one.
ByteSourcePtr bytes_of(std::string name, File file);

}  // namespace daig::data::detail
