#pragma once

/// Large byte arrays travel in pieces, so that no message is larger than a transport can take and
/// control messages find gaps between them.

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace daig::train {

inline constexpr std::size_t piece_bytes = std::size_t{1} << 20;
/// No shard is larger on the wire; cut the dataset into more shards instead.
inline constexpr std::size_t max_shard_bytes = std::size_t{1} << 34;

/// The consecutive pieces of an array; all but the last have piece_bytes. Sender and receiver cut
/// alike.
template <class Byte>
std::vector<std::span<Byte>> pieces_of(std::span<Byte> bytes) {
  std::vector<std::span<Byte>> pieces;
  while (!bytes.empty()) {
    pieces.push_back(bytes.first(std::min(bytes.size(), piece_bytes)));
    bytes = bytes.subspan(pieces.back().size());
  }
  return pieces;
}

}  // namespace daig::train
