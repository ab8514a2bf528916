#include "hdf5_numbers.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <limits>
#include <memory>
#include <new>
#include <numeric>
#include <utility>

#include <fmt/format.h>
#include <zlib.h>

namespace daig::store::hdf5 {

namespace {

/// HDF5 has no name for 16-bit floats; this is what numpy's look like.
Handle half_type(hid_t like) {
  Handle type(H5Tcopy(like), H5Tclose, "16-bit float");
  checked(H5Tset_fields(type.get(), 15, 10, 5, 0, 10), "16-bit float");
  checked(H5Tset_size(type.get(), 2), "16-bit float");
  checked(H5Tset_ebias(type.get(), 15), "16-bit float");
  return type;
}

bool is_usual_float(hid_t type) {
  for (const hid_t usual : {H5T_IEEE_F32LE, H5T_IEEE_F64LE, H5T_IEEE_F32BE, H5T_IEEE_F64BE}) {
    if (H5Tequal(type, usual) > 0) return true;
  }
  return H5Tequal(type, half_type(H5T_IEEE_F32LE).get()) > 0 ||
         H5Tequal(type, half_type(H5T_IEEE_F32BE).get()) > 0;
}

bool is_usual_integer(hid_t type) {
  const std::array usual{H5T_STD_I64LE, H5T_STD_I32LE, H5T_STD_U64LE, H5T_STD_U32LE,
                         H5T_STD_I64BE, H5T_STD_I32BE, H5T_STD_U64BE, H5T_STD_U32BE,
                         H5T_STD_I8LE,  H5T_STD_U8LE,  H5T_STD_I16LE, H5T_STD_U16LE,
                         H5T_STD_I8BE,  H5T_STD_U8BE,  H5T_STD_I16BE, H5T_STD_U16BE};
  return std::any_of(usual.begin(), usual.end(),
                     [&](hid_t candidate) { return H5Tequal(type, candidate) > 0; });
}

bool is_boolean(hid_t type) {
  return H5Tget_class(type) == H5T_ENUM && H5Tget_size(type) == 1 && H5Tget_nmembers(type) == 2;
}

data::ElementType integer_type(std::size_t bytes, bool is_signed) {
  using data::ElementType;
  if (bytes == 1) return is_signed ? ElementType::i8 : ElementType::u8;
  if (bytes == 2) return is_signed ? ElementType::i16 : ElementType::u16;
  if (bytes == 4) return is_signed ? ElementType::i32 : ElementType::u32;
  return is_signed ? ElementType::i64 : ElementType::u64;
}

/// The type that HDF5 is to convert to, in memory.
Handle memory_type(data::ElementType type, hid_t in_file) {
  using data::ElementType;
  const auto native = [](hid_t known) { return Handle(H5Tcopy(known), H5Tclose, "a number type"); };
  switch (type) {
    case ElementType::boolean:
      return native(in_file);
    case ElementType::u8:
      return native(H5T_NATIVE_UINT8);
    case ElementType::i8:
      return native(H5T_NATIVE_INT8);
    case ElementType::i16:
      return native(H5T_NATIVE_INT16);
    case ElementType::u16:
      return native(H5T_NATIVE_UINT16);
    case ElementType::i32:
      return native(H5T_NATIVE_INT32);
    case ElementType::u32:
      return native(H5T_NATIVE_UINT32);
    case ElementType::i64:
      return native(H5T_NATIVE_INT64);
    case ElementType::u64:
      return native(H5T_NATIVE_UINT64);
    case ElementType::f16:
      return half_type(H5T_IEEE_F32LE);
    case ElementType::f32:
      return native(H5T_NATIVE_FLOAT);
    case ElementType::f64:
      break;
  }
  return native(H5T_NATIVE_DOUBLE);
}

/// More than this at once would be unpacked for a single sample.
constexpr std::uint64_t max_chunk_bytes = std::uint64_t{1} << 30;

/// How much tighter deflate can pack at most (zlib, "Maximum Compression Factor").
constexpr std::uint64_t max_deflation = 1032;

/// The filters that chunks went through when written, in this order: shuffle, deflate, fletcher32.
/// Others load code at run time, or have a history of believing damaged files.
/// @throws Failure for other filters, or another order.
std::vector<H5Z_filter_t> read_filters(hid_t creation, const std::string& path) {
  constexpr std::array usual{H5Z_FILTER_SHUFFLE, H5Z_FILTER_DEFLATE, H5Z_FILTER_FLETCHER32};
  std::vector<H5Z_filter_t> filters;
  const auto* next = usual.begin();
  const int count = checked(H5Pget_nfilters(creation), path);
  for (int i = 0; i < count; ++i) {
    unsigned flags = 0;
    std::size_t values = 0;
    filters.push_back(H5Pget_filter2(creation, static_cast<unsigned>(i), &flags, &values, nullptr,
                                     0, nullptr, nullptr));
    next = std::find(next, usual.end(), filters.back());
    if (next++ == usual.end()) {
      throw Failure(
          fmt::format("{} is packed in an unknown way; 'h5repack -f NONE' unpacks it", path));
    }
  }
  return filters;
}

/// How many bytes deflated ones become; more than `limit` where they are more.
/// @throws Failure when they are not deflated ones.
std::uint64_t inflated_bytes(std::span<unsigned char> bytes, std::uint64_t limit) {
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) throw std::bad_alloc();
  const std::unique_ptr<z_stream, int (*)(z_stream*)> owner(&stream, inflateEnd);
  stream.next_in = bytes.data();
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::array<unsigned char, 1 << 14> scratch{};
  int state = Z_OK;
  while (state == Z_OK && stream.total_out <= limit) {
    stream.next_out = scratch.data();
    stream.avail_out = scratch.size();
    state = inflate(&stream, Z_NO_FLUSH);
  }
  if (state != Z_OK && state != Z_STREAM_END) throw Failure("a chunk is not packed by deflate");
  return stream.total_out;
}

/// HDF5 reads what was in its buffers before where bytes lie beyond the end that a file gives
/// itself, though the file may be longer. @throws Failure
void check_place(hid_t array, haddr_t begin, hsize_t size, const std::string& path) {
  const Handle file(H5Iget_file_id(array), H5Fclose, path);
  haddr_t end = 0;
  checked(H5Fget_eoa(file.get(), &end), path);
  if (begin > end || size > end - begin) {
    throw Failure(fmt::format("{} lies beyond the end of its file", path));
  }
}

/// Moves on to the next chunk, along the first axis first, where `first_row` is its start. False
/// after the last one.
bool advance(std::span<hsize_t> offset, std::span<const hsize_t> chunk,
             std::span<const std::size_t> shape, hsize_t first_row = 0) {
  for (std::size_t axis = 0; axis < offset.size(); ++axis) {
    offset[axis] += chunk[axis];
    if (offset[axis] < shape[axis]) return true;
    offset[axis] = axis == 0 ? first_row : 0;
  }
  return false;
}

}  // namespace

