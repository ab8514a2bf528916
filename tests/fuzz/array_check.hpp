#pragma once

/// What must hold for any array file that is accepted.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

#include <daig/core/error.hpp>
#include <daig/data/array_source.hpp>

namespace daig::test {

inline void require(bool holds) {
  if (!holds) std::abort();  // what libFuzzer takes for a finding
}

/// `open` opens an array. What is refused must be refused with an InputError; what is accepted must
/// read, and the same sample by sample as at once.
template <class Open>
void check_samples(const Open& open) {
  try {
    const data::ArraySource array = open();
    require(array.count() > 0 && array.sample_size() > 0);
    // Both keep an input fast.
    constexpr std::uint64_t max_samples = 64;
    constexpr std::size_t max_bytes = std::size_t{1} << 24;
    if (array.sample_bytes() > max_bytes / max_samples) return;
    const std::uint64_t samples = std::min(array.count(), max_samples);
    std::vector<std::byte> all(samples * array.sample_bytes());
    array.read(array.count() - samples, samples, all);
    std::vector<std::byte> one(array.sample_bytes());
    for (std::uint64_t i = 0; i < samples; ++i) {
      array.read(array.count() - samples + i, 1, one);
      require(std::equal(one.begin(), one.end(),
                         all.begin() + static_cast<std::ptrdiff_t>(i * one.size())));
    }
  } catch (const InputError&) {
  }
}

/// Opens the bytes as an array file.
inline void check_array(std::span<const std::byte> bytes) {
  check_samples([&] {
    return data::open_array(data::bytes_in_memory("fuzzed", {bytes.begin(), bytes.end()}));
  });
}

}  // namespace daig::test
