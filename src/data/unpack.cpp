#include "unpack.hpp"

#include <utility>
#include <vector>

#include <fmt/format.h>

#include <daig/core/error.hpp>

#include "file.hpp"

namespace daig::data::detail {

Unpacked unpack(const ByteSourcePtr& packed, Wrapping wrapping) {
  const std::string& name = packed->name();
  Inflater reader(packed, wrapping);
  std::vector<std::byte> piece(max_header_bytes);
  piece.resize(reader.read(piece));
  const ArrayHeader header = parse_array_header(piece, name);
  if (header.file_bytes() / max_deflate_ratio > packed->size()) {
    throw InputError(name,
                     fmt::format("its header claims {} bytes of shape {}, more than {} "
                                 "compressed bytes can hold; the file is truncated or damaged",
                                 header.file_bytes(), to_text(header.shape), packed->size()));
  }

  File file = File::nameless();
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
  return {{bytes_of(name, std::move(file)), header}, written, reader.checksum()};
}

}  // namespace daig::data::detail
