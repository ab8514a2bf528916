#include "hdf5_text.hpp"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

namespace daig::store::hdf5 {

namespace {

/// What stands for a text of variable length: 32 bits of length, 64 of a heap's address, and 32 of
/// an index in the heap.
constexpr std::size_t reference_bytes = 16;

/// While it lives, HDF5 hands out such references as they are, as opaque bytes.
class RawReferences {
 public:
  explicit RawReferences(hid_t text_type)
      : type_(H5Tcreate(H5T_OPAQUE, reference_bytes), H5Tclose, "opaque bytes") {
    checked(H5Tregister(H5T_PERS_SOFT, name, text_type, type_.get(), keep), "opaque bytes");
  }
  RawReferences(const RawReferences&) = delete;
  RawReferences& operator=(const RawReferences&) = delete;
  RawReferences(RawReferences&&) = delete;
  RawReferences& operator=(RawReferences&&) = delete;
  ~RawReferences() { H5Tunregister(H5T_PERS_SOFT, name, -1, -1, keep); }

  hid_t type() const { return type_.get(); }

 private:
  static constexpr const char* name = "daig_raw_references";

  /// A conversion that changes nothing.
  static herr_t keep(hid_t from, hid_t to, H5T_cdata_t* /*data*/, std::size_t /*count*/,
                     std::size_t /*stride*/, std::size_t /*background_stride*/, void* /*values*/,
                     void* /*background*/, hid_t /*transfer*/) {
    // HDF5 also asks for what it means to convert: nothing but this.
    const bool mine = H5Tis_variable_str(from) > 0 && H5Tget_size(to) == reference_bytes;
    return mine ? 0 : -1;
  }

  Handle type_;
};

/// A text that HDF5 or numpy has filled up to its length.
std::string without_padding(std::string_view text, H5T_str_t padding) {
  if (padding == H5T_STR_NULLTERM) return std::string(text.substr(0, text.find('\0')));
  const char filler = padding == H5T_STR_SPACEPAD ? ' ' : '\0';
  return std::string(text.substr(0, text.find_last_not_of(filler) + 1));  // npos + 1 is 0
}

std::vector<std::string> read_fixed(hid_t attribute, hid_t type, std::size_t count) {
  const std::size_t size = H5Tget_size(type);
  std::string bytes(count * size, '\0');
  checked(H5Aread(attribute, type, bytes.data()), "cannot be read");
  std::vector<std::string> texts;
  texts.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    texts.push_back(
        without_padding(std::string_view(bytes).substr(i * size, size), H5Tget_strpad(type)));
  }
  return texts;
}

}  // namespace

std::string TextReader::read_text(hid_t object, const std::string& where, const char* name,
                                  std::size_t max_bytes) {
  std::vector<std::string> texts = read_texts(object, where, name, max_bytes);
  if (texts.size() != 1) {
    throw Failure(fmt::format("the attribute '{}' of {} is not one text", name, where));
  }
  return std::move(texts.front());
}

std::vector<std::string> TextReader::read_texts(hid_t object, const std::string& where,
                                                const char* name, std::size_t max_bytes) {
  try {
    const Handle attribute(H5Aopen(object, name, H5P_DEFAULT), H5Aclose, "is missing");
    const Handle space(H5Aget_space(attribute.get()), H5Sclose, "has no shape");
    const auto count =
        static_cast<std::size_t>(checked(H5Sget_simple_extent_npoints(space.get()), "shape"));
    if (count == 0) return {};  // of any type: h5py takes an empty list for one of floats
    const Handle type(H5Aget_type(attribute.get()), H5Tclose, "has no type");
    if (H5Tget_class(type.get()) != H5T_STRING) throw Failure("holds no text");
    const bool variable = H5Tis_variable_str(type.get()) > 0;
    const std::size_t size = variable ? reference_bytes : H5Tget_size(type.get());
    std::size_t total = 0;
    if (__builtin_mul_overflow(count, size, &total) ||
        total > std::min<std::uint64_t>(max_bytes, file_.size()) ||
        total != H5Aget_storage_size(attribute.get())) {
      throw Failure(fmt::format("has an absurd length of {} times {} bytes", count, size));
    }
    return variable ? read_variable(attribute.get(), count, max_bytes)
                    : read_fixed(attribute.get(), type.get(), count);
  } catch (const Failure& failure) {
    throw Failure(fmt::format("the attribute '{}' of {} {}", name, where, failure.what()));
  }
}

std::vector<std::string> TextReader::read_variable(hid_t attribute, std::size_t count,
                                                   std::size_t max_bytes) {
  std::string references(count * reference_bytes, '\0');
  {
    const Handle type(H5Aget_type(attribute), H5Tclose, "has no type");
    const RawReferences raw(type.get());
    checked(H5Aread(attribute, raw.type(), references.data()), "cannot be read");
  }
  std::vector<std::string> texts;
  texts.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t at = i * reference_bytes;
    const std::uint64_t length = little_endian(references, at, 4);
    const std::uint64_t address = little_endian(references, at + 4, 8);
    if (length == 0) {
      texts.emplace_back();
      continue;
    }
    if (length > max_bytes) throw Failure(fmt::format("is longer than {} bytes", max_bytes));
    max_bytes -= length;
    const auto& objects = heap_at(address).objects;
    const auto found =
        objects.find(static_cast<std::uint32_t>(little_endian(references, at + 12, 4)));
    if (found == objects.end() || found->second.size() < length) {
      throw Failure("has a text that is not where the attribute says");
    }
    texts.push_back(without_padding(found->second.substr(0, length), H5T_STR_NULLPAD));
  }
  return texts;
}

/// Reads a "global heap collection" (HDF5's file format specification, III.E).
const TextReader::Heap& TextReader::heap_at(std::uint64_t address) {
  if (const auto known = heaps_.find(address); known != heaps_.end()) return known->second;
  constexpr std::size_t header = 16;
  const std::vector<char> head = file_.read(address, header);
  if (std::memcmp(head.data(), "GCOL\1", 5) != 0) throw Failure("has a text that is not there");
  const std::uint64_t size = little_endian({head.data(), header}, 8, 8);
  // Heaps that need more than the file, taken together, overlap.
  if (size < header || size > file_.size() - heap_bytes_) throw Failure("has texts in each other");
  heap_bytes_ += size;
  Heap heap;
  heap.bytes = file_.read(address, size);
  const std::string_view bytes(heap.bytes.data(), size);
  for (std::uint64_t at = header; size - at >= header;) {
    const std::uint64_t index = little_endian(bytes, at, 2);
    const std::uint64_t object_bytes = little_endian(bytes, at + 8, 8);
    if (index == 0) break;  // the free rest
    at += header;
    if (object_bytes > size - at) throw Failure("has a text that does not end");
    heap.objects.emplace(index, bytes.substr(at, object_bytes));
    at = std::min(size, at + (object_bytes + 7) / 8 * 8);
  }
  return heaps_.emplace(address, std::move(heap)).first->second;
}

}  // namespace daig::store::hdf5
