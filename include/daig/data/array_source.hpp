#pragma once

/// An array of samples on disk, whatever its format.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include <daig/data/array_header.hpp>
#include <daig/data/byte_source.hpp>

namespace daig::data {

/// `count` samples of one type and shape, read piece by piece; never all in memory.
///
/// A value: copies share the open file. Any thread may read.
class ArraySource {
 public:
  /// Expects a header of these bytes. @throws InputError when the bytes are not exactly as many as
  /// the header says.
  ArraySource(ByteSourcePtr bytes, ArrayHeader header);

  /// What errors call it: the path of the file.
  const std::string& name() const { return bytes_->name(); }
  ElementType type() const { return header_.type; }
  /// Number of samples, at least 1.
  std::uint64_t count() const { return header_.shape.front(); }
  /// Shape of one sample: all axes but the first.
  std::span<const std::uint64_t> sample_shape() const {
    return std::span(header_.shape).subspan(1);
  }
  /// Elements of one sample, at least 1.
  std::size_t sample_size() const { return sample_size_; }
  std::size_t sample_bytes() const { return sample_size_ * size_of(header_.type); }

  /// Fills `into` with samples first ... first + count - 1: the file's type, native byte order,
  /// last index fastest, whatever the file has. Expects them to exist, and `into` to have their
  /// size.
  ///
  /// Cost: one read for a file in C order, sample_size reads of `count` elements each for one in
  /// Fortran order (where a sample's elements lie far apart), plus one pass to swap bytes.
  /// @throws as ByteSource::read.
  void read(std::uint64_t first, std::uint64_t count, std::span<std::byte> into) const;

 private:
  ByteSourcePtr bytes_;
  ArrayHeader header_;
  std::size_t sample_size_;
};

/// Opens a .npy or IDX file, plain or gzipped, known by its first bytes and not by its name.
///
/// A gzipped file is decompressed into a nameless temporary file (in TMPDIR, else /tmp) of the size
/// that its header says, and not a byte more.
/// @throws InputError naming the file when there is none, when it is no such file, truncated,
/// corrupt or of another size than its header says; IoError when the temporary file cannot be
/// written.
ArraySource open_array(const std::filesystem::path& path);
ArraySource open_array(ByteSourcePtr bytes);

}  // namespace daig::data
