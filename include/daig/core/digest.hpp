#pragma once

/// A 64-bit digest of bytes: equal digests on two ranks stand for equal bytes.
///
/// Not cryptographic: it finds divergence, not forgery. The value is part of the step protocol and
/// of the ledger, so it is defined here, bit for bit, and not by a package that may change: eight
/// lanes of FNV-1a's xor-multiply over little-endian 64-bit words, so many that the multiplications
/// overlap, and that memory is what takes the time.

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

namespace daig {

static_assert(std::endian::native == std::endian::little,
              "a digest is the same on all ranks only if their memory is");

/// Cost: one pass, about memory speed.
inline std::uint64_t digest(std::span<const std::byte> bytes);

template <class T>
requires std::is_trivially_copyable_v<T> std::uint64_t digest(std::span<const T> values) {
  return digest(std::as_bytes(values));
}

// ---------------------------------------------------------------------------------------------

inline std::uint64_t digest(std::span<const std::byte> bytes) {
  constexpr std::uint64_t factor = 0x9E3779B97F4A7C15;  // odd, so that multiplying loses no bit
  const auto mix = [](std::uint64_t state, std::uint64_t word) {
    state = (state ^ word) * factor;
    return state ^ (state >> 32);  // without it, high bits of the words would never reach low bits
  };
  std::array<std::uint64_t, 8> lanes{1, 2, 3, 4, 5, 6, 7, 8};
  constexpr std::size_t ahead = 2048;  // measured: bytes that are in no cache take half as long
  std::size_t at = 0;
  for (; at + sizeof lanes <= bytes.size(); at += sizeof lanes) {
    __builtin_prefetch(bytes.data() + std::min(at + ahead, bytes.size()));
    std::array<std::uint64_t, 8> words{};
    std::memcpy(words.data(), bytes.data() + at, sizeof words);
    for (std::size_t lane = 0; lane < lanes.size(); ++lane) {
      lanes[lane] = mix(lanes[lane], words[lane]);
    }
  }
  std::array<std::uint64_t, 8> tail{};
  if (at < bytes.size()) std::memcpy(tail.data(), bytes.data() + at, bytes.size() - at);
  std::uint64_t state = bytes.size();
  for (const std::uint64_t word : tail) state = mix(state, word);
  for (const std::uint64_t lane : lanes) state = mix(state, lane);
  return state;
}

}  // namespace daig
