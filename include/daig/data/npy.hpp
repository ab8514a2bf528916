#pragma once

/// NumPy's .npy files, format versions 1.0, 2.0 and 3.0.
///
/// Source: NumPy Enhancement Proposal 1 and the documentation of numpy.lib.format. Read are the
/// types b1 i1 i2 i4 i8 u1 u2 u4 u8 f2 f4 f8 in both byte orders and both index orders. Pickled
/// object arrays are refused and never unpickled: a pickle is a program.

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

#include <daig/data/array_header.hpp>

namespace daig::data {

/// True when the bytes begin as a .npy file does.
bool is_npy(std::span<const std::byte> start);

/// Parses the header. See parse_array_header for `start` and the errors; for a type that is not
/// read, the error is the line of Python that converts the file.
ArrayHeader parse_npy_header(std::span<const std::byte> start, std::string_view name);

/// Writes a C-ordered array of f4, version 1.0: under a temporary name beside `path`, then renamed,
/// so that a reader sees the old file or the whole new one.
/// Expects the product of shape to be values.size(). @throws IoError naming the path.
void write_npy(const std::filesystem::path& path, std::span<const std::uint64_t> shape,
               std::span<const float> values);

}  // namespace daig::data