Numbers::Numbers(Handle object, std::string path, Booleans booleans)
    : path_(std::move(path)), data_(std::move(object)) {
  if (H5Iget_type(data_.get()) != H5I_DATASET) {
    throw Failure(fmt::format("{} is not an array", path_));
  }
  read_type(booleans);
  read_shape();
  check_storage();
}

void Numbers::read_type(Booleans booleans) {
  const Handle type(H5Dget_type(data_.get()), H5Tclose, path_);
  if (booleans == Booleans::are_numbers && is_boolean(type.get())) {
    type_ = data::ElementType::boolean;
    number_bytes_ = 1;
    return;
  }
  is_integer_ = H5Tget_class(type.get()) == H5T_INTEGER;
  if (is_integer_ ? !is_usual_integer(type.get()) : !is_usual_float(type.get())) {
    throw Failure(fmt::format(
        "{} holds neither floats of 16, 32 or 64 bits nor integers; DAIG reads no others", path_));
  }
  number_bytes_ = H5Tget_size(type.get());
  if (is_integer_) {
    type_ = integer_type(number_bytes_, H5Tget_sign(type.get()) == H5T_SGN_2);
  } else {
    type_ = number_bytes_ == 2   ? data::ElementType::f16
            : number_bytes_ == 4 ? data::ElementType::f32
                                 : data::ElementType::f64;
  }
}

