#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <daig/core/error.hpp>
#include <daig/data/array_source.hpp>
#include <daig/data/npz.hpp>

#include "unpack.hpp"

namespace daig::data {
namespace {

std::uint16_t swapped(std::uint16_t word) {
  return __builtin_bswap16(word);
}
std::uint32_t swapped(std::uint32_t word) {
  return __builtin_bswap32(word);
}
std::uint64_t swapped(std::uint64_t word) {
  return __builtin_bswap64(word);
}

void swap_bytes(std::span<std::byte> bytes, std::size_t element_bytes) {
  const auto swap_each = [bytes](auto element) {
    using Word = decltype(element);
    for (std::size_t at = 0; at < bytes.size(); at += sizeof(Word)) {
      Word word;
      std::memcpy(&word, bytes.data() + at, sizeof word);
      word = swapped(word);
      std::memcpy(bytes.data() + at, &word, sizeof word);
    }
  };
  if (element_bytes == 2) swap_each(std::uint16_t{});
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

/// The samples of one array file.
class FileSamples final : public SampleReader {
 public:
  FileSamples(ByteSourcePtr bytes, const ArrayHeader& header)
      : SampleReader(bytes->name(), header.type, header.shape),
        bytes_(std::move(bytes)),
        data_offset_(header.data_offset),
        swapped_(header.byte_order == ByteOrder::big),
        sample_size_(header.data_bytes / header.shape.front() / size_of(header.type)),
        by_columns_(header.index_order == IndexOrder::fortran && sample_size_ > 1) {}

  void read(std::uint64_t first, std::uint64_t count, std::span<std::byte> into) const override {
    if (by_columns_) {
      read_columns(first, count, into);
    } else {
      bytes_->read(data_offset_ + first * sample_size_ * size_of(type()), into);
    }
    if (swapped_) swap_bytes(into, size_of(type()));
  }

 private:
  void read_columns(std::uint64_t first, std::uint64_t count, std::span<std::byte> into) const {
    const std::size_t element = size_of(type());
    std::vector<std::byte> values(count * element);
    const std::span whole(shape());
    ColumnWalk walk(whole.subspan(1));
    for (std::size_t place = 0; place < sample_size_; ++place, walk.step()) {
      const std::uint64_t start = walk.column() * shape().front() + first;
      bytes_->read(data_offset_ + start * element, values);
      for (std::size_t sample = 0; sample < count; ++sample) {
        std::memcpy(into.data() + (sample * sample_size_ + place) * element,
                    values.data() + sample * element, element);
      }
    }
  }

  ByteSourcePtr bytes_;
  std::uint64_t data_offset_;
  bool swapped_;
  std::size_t sample_size_;
  bool by_columns_;
};

SampleReaderPtr samples_of(ByteSourcePtr bytes, const ArrayHeader& header) {
  if (bytes->size() != header.file_bytes()) {
    throw InputError(bytes->name(), fmt::format("has {} bytes, but its header says {} of shape {}, "
                                                "{} bytes; the file is {}",
                                                bytes->size(), name_of(header.type),
                                                to_text(header.shape), header.file_bytes(),
                                                bytes->size() < header.file_bytes()
                                                    ? "truncated: get it again"
                                                    : "damaged, or something was appended to it"));
  }
  return std::make_shared<const FileSamples>(std::move(bytes), header);
}

}  // namespace

ArraySource::ArraySource(SampleReaderPtr reader)
    : reader_(std::move(reader)), count_(reader_->shape().front()) {
  const auto elements = elements_in(sample_shape(), size_of(type()));
  expects(elements && *elements > 0 && count_ > 0, "an array that holds something");
  sample_size_ = *elements;
}

ArraySource::ArraySource(ByteSourcePtr bytes, const ArrayHeader& header)
    : ArraySource(samples_of(std::move(bytes), header)) {}

ArraySource ArraySource::slice(std::uint64_t first, std::uint64_t count) const {
  expects(count > 0 && first <= count_ && count <= count_ - first, "samples that exist");
  ArraySource part = *this;
  part.first_ += first;
  part.count_ = count;
  return part;
}

void ArraySource::read(std::uint64_t first, std::uint64_t count, std::span<std::byte> into) const {
  expects(first <= count_ && count <= count_ - first, "samples that exist");
  expects(into.size() == count * sample_bytes(), "room for exactly these samples");
  if (count > 0) reader_->read(first_ + first, count, into);
}

ArraySource open_array(const std::filesystem::path& path, std::string_view member) {
  return open_array(open_file(path), member);
}

ArraySource open_array(ByteSourcePtr bytes, std::string_view member) {
  const std::vector<std::byte> start = first_bytes(*bytes);
  if (is_npz(start)) return open_npz(bytes, member);
  if (!member.empty()) {
    throw InputError(bytes->name(),
                     fmt::format("is no .npz file, and so has no array '{}' in it", member));
  }
  if (detail::is_gzip(start)) return detail::unpack(bytes, detail::Wrapping::gzip).array;
  const ArrayHeader header = parse_array_header(start, bytes->name());
  return {std::move(bytes), header};
}

}  // namespace daig::data
