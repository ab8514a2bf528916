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

/// Bytes from outside, in the order in which they are written.
class Cursor {
 public:
  explicit Cursor(std::string_view bytes) : bytes_(bytes) {}

  std::size_t left() const { return bytes_.size(); }
  /// @throws Failure when there are fewer.
  std::string_view take(std::uint64_t count);
  /// An unsigned number of so many bytes. @throws Failure
  std::uint64_t number(std::size_t bytes) { return little_endian(take(bytes), 0, bytes); }
  /// Text with its zero. @throws Failure
  std::string_view text();

 private:
  std::string_view bytes_;
};

/// An address that leads nowhere, as HDF5 writes it.
inline constexpr std::uint64_t nowhere = ~std::uint64_t{0};

/// The bytes of an open file, by the addresses that HDF5 uses.
class FileBytes {
 public:
  /// @throws Failure when the file cannot be read, or its addresses are not of 64 bits, or begin
  /// elsewhere than it says.
  FileBytes(hid_t file, const std::filesystem::path& path);

  std::uint64_t size() const { return size_; }
  /// @throws Failure when the file ends before, or says that it does: HDF5 takes what was in its
  /// buffers for bytes beyond that.
  void expect_inside(std::uint64_t address, std::uint64_t count) const;
  /// @throws Failure as expect_inside, or when the system cannot read them.
  std::vector<char> read(std::uint64_t address, std::size_t count);
  /// An unsigned number of so many bytes. @throws Failure as read
  std::uint64_t number(std::uint64_t address, std::size_t bytes);

 private:
  void check_base();

  std::ifstream bytes_;
  std::uint64_t size_ = 0;
  std::uint64_t end_ = 0;   ///< the address at which the file says that it ends
  std::uint64_t base_ = 0;  ///< where HDF5's addresses begin
};

}  // namespace daig::store::hdf5