void Numbers::read_shape() {
  const Handle creation(H5Dget_create_plist(data_.get()), H5Pclose, path_);
  // Before its shape is asked for, for which HDF5 would open the other files of a virtual array.
  if (H5Pget_layout(creation.get()) == H5D_VIRTUAL || H5Pget_external_count(creation.get()) != 0) {
    throw Failure(fmt::format("{} lies in another file; 'h5repack' makes one file of all", path_));
  }
  const Handle space(H5Dget_space(data_.get()), H5Sclose, path_);
  if (H5Sget_simple_extent_type(space.get()) == H5S_NULL) {
    throw Failure(fmt::format("{} has no shape", path_));
  }
  const int rank = checked(H5Sget_simple_extent_ndims(space.get()), path_);
  std::vector<hsize_t> extents(static_cast<std::size_t>(rank));
  checked(H5Sget_simple_extent_dims(space.get(), extents.data(), nullptr), path_);
  for (const hsize_t extent : extents) {
    if (__builtin_mul_overflow(size_, extent, &size_)) {
      throw Failure(fmt::format("{} has an absurd shape", path_));
    }
    shape_.push_back(extent);
  }
}

void Numbers::check_storage() {
  if (size_ == 0) return;
  stored_bytes_ = H5Dget_storage_size(data_.get());
  std::uint64_t numbers = size_;
  std::uint64_t largest = stored_bytes_;
  const Handle creation(H5Dget_create_plist(data_.get()), H5Pclose, path_);
  if (H5Pget_layout(creation.get()) == H5D_CHUNKED) {
    // HDF5 unpacks a chunk at a time, and the last ones may reach beyond the array.
    chunk_.resize(shape_.size());
    const int rank = static_cast<int>(chunk_.size());
    if (checked(H5Pget_chunk(creation.get(), rank, chunk_.data()), path_) != rank) {
      throw Failure(fmt::format("{} has chunks of another rank", path_));
    }
    std::uint64_t chunk_numbers = 1;
    for (const hsize_t extent : chunk_) {
      if (extent == 0 || __builtin_mul_overflow(chunk_numbers, extent, &chunk_numbers)) {
        throw Failure(fmt::format("{} has absurd chunks", path_));
      }
    }
    numbers = std::max(numbers, chunk_numbers);
    filters_ = read_filters(creation.get(), path_);
    const bool deflated = std::count(filters_.begin(), filters_.end(), H5Z_FILTER_DEFLATE) > 0;
    if (__builtin_mul_overflow(largest, deflated ? max_deflation : 1, &largest)) {
      throw Failure(fmt::format("{} has chunks of an absurd size", path_));
    }
  }
  std::uint64_t needed = 0;
  if (__builtin_mul_overflow(numbers, number_bytes_, &needed) || needed > largest) {
    throw Failure(
        fmt::format("{} holds {} bytes, too few for its {} numbers", path_, stored_bytes_, size_));
  }
  if (H5Pget_layout(creation.get()) == H5D_CONTIGUOUS) {
    check_place(data_.get(), H5Dget_offset(data_.get()), stored_bytes_, path_);
  }
}

void Numbers::check_chunks() const {
  if (chunk_.empty()) return;
  std::vector<hsize_t> offset(shape_.size());
  do {
    check_chunk(offset);
  } while (advance(offset, chunk_, shape_));
}

/// HDF5 1.10 reads beyond a chunk that is, or comes out of its filters, shorter than it should be.
void Numbers::check_chunk(std::span<const hsize_t> offset) const {
  const std::uint64_t expected = std::accumulate(chunk_.begin(), chunk_.end(),
                                                 std::uint64_t{number_bytes_}, std::multiplies<>());
  hsize_t size = 0;
  checked(H5Dget_chunk_storage_size(data_.get(), offset.data(), &size), path_);
  // An array that was written has all its chunks; so their number is bounded by the file's size.
  if (size == 0 || size > stored_bytes_ || size > std::numeric_limits<uInt>::max()) {
    throw Failure(fmt::format("{} has a chunk of {} bytes, which is absurd", path_, size));
  }
  if (!filters_.empty()) size = unpacked_bytes(offset, size, expected);
  if (size != expected) {
    throw Failure(fmt::format("{} has a chunk of {} bytes, not {}", path_, size, expected));
  }
}

