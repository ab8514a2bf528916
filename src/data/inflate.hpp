#pragma once

/// Decompressing of deflated bytes (RFC 1951), in gzip files (RFC 1952) and in zip files.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include <daig/data/byte_source.hpp>

namespace daig::data::detail {

bool is_gzip(std::span<const std::byte> start);

/// A match of 258 bytes takes two bits at least (zlib's technical details give the same bound).
inline constexpr std::uint64_t max_deflate_ratio = 1032;

/// What is round the deflated bytes. Members of a gzip file that follow each other are one stream,
/// as gzip(1) has it.
enum class Wrapping { gzip, none };

/// Decompresses from the beginning to the end, as many bytes at a time as are asked for: what is
/// not asked for is not produced.
class Inflater {
 public:
  Inflater(ByteSourcePtr packed, Wrapping wrapping);
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  Inflater(Inflater&&) = delete;
  Inflater& operator=(Inflater&&) = delete;
  ~Inflater();

  /// Fills `into`, but for the end of the stream; returns the number of bytes.
  /// @throws InputError naming the file when it is truncated or corrupt (a gzip file's checksums
  /// included).
  std::size_t read(std::span<std::byte> into);

  /// CRC-32 of all that was read without a wrapping, which has no checksum of its own.
  std::uint32_t checksum() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace daig::data::detail
