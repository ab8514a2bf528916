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
  /// @throws Failure when the file cannot be read, or its addresses are not of 64 bits, or begin
  /// elsewhere than it says.
  FileBytes(hid_t file, const std::filesystem::path& path);

  std::uint64_t size() const { return size_; }
  /// @throws Failure when the file ends before.
  std::vector<char> read(std::uint64_t address, std::size_t count);

 private:
  void check_base();

  std::ifstream bytes_;
  std::uint64_t size_ = 0;
  std::uint64_t base_ = 0;  ///< where HDF5's addresses begin
};

}  // namespace daig::store::hdf5
