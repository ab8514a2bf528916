#pragma once

/// Reading of gzip files (RFC 1952).

#include <cstddef>
#include <memory>
#include <span>

#include <daig/data/byte_source.hpp>

namespace daig::data::detail {

bool is_gzip(std::span<const std::byte> start);

/// Decompresses from the beginning to the end, as many bytes at a time as are asked for: what is
/// not asked for is not produced. Members that follow each other are one stream, as gzip(1) has it.
class GzipReader {
 public:
  explicit GzipReader(ByteSourcePtr packed);
  GzipReader(const GzipReader&) = delete;
  GzipReader& operator=(const GzipReader&) = delete;
  GzipReader(GzipReader&&) = delete;
  GzipReader& operator=(GzipReader&&) = delete;
  ~GzipReader();

  /// Fills `into`, but for the end of the stream; returns the number of bytes.
  /// @throws InputError naming the file when it is truncated or corrupt (checksums included).
  std::size_t read(std::span<std::byte> into);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace daig::data::detail
