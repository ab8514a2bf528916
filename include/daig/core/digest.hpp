#pragma once

/// A 64-bit digest of bytes: equal digests on two ranks stand for equal bytes.
///
/// Not cryptographic: it finds divergence, not forgery. The value is part of the step protocol and
/// of the ledger, so it is defined here, bit for bit, and not by a package that may change: eight
/// lanes of FNV-1a's xor-multiply over little-endian 64-bit words, so many that the multiplications
/// overlap, and that memory is what takes the time.

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>
#include <utility>

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

namespace detail {

using DigestLanes = std::array<std::uint64_t, 8>;

inline std::uint64_t mix(std::uint64_t state, std::uint64_t word) {
  constexpr std::uint64_t factor = 0x9E3779B97F4A7C15;  // odd, so that multiplying loses no bit
  state = (state ^ word) * factor;
  return state ^ (state >> 32);  // without it, high bits of the words would never reach low bits
}

/// A word for each lane, written out: GCC keeps the lanes of a loop in memory, which takes half as
/// long again.
template <std::size_t... lane>
void mix_in(DigestLanes& lanes, const std::byte* words, std::index_sequence<lane...> /*all*/) {
  const auto word = [&](std::size_t number) {
    std::uint64_t value = 0;
    std::memcpy(&value, words + number * sizeof value, sizeof value);
    return value;
  };
  ((lanes[lane] = mix(lanes[lane], word(lane))), ...);
}

}  // namespace detail

inline std::uint64_t digest(std::span<const std::byte> bytes) {
  detail::DigestLanes lanes{1, 2, 3, 4, 5, 6, 7, 8};
  const std::size_t whole = bytes.size() / sizeof lanes * sizeof lanes;
  const std::byte* const end = bytes.data() + whole;
  for (const std::byte* at = bytes.data(); at != end; at += sizeof lanes) {
    detail::mix_in(lanes, at, std::make_index_sequence<lanes.size()>());
  }
  detail::DigestLanes tail{};
  if (whole < bytes.size()) std::memcpy(tail.data(), end, bytes.size() - whole);
  std::uint64_t state = bytes.size();
  for (const std::uint64_t word : tail) state = detail::mix(state, word);
  for (const std::uint64_t lane : lanes) state = detail::mix(state, lane);
  return state;
}

}  // namespace daig
