#include "hdf5_bytes.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace daig::store::hdf5 {

namespace {

// Section numbers are those of "HDF5 File Format Specification Version 3.0".

constexpr std::uint64_t attribute_message = 0x0C;
constexpr std::uint64_t continuation_message = 0x10;
constexpr std::uint64_t symbol_table_message = 0x11;

std::uint64_t address_of(hid_t object) {
#if H5_VERSION_GE(1, 12, 0)
  H5O_info1_t info{};
#else
  H5O_info_t info{};
#endif
  checked(H5Oget_info2(object, &info, H5O_INFO_BASIC), "an object has no address");
  return info.addr;
}

std::size_t padded(std::size_t size) {
  return (size + 7) / 8 * 8;
}

/// Size of one element of a type (IV.A.2.d). @throws Failure for unusual or damaged types
std::uint64_t element_bytes(std::string_view type) {
  if (type.size() < 8) throw Failure("has a type that is too short");
  constexpr std::uint64_t integer = 0;
  constexpr std::uint64_t real = 1;
  constexpr std::uint64_t text = 3;
  constexpr std::uint64_t variable = 9;
  const std::uint64_t kind = little_endian(type, 0, 1) & 0x0F;
  std::size_t needed = 8;
  switch (kind) {
    case integer:
      needed += 4;
      break;
    case real:
      needed += 12;
      break;
    case text:
      break;
    case variable:
      if (element_bytes(type.substr(8)) != 1) throw Failure("is a list of variable length");
      break;
    default:
      throw Failure("is of an unusual type");
  }
  if (type.size() < needed) throw Failure("has a type that is too short");
  return little_endian(type, 4, 4);
}

/// Number of elements of a shape (IV.A.2.b).
std::uint64_t elements(std::string_view shape) {
  if (shape.size() < 4) throw Failure("has a shape that is too short");
  const std::uint64_t version = little_endian(shape, 0, 1);
  const std::uint64_t rank = little_endian(shape, 1, 1);
  const std::uint64_t extents = (little_endian(shape, 2, 1) & 1) != 0 ? 2 * rank : rank;
  const std::size_t begin = version == 1 ? 8 : 4;
  if (shape.size() < begin + 8 * extents) throw Failure("has a shape that is too short");
  std::uint64_t count = 1;
  for (std::size_t i = 0; i < rank; ++i) {
    if (__builtin_mul_overflow(count, little_endian(shape, begin + 8 * i, 8), &count)) {
      throw Failure("has an absurd shape");
    }
  }
  return count;
}

/// One attribute (IV.A.2.m).
void check_attribute(std::string_view message) {
  if (message.size() < 9) throw Failure("is too short");
  const std::uint64_t version = little_endian(message, 0, 1);
  std::size_t at = version == 3 ? 9 : 8;
  const auto take = [&](std::size_t size) {
    const std::size_t whole = version == 1 ? padded(size) : size;
    if (whole > message.size() - at) throw Failure("is longer than its place");
    at += whole;
    return message.substr(at - whole, size);
  };
  const std::string_view name = take(little_endian(message, 2, 2));
  if (name.find('\0') == std::string_view::npos) throw Failure("has a name without end");
  const std::string_view type = take(little_endian(message, 4, 2));
  const std::string_view shape = take(little_endian(message, 6, 2));
  if (version != 1 && little_endian(message, 1, 1) != 0) throw Failure("is shared with others");
  std::uint64_t bytes = 0;
  if (__builtin_mul_overflow(element_bytes(type), elements(shape), &bytes) ||
      bytes > message.size() - at) {
    throw Failure("is longer than its place");
  }
}

/// Where a group's links are listed (IV.A.2.r): a B-tree of version 1 (III.A.1), and a heap with
/// the names (III.D).
void check_symbol_table(FileBytes& file, std::string_view message) {
  if (message.size() < 16) throw Failure("is too short");
  const auto begins_with = [&](std::size_t at, std::string_view signature) {
    const std::vector<char> found = file.read(little_endian(message, at, 8), signature.size());
    return std::ranges::equal(found, signature);
  };
  if (!begins_with(0, "TREE") || !begins_with(8, "HEAP")) throw Failure("lists no links");
}

}  // namespace

