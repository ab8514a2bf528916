#include <string>

#include <fmt/format.h>

#include <daig/core/error.hpp>
#include <daig/data/idx.hpp>

#include "finish_header.hpp"

namespace daig::data {
namespace {

constexpr std::size_t magic_bytes = 4;

ElementType type_from(unsigned code, std::string_view name) {
  switch (code) {
    case 0x08:
      return ElementType::u8;
    case 0x09:
      return ElementType::i8;
    case 0x0B:
      return ElementType::i16;
    case 0x0C:
      return ElementType::i32;
    case 0x0D:
      return ElementType::f32;
    case 0x0E:
      return ElementType::f64;
    default:
      break;
  }
  throw InputError(name, fmt::format("its IDX element type is 0x{:02X}; DAIG reads 0x08 (u8), 0x09 "
                                     "(i8), 0x0B (i16), 0x0C (i32), 0x0D (f32) and 0x0E (f64)",
                                     code));
}

}  // namespace

bool is_idx(std::span<const std::byte> start) {
  return start.size() >= magic_bytes && start[0] == std::byte{0} && start[1] == std::byte{0} &&
         start[2] != std::byte{0};
}

ArrayHeader parse_idx_header(std::span<const std::byte> start, std::string_view name) {
  if (!is_idx(start)) throw InputError(name, "does not begin as an IDX file does");
  ArrayHeader header;
  header.type = type_from(std::to_integer<unsigned>(start[2]), name);
  header.byte_order = ByteOrder::big;
  const auto axes = std::to_integer<std::size_t>(start[3]);
  header.data_offset = magic_bytes + 4 * axes;
  if (header.data_offset > start.size()) {
    throw InputError(name, fmt::format("is truncated: its IDX header of {} axes takes {} bytes, "
                                       "the file has {}",
                                       axes, header.data_offset, start.size()));
  }
  for (std::size_t axis = 0; axis < axes; ++axis) {
    std::uint64_t extent = 0;
    for (const std::byte byte : start.subspan(magic_bytes + 4 * axis, 4)) {
      extent = extent << 8 | std::to_integer<std::uint64_t>(byte);
    }
    header.shape.push_back(extent);
  }
  detail::finish_header(header, name);
  return header;
}

}  // namespace daig::data
