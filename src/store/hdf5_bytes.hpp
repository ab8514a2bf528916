#pragma once

/// An HDF5 file's own bytes, for the places where HDF5 1.10 believes a damaged file.

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "hdf5.hpp"

namespace daig::store::hdf5 {

/// Unsigned integers in HDF5's metadata are little-endian. Expects at + count <= bytes.size().
std::uint64_t little_endian(std::string_view bytes, std::size_t at, std::size_t count);

/// The bytes of an open file, by the addresses that HDF5 uses.
class FileBytes {
 public:
  /// @throws Failure when the file cannot be read, or its addresses are not of 64 bits.
  FileBytes(hid_t file, const std::filesystem::path& path);

  std::uint64_t size() const { return size_; }
  /// @throws Failure when the file ends before.
  std::vector<char> read(std::uint64_t address, std::size_t count);

 private:
  std::ifstream bytes_;
  std::uint64_t size_ = 0;
  std::uint64_t base_ = 0;  ///< where HDF5's addresses begin
};

/// Makes sure that the attributes of a group lie inside its header, and its list of links inside
/// the file. HDF5 1.10 copies as much as attributes' types and shapes claim, even from beyond, and
/// looks for links nowhere: call this before anything asks for either. Headers of version 2
/// (HDF5 1.8's own format) have checksums, which HDF5 has compared already. Cost: one read of the
/// header. @param where  names the group in errors
/// @throws Failure when they do not, or are of a type that neither Keras nor DAIG writes.
void check_group(FileBytes& file, hid_t group, const std::string& where);

}  // namespace daig::store::hdf5
