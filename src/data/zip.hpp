#pragma once

/// Reading of zip files.
///
/// Source: PKWARE, APPNOTE.TXT 6.3, "ZIP File Format Specification", with the 64-bit extensions
/// (4.3.14, 4.5.3). Believed is the directory at the end of the file; what stands before a member's
/// bytes is only stepped over.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <daig/data/byte_source.hpp>

namespace daig::data::detail {

/// How a member's bytes are kept. Other numbers are other ways.
enum class ZipMethod : std::uint16_t { stored = 0, deflated = 8 };

struct ZipMember {
  std::string name;
  bool encrypted = false;
  ZipMethod method = ZipMethod::stored;
  std::uint32_t checksum = 0;      ///< CRC-32 of the bytes
  std::uint64_t packed_bytes = 0;  ///< in the file
  std::uint64_t bytes = 0;
  std::uint64_t header_at = 0;  ///< in the file
};

/// True when the bytes begin as a zip file does.
bool is_zip(std::span<const std::byte> start);

/// The members, in the order of the directory. Cost: reads the directory; memory for it, 64 MiB at
/// most. @throws InputError naming the file when it is truncated, damaged, or one of several parts.
std::vector<ZipMember> read_zip_directory(const ByteSource& file);

/// The packed bytes of a member, where they are: nothing is copied.
/// @throws InputError naming the member when they do not lie in the file.
ByteSourcePtr packed_bytes_of(ByteSourcePtr file, const ZipMember& member, std::string name);

}  // namespace daig::data::detail
