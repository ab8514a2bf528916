#pragma once

/// An array of samples on disk, whatever its format.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include <daig/data/array_header.hpp>
#include <daig/data/byte_source.hpp>
#include <daig/data/sample_reader.hpp>

namespace daig::data {

/// `count` samples of one type and shape, read piece by piece; never all in memory.
///
/// A value: copies share the open file. Any thread may read.
class ArraySource {
 public:
  /// All samples of a reader.
  explicit ArraySource(SampleReaderPtr reader);

  /// Expects a header of these bytes. @throws InputError when the bytes are not exactly as many as
  /// the header says.
  ArraySource(ByteSourcePtr bytes, const ArrayHeader& header);

  /// What errors call it: the path of the file.
  const std::string& name() const { return reader_->name(); }
  ElementType type() const { return reader_->type(); }
  /// Number of samples, at least 1.
  std::uint64_t count() const { return count_; }
  /// Shape of one sample: all axes but the first.
  std::span<const std::uint64_t> sample_shape() const {
    return std::span(reader_->shape()).subspan(1);
  }
  /// Elements of one sample, at least 1.
  std::size_t sample_size() const { return sample_size_; }
  std::size_t sample_bytes() const { return sample_size_ * size_of(type()); }

  /// Samples first ... first + count - 1 of it. Expects them to exist, and one at least. Reads
  /// nothing.
  ArraySource slice(std::uint64_t first, std::uint64_t count) const;

  /// The file of a sample, and the sample's number in it.
  Place locate(std::uint64_t sample) const { return reader_->locate(first_ + sample); }

  /// Fills `into` with samples first ... first + count - 1: the file's type, native byte order,
  /// last index fastest, whatever the file has. Expects them to exist, and `into` to have their
  /// size.
  ///
  /// Cost: one read for a file in C order, sample_size reads of `count` elements each for one in
  /// Fortran order (where a sample's elements lie far apart), plus one pass to swap bytes.
  /// @throws as ByteSource::read.
  void read(std::uint64_t first, std::uint64_t count, std::span<std::byte> into) const;

 private:
  SampleReaderPtr reader_;
  std::uint64_t first_ = 0;
  std::uint64_t count_;
  std::size_t sample_size_;
};

/// Opens a .npy or IDX file, plain or gzipped, or an array of a .npz file, known by its first bytes
/// and not by its name.
///
/// What is compressed is decompressed into a nameless temporary file (in TMPDIR, else /tmp) of the
/// size that its header says, and not a byte more.
/// @param member  of a .npz file, with or without its ".npy"; empty: the only array there is
/// @throws InputError naming the file when there is none, when it is no such file, truncated,
/// corrupt or of another size than its header says; IoError when the temporary file cannot be
/// written.
ArraySource open_array(const std::filesystem::path& path, std::string_view member = {});
ArraySource open_array(ByteSourcePtr bytes, std::string_view member = {});

}  // namespace daig::data
