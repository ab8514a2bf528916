#pragma once

/// The B-trees in which an HDF5 file lists a group's links and an array's chunks, looked through
/// before HDF5 1.10 believes them: it reads what was in its buffers, or a null pointer, where they
/// lead nowhere. Cost: one read of all their parts, which may not overlap.

#include <cstdint>

#include "hdf5_bytes.hpp"

namespace daig::store::hdf5 {

/// A group's links, and the heap with their names. @throws Failure when they are not all there
void check_links(FileBytes& file, std::uint64_t tree, std::uint64_t heap);

/// An array's chunks. @param axes  the array's, and one more for its elements
/// @throws Failure when they are not all inside the file
void check_chunks(FileBytes& file, std::uint64_t tree, std::uint64_t axes);

}  // namespace daig::store::hdf5
