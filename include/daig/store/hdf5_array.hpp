#pragma once

/// Arrays of numbers in HDF5 files, as samples: what h5py and others write.

#include <filesystem>
#include <string>
#include <vector>

#include <daig/data/sample_reader.hpp>

namespace daig::store {

/// Whether the file begins as an HDF5 file does. False for what cannot be read.
bool is_hdf5_file(const std::filesystem::path& path);

/// Opens an array to read samples from, some at a time. It holds booleans (as h5py keeps them),
/// integers or floats of 16 to 64 bits of any byte order, and lies in one piece or in chunks that
/// may be packed by deflate. Nothing is believed unchecked: links to other files are refused, and
/// memory is bounded by what the file can hold. The file stays open as long as the reader.
///
/// Threads: any may read; HDF5 is used by one at a time. Cost of a read: the samples; where packed,
/// every chunk that holds some of them is unpacked for it, and twice the first time, to see whether
/// it is whole.
/// @param array  its path in the file; empty: the only array there is
/// @throws InputError naming FILE:ARRAY, what is wrong and what to do; so for an array that is not
/// there, listing those that are.
data::SampleReaderPtr open_hdf5_array(const std::filesystem::path& path, const std::string& array);

/// The paths of a file's arrays, in the order of names, 1,000 at most. Those behind links to other
/// files are left out. @throws InputError naming the file when it cannot be read.
std::vector<std::string> hdf5_array_names(const std::filesystem::path& path);

}  // namespace daig::store
