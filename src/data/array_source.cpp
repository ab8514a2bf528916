#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <daig/core/error.hpp>
#include <daig/data/array_source.hpp>

#include "file.hpp"
#include "gzip.hpp"

namespace daig::data {
namespace {

void swap_bytes(std::span<std::byte> bytes, std::size_t element_bytes) {
  const auto swap_each = [bytes](auto element) {
    using Word = decltype(element);
    for (std::size_t at = 0; at < bytes.size(); at += sizeof(Word)) {
      Word word;
      std::memcpy(&word, bytes.data() + at, sizeof word);
      word = sizeof word == 4
                 ? static_cast<Word>(__builtin_bswap32(static_cast<std::uint32_t>(word)))
                 : static_cast<Word>(__builtin_bswap64(word));
      std::memcpy(bytes.data() + at, &word, sizeof word);
    }
  };
  if (element_bytes == 4) swap_each(std::uint32_t{});
  if (element_bytes == 8) swap_each(std::uint64_t{});
}

/// Steps through the elements of a sample in C order and tells in which of a Fortran file's columns
/// each stands; a column holds one element of all samples, one after the other.
class ColumnWalk {
 public:
  explicit ColumnWalk(std::span<const std::uint64_t> sample_shape)
      : shape_(sample_shape), index_(sample_shape.size()) {}

  std::uint64_t column() const {
    std::uint64_t column = 0;
    for (std::size_t axis = shape_.size(); axis-- > 0;) {
      column = column * shape_[axis] + index_[axis];
    }
    return column;
  }

  void step() {
    for (std::size_t axis = shape_.size(); axis-- > 0;) {  // the last axis runs fastest
      if (++index_[axis] < shape_[axis]) return;
      index_[axis] = 0;
    }
  }

 private:
  std::span<const std::uint64_t> shape_;
  std::vector<std::uint64_t> index_;
};

std::vector<std::byte> first_bytes(const ByteSource& bytes) {
  std::vector<std::byte> start(std::min<std::uint64_t>(bytes.size(), max_header_bytes));
  bytes.read(0, start);
  return start;
}

/// A match of 258 bytes takes two bits at least (zlib's technical details give the same bound).
constexpr std::uint64_t max_deflate_ratio = 1032;

/// Decompresses an array file into a nameless one, as far as its header says and no further.
ArraySource unpack(const ByteSourcePtr& packed) {
  const std::string& name = packed->name();
  detail::GzipReader reader(packed);
  std::vector<std::byte> piece(max_header_bytes);
  piece.resize(reader.read(piece));
  const ArrayHeader header = parse_array_header(piece, name);
  if (header.file_bytes() / max_deflate_ratio > packed->size()) {
    throw InputError(name,
                     fmt::format("its header claims {} bytes of shape {}, more than {} "
                                 "compressed bytes can hold; the file is truncated or damaged",
                                 header.file_bytes(), to_text(header.shape), packed->size()));
  }

  detail::File file = detail::File::nameless();
  std::uint64_t written = 0;
  while (!piece.empty()) {
    written += piece.size();
    if (written > header.file_bytes()) {
      throw InputError(name, fmt::format("holds more than the {} bytes that its header of shape {} "
                                         "claims, decompressed; the file is damaged",
                                         header.file_bytes(), to_text(header.shape)));
    }
    file.append(piece);
    piece.resize(max_header_bytes);
    piece.resize(reader.read(piece));
  }
  return {detail::bytes_of(name, std::move(file)), header};
}

}  // namespace

ArraySource::ArraySource(ByteSourcePtr bytes, ArrayHeader header)
    : bytes_(std::move(bytes)), header_(std::move(header)) {
  if (bytes_->size() != header_.file_bytes()) {
    throw InputError(name(), fmt::format("has {} bytes, but its header says {} of shape {}, {} "
                                         "bytes; the file is {}",
                                         bytes_->size(), name_of(header_.type),
                                         to_text(header_.shape), header_.file_bytes(),
                                         bytes_->size() < header_.file_bytes()
                                             ? "truncated: get it again"
                                             : "damaged, or something was appended to it"));
  }
  sample_size_ = header_.data_bytes / count() / size_of(header_.type);
}

void ArraySource::read(std::uint64_t first, std::uint64_t count, std::span<std::byte> into) const {
  expects(first <= this->count() && count <= this->count() - first, "samples that exist");
  expects(into.size() == count * sample_bytes(), "room for exactly these samples");
  if (header_.index_order == IndexOrder::c || sample_size_ == 1) {
    bytes_->read(header_.data_offset + first * sample_bytes(), into);
  } else {
    const std::size_t element = size_of(header_.type);
    std::vector<std::byte> values(count * element);
    ColumnWalk walk(sample_shape());
    for (std::size_t place = 0; place < sample_size_; ++place, walk.step()) {
      const std::uint64_t start = walk.column() * this->count() + first;
      bytes_->read(header_.data_offset + start * element, values);
      for (std::size_t sample = 0; sample < count; ++sample) {
        std::memcpy(into.data() + (sample * sample_size_ + place) * element,
                    values.data() + sample * element, element);
      }
    }
  }
  if (header_.byte_order == ByteOrder::big) swap_bytes(into, size_of(header_.type));
}

ArraySource open_array(const std::filesystem::path& path) {
  return open_array(open_file(path));
}

ArraySource open_array(ByteSourcePtr bytes) {
  const std::vector<std::byte> start = first_bytes(*bytes);
  if (detail::is_gzip(start)) return unpack(bytes);
  ArrayHeader header = parse_array_header(start, bytes->name());
  return {std::move(bytes), std::move(header)};
}

}  // namespace daig::data
