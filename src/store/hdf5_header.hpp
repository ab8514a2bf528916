#pragma once

/// Headers of an HDF5 file's objects, looked through before HDF5 1.10 believes them.

#include <string>

#include "hdf5.hpp"
#include "hdf5_bytes.hpp"

namespace daig::store::hdf5 {

/// Makes sure that what an object's header says lies inside the header, and a group's list of links
/// inside the file: HDF5 1.10 copies as much as types, shapes and other messages claim, even from
/// beyond, and looks for links nowhere. Call this before anything asks for attributes or links.
/// Headers of version 2 (HDF5 1.8's own format) have checksums, which HDF5 has compared already.
/// Cost: one read of the header. @param where  names the object in errors
/// @throws Failure when they do not, or a type is one that neither Keras nor h5py writes for
/// numbers.
void check_object(FileBytes& file, hid_t object, const std::string& where);

/// Opens what lies at a path below a group, each object on the way checked as above before it is
/// opened. @param where  names the group in errors; empty for the file itself
/// @throws Failure naming the one that is not there or not whole.
Handle open_checked(FileBytes& file, hid_t group, const std::string& where,
                    const std::string& path);

}  // namespace daig::store::hdf5
