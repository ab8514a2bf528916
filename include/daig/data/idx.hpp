#pragma once

/// IDX files, the format of MNIST and its relatives.
///
/// Source: "The IDX file format" on the MNIST page of LeCun, Cortes and Burges: two zero bytes, the
/// type, the number of axes, one big-endian u32 per axis, then the elements, big-endian, last index
/// fastest. Read are the types 0x08 (u8), 0x09 (i8), 0x0B (i16), 0x0C (i32), 0x0D (f32), 0x0E
/// (f64): all that there are.

#include <cstddef>
#include <span>
#include <string_view>

#include <daig/data/array_header.hpp>

namespace daig::data {

/// True when the bytes begin as an IDX file does.
bool is_idx(std::span<const std::byte> start);

/// Parses the header. See parse_array_header for `start` and the errors.
ArrayHeader parse_idx_header(std::span<const std::byte> start, std::string_view name);

}  // namespace daig::data
