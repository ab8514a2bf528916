#pragma once

/// Bytes to read from: a file or memory. The readers of formats know only this.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace daig::data {

/// A fixed number of bytes that can be read from any place. Any thread may read.
class ByteSource {
 public:
  explicit ByteSource(std::string name) : name_(std::move(name)) {}
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;
  ByteSource(ByteSource&&) = delete;
  ByteSource& operator=(ByteSource&&) = delete;
  virtual ~ByteSource() = default;

  /// What errors call it: the path of a file.
  const std::string& name() const { return name_; }
  virtual std::uint64_t size() const = 0;

  /// Fills `into` with the bytes from `offset` on. Expects them to lie within size().
  /// @throws IoError when the system refuses, InputError when the file has shrunk since it was
  /// opened.
  virtual void read(std::uint64_t offset, std::span<std::byte> into) const = 0;

 private:
  std::string name_;
};

using ByteSourcePtr = std::shared_ptr<const ByteSource>;

/// A regular file, kept open. Cost of a read: one pread(2).
///
/// Not a memory map: a file that shrinks while it is mapped kills the process with SIGBUS, while a
/// short pread is an error with a name; and shards are read once, in long pieces, so that a map
/// would save nothing.
/// @throws InputError when there is no such file or it is not a regular one.
ByteSourcePtr open_file(const std::filesystem::path& path);

/// Bytes in memory.
ByteSourcePtr bytes_in_memory(std::string name, std::vector<std::byte> bytes);

/// `size` bytes of others, from `offset` on, under a name of their own. Expects them to exist.
ByteSourcePtr part_of(ByteSourcePtr whole, std::uint64_t offset, std::uint64_t size,
                      std::string name);

}  // namespace daig::data