std::uint64_t little_endian(std::string_view bytes, std::size_t at, std::size_t count) {
  std::uint64_t value = 0;
  for (std::size_t i = at + count; i-- > at;) {
    value = value << 8 | static_cast<unsigned char>(bytes[i]);
  }
  return value;
}

FileBytes::FileBytes(hid_t file, const std::filesystem::path& path)
    : bytes_(path, std::ios::binary) {
  bytes_.seekg(0, std::ios::end);
  const std::streamoff end = bytes_.tellg();
  if (end < 0) throw Failure("the file cannot be read");
  size_ = static_cast<std::uint64_t>(end);
  const Handle creation(H5Fget_create_plist(file), H5Pclose, "the file's properties");
  std::size_t address_bytes = 0;
  std::size_t length_bytes = 0;
  hsize_t user_block = 0;
  checked(H5Pget_sizes(creation.get(), &address_bytes, &length_bytes), "the file's properties");
  checked(H5Pget_userblock(creation.get(), &user_block), "the file's properties");
  if (address_bytes != 8 || length_bytes != 8) {
    throw Failure("the file's addresses and lengths are not of 64 bits");
  }
  base_ = user_block;
}

std::vector<char> FileBytes::read(std::uint64_t address, std::size_t count) {
  std::uint64_t begin = 0;
  if (__builtin_add_overflow(base_, address, &begin) || begin > size_ || count > size_ - begin) {
    throw Failure("lies beyond the end of the file");
  }
  std::vector<char> bytes(count);
  bytes_.clear();
  bytes_.seekg(static_cast<std::streamoff>(begin));
  bytes_.read(bytes.data(), static_cast<std::streamsize>(count));
  if (!bytes_) throw Failure("cannot be read by the system");
  return bytes;
}

void check_group(FileBytes& file, hid_t group, const std::string& where) {
  const char* what = "an attribute";
  try {
    const std::uint64_t address = address_of(group);
    const std::vector<char> prefix = file.read(address, 16);  // IV.A.1.a
    if (prefix[0] != 1) return;
    struct Block {
      std::uint64_t address;
      std::uint64_t size;
    };
    std::vector<Block> blocks{{address + 16, little_endian({prefix.data(), 16}, 8, 4)}};
    std::uint64_t left = file.size();  // blocks that need more overlap, or lead round in circles
    while (!blocks.empty()) {
      const Block block = blocks.back();
      blocks.pop_back();
      if (block.size == 0 || block.size > left) throw Failure("has a part of an absurd size");
      left -= block.size;
      const std::vector<char> bytes = file.read(block.address, block.size);
      std::string_view rest(bytes.data(), bytes.size());
      while (rest.size() >= 8) {
        const std::uint64_t kind = little_endian(rest, 0, 2);
        const std::size_t size = little_endian(rest, 2, 2);
        const bool shared = (little_endian(rest, 4, 1) & 2) != 0;
        rest.remove_prefix(8);
        if (size > rest.size()) throw Failure("is longer than its place");
        const std::string_view message = rest.substr(0, size);
        rest.remove_prefix(size);
        what = kind == symbol_table_message ? "the list of links" : "an attribute";
        if (kind == attribute_message) {
          if (shared) throw Failure("is shared with others");
          check_attribute(message);
        } else if (kind == symbol_table_message) {
          check_symbol_table(file, message);
        } else if (kind == continuation_message) {
          if (size < 16) throw Failure("is too short");
          blocks.push_back({little_endian(message, 0, 8), little_endian(message, 8, 8)});
        }
      }
    }
  } catch (const Failure& failure) {
    throw Failure(fmt::format("{} of {} {}", what, where, failure.what()));
  }
}

}  // namespace daig::store::hdf5
