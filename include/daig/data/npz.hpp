#pragma once

/// NumPy's .npz files: zip files of .npy files, as numpy.savez and numpy.savez_compressed write
/// them.
///
/// A member that is stored is read where it lies; one that is deflated is decompressed into a
/// nameless file first, as a .gz file is, and its checksum compared. (That of a stored one is not:
/// it would take a pass over the whole of it.)

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <daig/data/array_source.hpp>

namespace daig::data {

/// True when the bytes begin as a .npz file does.
bool is_npz(std::span<const std::byte> start);

/// Names of its arrays, without ".npy", in the order of the file's directory.
/// Cost: reads the directory. @throws InputError naming the file when it is damaged.
std::vector<std::string> npz_names(const ByteSource& file);

/// Opens one of its arrays. See open_array for `member` and the errors, which are about
/// FILE:MEMBER.
/// @throws InputError listing the arrays when there is no such one, or none is chosen of several.
ArraySource open_npz(const ByteSourcePtr& file, std::string_view member);

}  // namespace daig::data
