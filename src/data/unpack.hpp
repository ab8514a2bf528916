#pragma once

#include <daig/data/array_source.hpp>

#include "inflate.hpp"

namespace daig::data::detail {

/// An array that was compressed, in a nameless file.
struct Unpacked {
  ArraySource array;
  std::uint64_t bytes = 0;     ///< of the array file, its header included
  std::uint32_t checksum = 0;  ///< as Inflater::checksum
};

/// Decompresses an array file as far as its header says and no further.
/// @throws InputError naming the file, and IoError, as open_array.
Unpacked unpack(const ByteSourcePtr& packed, Wrapping wrapping);

}  // namespace daig::data::detail
