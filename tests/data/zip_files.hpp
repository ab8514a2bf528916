#pragma once

/// Zip files made byte by byte (APPNOTE.TXT 6.3), so that the tests depend on no program that
/// writes them.

#include <cstdint>
#include <string>
#include <vector>

#include <zlib.h>

#include "array_files.hpp"

namespace daig::test {

struct Zipped {
  std::string name;
  Bytes content;
  bool deflated = false;
};

/// Whether sizes and places stand in fields of 32 bits, or elsewhere in 64, as numpy.savez has it
/// for large files.
enum class ZipNumbers { bits_32, bits_64 };

inline Bytes deflate(const Bytes& content) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  Bytes packed(deflateBound(&stream, static_cast<uLong>(content.size())));
  Bytes copy = content;
  stream.next_in = reinterpret_cast<Bytef*>(copy.data());
  stream.avail_in = static_cast<uInt>(copy.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  ::deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

inline Bytes zip(const std::vector<Zipped>& members, ZipNumbers numbers = ZipNumbers::bits_32) {
  const auto u16 = [](std::size_t value) {
    return raw<std::uint16_t>({static_cast<std::uint16_t>(value)});
  };
  const auto u32 = [](std::size_t value) {
    return raw<std::uint32_t>({static_cast<std::uint32_t>(value)});
  };
  const auto u64 = [](std::size_t value) { return raw<std::uint64_t>({value}); };
  const bool wide = numbers == ZipNumbers::bits_64;
  Bytes file;
  Bytes directory;
  for (const Zipped& member : members) {
    const Bytes packed = member.deflated ? deflate(member.content) : member.content;
    const auto* content = reinterpret_cast<const Bytef*>(member.content.data());
    const std::size_t checksum = crc32(0, content, static_cast<uInt>(member.content.size()));
    const std::size_t at = file.size();
    const Bytes common = u16(20) + u16(0) + u16(member.deflated ? 8 : 0) + u32(0) + u32(checksum) +
                         (wide ? u32(0xFFFFFFFF) + u32(0xFFFFFFFF)
                               : u32(packed.size()) + u32(member.content.size())) +
                         u16(member.name.size());
    // The local header has its own extra field, here one that nobody knows.
    file = std::move(file) + to_bytes("PK\x03\x04") + common + u16(4) + to_bytes(member.name) +
           u16(0x7777) + u16(0) + packed;
    const Bytes extra =
        wide ? u16(1) + u16(24) + u64(member.content.size()) + u64(packed.size()) + u64(at)
             : Bytes();
    directory = std::move(directory) + to_bytes("PK\x01\x02") + u16(20) + common +
                u16(extra.size()) + u16(0) + u16(0) + u16(0) + u32(0) +
                u32(wide ? 0xFFFFFFFF : at) + to_bytes(member.name) + extra;
  }
  const std::size_t directory_at = file.size();
  file = std::move(file) + directory;
  if (wide) {
    const std::size_t end_at = file.size();
    file = std::move(file) + to_bytes("PK\x06\x06") + u64(44) + u16(45) + u16(45) + u32(0) +
           u32(0) + u64(members.size()) + u64(members.size()) + u64(directory.size()) +
           u64(directory_at) + to_bytes("PK\x06\x07") + u32(0) + u64(end_at) + u32(1);
  }
  return file + to_bytes("PK\x05\x06") + u16(0) + u16(0) + u16(members.size()) +
         u16(members.size()) + u32(wide ? 0xFFFFFFFF : directory.size()) +
         u32(wide ? 0xFFFFFFFF : directory_at) + u16(0);
}

}  // namespace daig::test
