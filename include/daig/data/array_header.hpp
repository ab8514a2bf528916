#pragma once

/// What the header of an array file says. Each format has a function from first bytes to this.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <daig/data/element_type.hpp>
#include <daig/data/shape.hpp>

namespace daig::data {

enum class ByteOrder { little, big };

/// Which index runs fastest in the file: the last (C) or the first (Fortran).
enum class IndexOrder { c, fortran };

struct ArrayHeader {
  ElementType type = ElementType::u8;
  ByteOrder byte_order = ByteOrder::little;
  IndexOrder index_order = IndexOrder::c;
  Shape shape;                    ///< first axis: samples
  std::uint64_t data_offset = 0;  ///< of the first element, in bytes from the start of the file
  std::uint64_t data_bytes = 0;   ///< of all elements together

  /// Size that a whole file has.
  std::uint64_t file_bytes() const { return data_offset + data_bytes; }
};

/// No header is longer; so many first bytes are enough for any parser below.
inline constexpr std::size_t max_header_bytes = std::size_t{1} << 16;

/// Recognises the format by its magic bytes and parses its header. `start` holds the first
/// max_header_bytes of the file, or all of it. Allocates the shape and nothing else.
/// @throws InputError beginning with `name` when the format is unknown or the header is broken,
/// absurd (no axis, no element, more than 2^62 bytes) or of a type that DAIG does not read.
ArrayHeader parse_array_header(std::span<const std::byte> start, std::string_view name);

}  // namespace daig::data
