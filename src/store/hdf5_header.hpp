#pragma once

/// Headers of an HDF5 file's objects, looked through before HDF5 1.10 believes them.

#include <string>

#include "hdf5.hpp"
#include "hdf5_bytes.hpp"

namespace daig::store::hdf5 {

/// Opens what lies at a path below a group. Of each object on the way it makes sure before, that
/// what its header says lies inside the header, and a group's links and an array's chunks inside
/// the file: HDF5 1.10 copies as much as types, shapes and other messages claim, even from beyond,
/// and looks for links nowhere. Open with this whatever is asked for attributes, links or values.
/// Links and chunks in HDF5 1.8's own format have checksums, which HDF5 compares. Cost: one read of
/// each header, and of the lists of links and chunks. @param where  names the group in errors;
/// empty for the file itself
/// @throws Failure naming the one that is not there or not whole, or of a type that neither Keras
/// nor h5py writes for numbers.
Handle open_checked(FileBytes& file, hid_t group, const std::string& where,
                    const std::string& path);

}  // namespace daig::store::hdf5
