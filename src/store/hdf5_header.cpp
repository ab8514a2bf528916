#include "hdf5_header.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "hdf5_tree.hpp"

namespace daig::store::hdf5 {
namespace {

// Section numbers are those of "HDF5 File Format Specification Version 3.0".

std::uint64_t address_of(hid_t group, const std::string& path) {
#if H5_VERSION_GE(1, 12, 0)
  H5O_info1_t info{};
#else
  H5O_info_t info{};
#endif
  checked(H5Oget_info_by_name2(group, path.c_str(), &info, H5O_INFO_BASIC, link_access().get()),
          fmt::format("{} cannot be found", path));
  return info.addr;
}

std::size_t padded(std::size_t size) {
  return (size + 7) / 8 * 8;
}

constexpr std::uint64_t integer_class = 0;
constexpr std::uint64_t real_class = 1;
constexpr std::uint64_t text_class = 3;
constexpr std::uint64_t enumeration_class = 8;
constexpr std::uint64_t variable_class = 9;

std::uint64_t element_bytes(std::string_view type);

/// The names and values of an enumeration, whose values are integers; h5py keeps booleans as one.
void check_members(std::string_view type) {
  const std::uint64_t version = little_endian(type, 0, 1) >> 4;
  const std::uint64_t members = little_endian(type, 1, 2);
  const std::uint64_t size = element_bytes(type.substr(8));
  if (size != little_endian(type, 4, 4)) throw Failure("is of a type of two sizes");
  Cursor rest(type.substr(8));
  if ((rest.number(1) & 0x0F) != integer_class) throw Failure("is of an unusual kind");
  rest.take(11);
  for (std::uint64_t i = 0; i < members; ++i) {
    const std::size_t length = rest.text().size();
    if (version < 3) rest.take(padded(length) - length);
  }
  std::uint64_t values = 0;
  if (__builtin_mul_overflow(members, size, &values)) throw Failure("is of an absurd type");
  rest.take(values);
}

/// Size of one element of a type (IV.A.2.d). @throws Failure for unusual or damaged types
std::uint64_t element_bytes(std::string_view type) {
  if (type.size() < 8) throw Failure("has a type that is too short");
  const std::uint64_t kind = little_endian(type, 0, 1) & 0x0F;
  std::size_t needed = 8;
  switch (kind) {
    case integer_class:
      needed += 4;
      break;
    case real_class:
      needed += 12;
      break;
    case text_class:
      break;
    case enumeration_class:
      check_members(type);
      break;
    case variable_class:
      if (element_bytes(type.substr(8)) != 1) {
        throw Failure("is a list of variable length, and neither floats nor integers");
      }
      break;
    default:
      throw Failure("is of an unusual kind");
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
void check_attribute(FileBytes& /*file*/, std::string_view message) {
  if (message.size() < 9) throw Failure("is too short");
  Cursor cursor(message);
  const std::uint64_t version = cursor.number(1);
  const std::uint64_t flags = cursor.number(1);
  const std::uint64_t name_size = cursor.number(2);
  const std::uint64_t type_size = cursor.number(2);
  const std::uint64_t shape_size = cursor.number(2);
  if (version == 3) cursor.take(1);
  const auto take = [&](std::uint64_t size) {
    return cursor.take(version == 1 ? padded(size) : size).substr(0, size);
  };
  Cursor(take(name_size)).text();
  const std::string_view type = take(type_size);
  const std::string_view shape = take(shape_size);
  if (version != 1 && flags != 0) throw Failure("is shared with others");
  std::uint64_t bytes = 0;
  if (__builtin_mul_overflow(element_bytes(type), elements(shape), &bytes)) {
    throw Failure("is longer than its place");
  }
  cursor.take(bytes);
}

/// Where a group's links are listed (IV.A.2.r).
void check_symbol_table(FileBytes& file, std::string_view message) {
  Cursor cursor(message);
  const std::uint64_t tree = cursor.number(8);
  check_links(file, tree, cursor.number(8));
}

/// What an array holds where nothing was written (IV.A.2.f).
void check_fill(FileBytes& /*file*/, std::string_view message) {
  Cursor cursor(message);
  const std::uint64_t version = cursor.number(1);
  bool has_size = version == 1;
  if (version >= 3) {
    has_size = (cursor.number(1) & 0x20) != 0;
  } else {
    cursor.take(2);
    has_size = cursor.number(1) != 0 || has_size;
  }
  if (!has_size) return;
  const auto size = static_cast<std::int32_t>(cursor.number(4));
  if (size > 0) cursor.take(static_cast<std::uint64_t>(size));
}

/// The same as HDF5 1.4 wrote it (IV.A.2.e).
void check_old_fill(FileBytes& /*file*/, std::string_view message) {
  Cursor cursor(message);
  cursor.take(cursor.number(4));
}

/// Where an array lies (IV.A.2.i).
void check_layout(FileBytes& file, std::string_view message) {
  constexpr std::uint64_t compact = 0;
  constexpr std::uint64_t chunked = 2;
  constexpr std::uint64_t most_axes = 33;
  constexpr std::uint64_t most_chunk_bytes = std::numeric_limits<std::uint32_t>::max();
  Cursor cursor(message);
  const std::uint64_t version = cursor.number(1);
  // The last axis is the size of an element. Chunks are counted by division.
  const auto take_chunks = [&](std::uint64_t axes) {
    if (axes < 2 || axes > most_axes) throw Failure("has chunks of an absurd rank");
    const std::uint64_t tree = cursor.number(8);
    std::uint64_t bytes = 1;
    for (std::uint64_t axis = 0; axis < axes; ++axis) {
      bytes *= cursor.number(4);
      if (bytes == 0 || bytes > most_chunk_bytes) throw Failure("has chunks of an absurd size");
    }
    if (tree != nowhere) check_chunks(file, tree, axes);
  };
  if (version == 1 || version == 2) {
    const std::uint64_t axes = cursor.number(1);
    const std::uint64_t kind = cursor.number(1);
    cursor.take(5);
    if (kind == chunked) {
      take_chunks(axes);
      return;
    }
    if (axes > most_axes) throw Failure("has too many axes");
    if (kind != compact) cursor.take(8);
    cursor.take(4 * axes);
    if (kind == compact) cursor.take(cursor.number(4));
  } else if (version == 3) {
    const std::uint64_t kind = cursor.number(1);
    if (kind == compact) {
      cursor.take(cursor.number(2));
    } else if (kind == chunked) {
      take_chunks(cursor.number(1));
    } else {
      cursor.take(16);
    }
  } else {
    constexpr std::uint64_t in_other_files = 3;
    throw Failure(cursor.number(1) == in_other_files ? "is another file"
                                                     : "is of an unusual version");
  }
}

/// How chunks are packed (IV.A.2.l).
void check_filters(FileBytes& /*file*/, std::string_view message) {
  constexpr std::uint64_t first_named = 256;
  Cursor cursor(message);
  const std::uint64_t version = cursor.number(1);
  const std::uint64_t filters = cursor.number(1);
  if (version == 1) cursor.take(6);
  for (std::uint64_t i = 0; i < filters; ++i) {
    const std::uint64_t filter = cursor.number(2);
    const std::uint64_t name = version == 1 || filter >= first_named ? cursor.number(2) : 0;
    cursor.take(2);
    const std::uint64_t values = cursor.number(2);
    cursor.take(version == 1 ? padded(name) : name);
    cursor.take(4 * values + (version == 1 && values % 2 == 1 ? 4 : 0));
  }
}

/// A kind of message in an object's header, and how it is checked.
struct MessageKind {
  std::uint64_t number;
  const char* what;
  void (*check)(FileBytes& file, std::string_view message);
};

constexpr std::uint64_t continuation_message = 0x10;
constexpr std::array<MessageKind, 8> message_kinds{
    {{0x01, "the shape", [](FileBytes&, std::string_view shape) { elements(shape); }},
     {0x03, "the type", [](FileBytes&, std::string_view type) { element_bytes(type); }},
     {0x04, "the fill value", check_old_fill},
     {0x05, "the fill value", check_fill},
     {0x08, "the place", check_layout},
     {0x0B, "the filters", check_filters},
     {0x0C, "an attribute", check_attribute},
     {0x11, "the list of links", check_symbol_table}}};

/// Messages of an object's header lie one after the other in blocks.
struct Block {
  std::uint64_t address;
  std::uint64_t size;
};

/// How the versions of headers differ.
struct HeaderForm {
  std::size_t number_bytes;  ///< of a message's number
  std::size_t bytes_before;  ///< a message
  std::size_t seal;          ///< before a further block, and as many behind it
};

/// The form of a header, and its first block (IV.A.1.a, IV.A.1.b).
std::pair<HeaderForm, Block> begin_of_header(FileBytes& file, std::uint64_t address) {
  const std::vector<char> start = file.read(address, 6);
  const std::string_view seen(start.data(), start.size());
  if (seen[0] == 1) return {{2, 8, 0}, {address + 16, file.number(address + 8, 4)}};
  if (!seen.starts_with("OHDR\x02")) throw Failure("is of an unusual version");
  const std::uint64_t flags = little_endian(seen, 5, 1);
  const std::size_t times = (flags & 0x20) != 0 ? 16 : 0;
  const std::size_t limits = (flags & 0x10) != 0 ? 4 : 0;
  const std::size_t order = (flags & 4) != 0 ? 2 : 0;
  const std::size_t size_bytes = std::size_t{1} << (flags & 3);
  address += seen.size() + times + limits;
  return {{1, 4 + order, 4}, {address + size_bytes, file.number(address, size_bytes)}};
}

/// The header of an object (IV.A.1).
void check_header(FileBytes& file, std::uint64_t address, const std::string& where) {
  const char* what = "the header";
  try {
    const auto [form, first] = begin_of_header(file, address);
    std::vector<Block> blocks{first};
    std::uint64_t left = file.size();  // blocks that need more overlap, or lead round in circles
    while (!blocks.empty()) {
      const Block block = blocks.back();
      blocks.pop_back();
      what = "the header";
      if (block.size == 0 || block.size > left) throw Failure("has a part of an absurd size");
      left -= block.size;
      const std::vector<char> bytes = file.read(block.address, block.size);
      Cursor rest({bytes.data(), bytes.size()});
      while (rest.left() >= form.bytes_before) {
        what = "a message";
        const std::uint64_t number = rest.number(form.number_bytes);
        const std::uint64_t size = rest.number(2);
        const bool shared = (rest.number(1) & 2) != 0;
        rest.take(form.bytes_before - form.number_bytes - 3);
        const std::string_view message = rest.take(size);
        if (number == continuation_message) {
          Cursor cursor(message);
          const std::uint64_t next = cursor.number(8);
          const std::uint64_t next_size = cursor.number(8);
          if (next_size < 2 * form.seal) throw Failure("leads to a part of an absurd size");
          blocks.push_back({next + form.seal, next_size - 2 * form.seal});
        } else if (const auto* kind =
                       std::ranges::find(message_kinds, number, &MessageKind::number);
                   kind != message_kinds.end()) {
          what = kind->what;
          if (shared) throw Failure("is shared with others");
          kind->check(file, message);
        }
      }
    }
  } catch (const Failure& failure) {
    throw Failure(fmt::format("{} of {} {}", what, where, failure.what()));
  }
}

}  // namespace

Handle open_checked(FileBytes& file, hid_t group, const std::string& where,
                    const std::string& path) {
  const auto find = [&](const auto& call) {
    try {
      return call();
    } catch (const Failure& failure) {
      throw Failure(where.empty() ? failure.what()
                                  : fmt::format("in {}: {}", where, failure.what()));
    }
  };
  const std::string begin = path.starts_with('/') ? where : where + "/";
  for (std::size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const std::string part = path.substr(0, end);
    check_header(file, find([&] { return address_of(group, part); }), begin + part);
    if (end == std::string::npos) return find([&] { return open_object(group, path); });
  }
}

}  // namespace daig::store::hdf5
