#pragma once

/// Arrays of numbers of every kind that other programs write; hdf5.hpp's Array is our own kind.

#include <cstdint>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include <daig/data/element_type.hpp>

#include "hdf5.hpp"

namespace daig::store::hdf5 {

/// What to make of arrays of booleans as h5py writes them: an enumeration of FALSE and TRUE.
enum class Booleans { are_refused, are_numbers };

/// An array of integers or floats of the usual widths, of any byte order, in one piece or in chunks
/// that may be packed by deflate. It lies in this file, and in as many bytes as its shape needs.
class Numbers {
 public:
  /// @param path  names the object in errors
  /// @throws Failure when this is no such array.
  Numbers(Handle object, std::string path, Booleans booleans = Booleans::are_refused);

  const std::string& path() const { return path_; }
  const std::vector<std::size_t>& shape() const { return shape_; }
  std::size_t size() const { return size_; }
  bool is_integer() const { return is_integer_; }
  data::ElementType type() const { return type_; }
  /// The bytes that the file claims to hold of it: a damaged one may claim more than it has. To
  /// read it takes no more than 1032 times as many.
  std::uint64_t stored_bytes() const { return stored_bytes_; }

  /// Expects values.size() == size().
  void read(std::span<float> values) const;
  /// Reads places first ... first + count - 1 of the first axis, of all other axes everything, in
  /// the array's own type and this machine's byte order. Expects them to exist, and room for
  /// exactly them. Cost: packed chunks that hold some of them are unpacked; so they are once more
  /// the first time, to see whether they are whole.
  void read_rows(std::uint64_t first, std::uint64_t count, std::span<std::byte> into);
  /// @throws Failure when this is not one integer, or a negative one.
  std::uint64_t read_integer() const;

  /// Writes all values, in the array's own number type, and closes it. Expects that they were read,
  /// which tells whether chunks are whole: HDF5 reads those that the array does not fill.
  void write(std::span<const float> values);
  void write_integer(std::uint64_t value);

 private:
  void read_type(Booleans booleans);
  void read_shape();
  void check_storage();
  void check_chunks() const;
  void check_chunks_of_rows(std::uint64_t first, std::uint64_t count);
  void check_chunk(std::span<const hsize_t> offset) const;
  hsize_t unpacked_bytes(std::span<const hsize_t> offset, hsize_t size, std::uint64_t limit) const;

  std::string path_;
  Handle data_;
  std::vector<std::size_t> shape_;
  std::size_t size_ = 1;
  std::size_t number_bytes_ = 0;
  std::vector<hsize_t> chunk_;  ///< empty where it lies in one piece
  std::vector<H5Z_filter_t> filters_;
  bool is_integer_ = false;
  data::ElementType type_ = data::ElementType::u8;
  std::unordered_set<std::uint64_t> whole_chunks_;  ///< that read_rows has looked at, by number
  std::uint64_t stored_bytes_ = 0;
};

}  // namespace daig::store::hdf5