/// How many bytes a chunk of `size` bytes becomes; more than `limit` where they are more.
hsize_t Numbers::unpacked_bytes(std::span<const hsize_t> offset, hsize_t size,
                                std::uint64_t limit) const {
  std::vector<unsigned char> bytes(size);
  std::uint32_t skipped = 0;
  checked(H5Dread_chunk(data_.get(), H5P_DEFAULT, offset.data(), &skipped, bytes.data()), path_);
  for (std::size_t i = filters_.size(); i-- > 0;) {
    if ((skipped >> i & 1) != 0) continue;
    if (filters_[i] == H5Z_FILTER_FLETCHER32) size = std::max<hsize_t>(size, 4) - 4;
    if (filters_[i] == H5Z_FILTER_DEFLATE) {
      size = inflated_bytes(std::span(bytes).first(size), limit);
    }
  }
  return size;
}

void Numbers::read(std::span<float> values) const {
  expects(values.size() == size_, "room for the whole array");
  if (values.empty()) return;
  check_chunks();
  checked(H5Dread(data_.get(), H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()),
          fmt::format("{} cannot be read", path_));
}

void Numbers::read_rows(std::uint64_t first, std::uint64_t count, std::span<std::byte> into) {
  expects(!shape_.empty() && count > 0 && first <= shape_[0] && count <= shape_[0] - first,
          "rows that exist");
  expects(into.size() == size_ / shape_[0] * count * number_bytes_, "room for exactly these rows");
  if (!chunk_.empty()) check_chunks_of_rows(first, count);
  std::vector<hsize_t> start(shape_.size());
  std::vector<hsize_t> extents(shape_.begin(), shape_.end());
  start[0] = first;
  extents[0] = count;
  const Handle in_file(H5Dget_space(data_.get()), H5Sclose, path_);
  checked(H5Sselect_hyperslab(in_file.get(), H5S_SELECT_SET, start.data(), nullptr, extents.data(),
                              nullptr),
          path_);
  const Handle in_memory(
      H5Screate_simple(static_cast<int>(extents.size()), extents.data(), nullptr), H5Sclose, path_);
  const Handle file_type(H5Dget_type(data_.get()), H5Tclose, path_);
  checked(H5Dread(data_.get(), memory_type(type_, file_type.get()).get(), in_memory.get(),
                  in_file.get(), H5P_DEFAULT, into.data()),
          fmt::format("{} cannot be read", path_));
}

void Numbers::check_chunks_of_rows(std::uint64_t first, std::uint64_t count) {
  std::uint64_t chunk_bytes = number_bytes_;
  for (const hsize_t extent : chunk_) chunk_bytes *= extent;  // check_storage has bounded it
  if (!filters_.empty() && chunk_bytes > max_chunk_bytes) {
    throw Failure(
        fmt::format("{} has chunks of {} bytes, too large to read some of it; 'h5repack "
                    "-l' makes smaller ones",
                    path_, chunk_bytes));
  }
  // Chunks are numbered as if they were the places of an array, last axis fastest.
  std::vector<hsize_t> offset(shape_.size());
  offset[0] = first / chunk_[0] * chunk_[0];
  std::vector<std::size_t> end(shape_);
  end[0] = first + count;
  const hsize_t first_row = offset[0];
  do {
    std::uint64_t number = 0;
    for (std::size_t axis = 0; axis < offset.size(); ++axis) {
      number = number * ((shape_[axis] - 1) / chunk_[axis] + 1) + offset[axis] / chunk_[axis];
    }
    if (whole_chunks_.contains(number)) continue;
    check_chunk(offset);
    whole_chunks_.insert(number);
  } while (advance(offset, chunk_, end, first_row));
}

std::uint64_t Numbers::read_integer() const {
  std::int64_t value = 0;
  if (size_ == 1 && is_integer_) {
    check_chunks();
    checked(H5Dread(data_.get(), H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, &value),
            fmt::format("{} cannot be read", path_));
    if (value >= 0) return static_cast<std::uint64_t>(value);
  }
  throw Failure(fmt::format("{} is not one whole number of 0 or more", path_));
}

void Numbers::write(std::span<const float> values) {
  expects(values.size() == size_, "values for the whole array");
  if (values.empty()) return;
  const std::string cannot = fmt::format("{} cannot be written", path_);
  checked(H5Dwrite(data_.get(), H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()),
          cannot);
  data_.close(cannot);  // HDF5 may have kept the values until now
}

void Numbers::write_integer(std::uint64_t value) {
  expects(size_ == 1 && is_integer_, "one integer");
  const std::string cannot = fmt::format("{} cannot be written", path_);
  checked(H5Dwrite(data_.get(), H5T_NATIVE_UINT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, &value), cannot);
  data_.close(cannot);
}

}  // namespace daig::store::hdf5
