#include "zip.hpp"

#include <algorithm>
#include <iterator>
#include <span>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include <daig/core/error.hpp>

namespace daig::data::detail {
namespace {

constexpr std::uint32_t local_magic = 0x04034B50;
constexpr std::uint32_t member_magic = 0x02014B50;
constexpr std::uint32_t end_magic = 0x06054B50;
constexpr std::uint32_t end_64_magic = 0x06064B50;
constexpr std::uint32_t locator_64_magic = 0x07064B50;

constexpr std::uint64_t local_bytes = 30;
constexpr std::uint64_t member_bytes = 46;
constexpr std::uint64_t end_bytes = 22;
constexpr std::uint64_t end_64_bytes = 56;
constexpr std::uint64_t locator_64_bytes = 20;
constexpr std::uint64_t most_comment_bytes = 0xFFFF;
constexpr std::uint64_t most_directory_bytes = std::uint64_t{64} << 20;

/// Stands in a field of 32 bits whose value is elsewhere, in 64.
constexpr std::uint32_t elsewhere = 0xFFFFFFFF;

std::uint64_t number(std::span<const std::byte> bytes, std::size_t at, std::size_t count) {
  std::uint64_t value = 0;
  for (std::size_t i = count; i-- > 0;) {
    value = value << 8 | std::to_integer<std::uint64_t>(bytes[at + i]);
  }
  return value;
}

std::uint32_t number_32(std::span<const std::byte> bytes, std::size_t at) {
  return static_cast<std::uint32_t>(number(bytes, at, 4));
}

std::vector<std::byte> bytes_at(const ByteSource& file, std::uint64_t at, std::uint64_t count) {
  std::vector<std::byte> bytes(count);
  file.read(at, bytes);
  return bytes;
}

[[noreturn]] void refuse(const ByteSource& file, std::string_view what) {
  throw InputError(file.name(), fmt::format("{}; the zip file is damaged: get it again", what));
}

/// Where the directory lies.
struct Directory {
  std::uint64_t at = 0;
  std::uint64_t bytes = 0;
};

/// The record at the very end of the file, which a comment may follow; searched from the end.
std::uint64_t find_end(const ByteSource& file) {
  const std::uint64_t size = file.size();
  const std::uint64_t tail_bytes = std::min(size, end_bytes + most_comment_bytes);
  const std::vector<std::byte> tail = bytes_at(file, size - tail_bytes, tail_bytes);
  for (std::uint64_t at = tail_bytes < end_bytes ? 0 : tail_bytes - end_bytes + 1; at-- > 0;) {
    if (number_32(tail, at) == end_magic &&
        at + end_bytes + number(tail, at + 20, 2) == tail_bytes) {
      return size - tail_bytes + at;
    }
  }
  throw InputError(file.name(),
                   "begins as a zip file does and does not end as one; it is truncated: get it "
                   "again");
}

Directory find_directory(const ByteSource& file) {
  std::uint64_t end_at = find_end(file);
  const std::vector<std::byte> end = bytes_at(file, end_at, end_bytes);
  Directory directory{number_32(end, 16), number_32(end, 12)};
  std::uint64_t disks = number(end, 4, 2) | number(end, 6, 2);
  if (end_at >= locator_64_bytes) {
    const auto locator = bytes_at(file, end_at - locator_64_bytes, locator_64_bytes);
    if (number_32(locator, 0) == locator_64_magic) {
      const std::uint64_t at = number(locator, 8, 8);
      if (at > end_at || end_at - at < end_64_bytes + locator_64_bytes) {
        refuse(file, "its directory's end lies elsewhere than it says");
      }
      const auto end_64 = bytes_at(file, at, end_64_bytes);
      if (number_32(end_64, 0) != end_64_magic) {
        refuse(file, "its directory's end lies elsewhere than it says");
      }
      disks = number_32(end_64, 16) | number_32(end_64, 20);
      directory = {number(end_64, 48, 8), number(end_64, 40, 8)};
      end_at = at;
    }
  }
  if (disks != 0) refuse(file, "it is one of several parts of a file");
  if (directory.at > end_at || directory.bytes > end_at - directory.at) {
    refuse(file, "its directory does not lie in it");
  }
  if (directory.bytes > most_directory_bytes) refuse(file, "its directory has an absurd size");
  return directory;
}

/// Replaces what stands elsewhere: in an extra field with the id 1, in this order.
void read_64(std::span<const std::byte> extra, ZipMember& member) {
  while (extra.size() >= 4) {
    const std::uint64_t id = number(extra, 0, 2);
    const std::uint64_t bytes = std::min<std::uint64_t>(number(extra, 2, 2), extra.size() - 4);
    auto field = extra.subspan(4, bytes);
    extra = extra.subspan(4 + bytes);
    if (id != 1) continue;
    for (std::uint64_t* value : {&member.bytes, &member.packed_bytes, &member.header_at}) {
      if (*value != elsewhere || field.size() < 8) continue;
      *value = number(field, 0, 8);
      field = field.subspan(8);
    }
  }
}

}  // namespace

bool is_zip(std::span<const std::byte> start) {
  return start.size() >= 4 &&
         (number_32(start, 0) == local_magic || number_32(start, 0) == end_magic);
}

std::vector<ZipMember> read_zip_directory(const ByteSource& file) {
  const Directory directory = find_directory(file);
  const std::vector<std::byte> bytes = bytes_at(file, directory.at, directory.bytes);
  std::vector<ZipMember> members;
  for (std::span<const std::byte> rest(bytes); !rest.empty();) {
    if (rest.size() < member_bytes || number_32(rest, 0) != member_magic) {
      refuse(file, fmt::format("member {} of its directory cannot be read", members.size()));
    }
    const std::uint64_t name_bytes = number(rest, 28, 2);
    const std::uint64_t extra_bytes = number(rest, 30, 2);
    const std::uint64_t all_bytes =
        member_bytes + name_bytes + extra_bytes + number(rest, 32, 2);  // and the comment
    if (rest.size() < all_bytes) {
      refuse(file, fmt::format("member {} of its directory is cut off", members.size()));
    }
    ZipMember& member = members.emplace_back();
    member.encrypted = (number(rest, 8, 2) & 1) != 0;
    member.method = static_cast<ZipMethod>(number(rest, 10, 2));
    member.checksum = number_32(rest, 16);
    member.packed_bytes = number_32(rest, 20);
    member.bytes = number_32(rest, 24);
    member.header_at = number_32(rest, 42);
    const auto name = rest.subspan(member_bytes, name_bytes);
    std::ranges::transform(name, std::back_inserter(member.name),
                           [](std::byte byte) { return static_cast<char>(byte); });
    read_64(rest.subspan(member_bytes + name_bytes, extra_bytes), member);
    rest = rest.subspan(all_bytes);
  }
  return members;
}

ByteSourcePtr packed_bytes_of(ByteSourcePtr file, const ZipMember& member, std::string name) {
  const auto check = [&](bool holds) {
    if (holds) return;
    throw InputError(name,
                     "does not lie where the zip file's directory says; the file is damaged: "
                     "get it again");
  };
  const std::uint64_t size = file->size();
  check(size >= local_bytes && member.header_at <= size - local_bytes);
  const auto header = bytes_at(*file, member.header_at, local_bytes);
  check(number_32(header, 0) == local_magic);
  // Its own numbers for name and extra field: the latter is often another one than the directory's.
  const std::uint64_t at =
      member.header_at + local_bytes + number(header, 26, 2) + number(header, 28, 2);
  check(at <= size && member.packed_bytes <= size - at);
  return part_of(std::move(file), at, member.packed_bytes, std::move(name));
}

}  // namespace daig::data::detail
