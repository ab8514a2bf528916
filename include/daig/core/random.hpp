#pragma once

/// Seeded, counter-based random numbers.
///
/// A number is a pure function of (seed, stream, position): there is no hidden state, so the same
/// seed gives the same run on any number of ranks, in any order of evaluation, and any draw can be
/// redone.
///
/// The function is Philox4x32-10 from Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy
/// as 1, 2, 3" (SC 2011). It is written out here, rather than taken from a package, so that the
/// headers stay free of dependencies and every build of every version draws the same numbers; the
/// test checks it against the paper's published vectors.

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numbers>
#include <utility>

#include <daig/core/error.hpp>

namespace daig {

using PhiloxBlock = std::array<std::uint32_t, 4>;

/// One block of four random words. Cost: 10 rounds of two 32x32 multiplications.
constexpr PhiloxBlock philox4x32(PhiloxBlock counter, std::array<std::uint32_t, 2> key);

/// What a stream of random numbers is used for; streams never share a number.
enum class Stream : std::uint32_t {
  weights = 1,   ///< initial weights; detail = index of the parameter
  shuffle = 2,   ///< order of samples in a shard; detail = shard, epoch
  simulate = 3,  ///< service times of simulated volunteers
  test = 4,
  fault = 5,  ///< delays of sends; detail = rank, number of the send
  batch = 6,  ///< a batch's noise seed; detail = epoch, batch
  noise = 7,  ///< what a layer draws in training; seed = the batch's, detail = layer, row
  local = 8,  ///< order of samples in a local pass; seed = the batch's, detail = pass
};

/// A sequence of 2^34 random words (then it repeats), addressed by (seed, stream, detail). Usable
/// as a standard UniformRandomBitGenerator, though the standard distributions differ between
/// libraries: prefer the members below, which give the same values everywhere (exponential and
/// normal: as far as the machines' log1p and cos agree).
class Random {
 public:
  using result_type = std::uint32_t;

  constexpr Random(std::uint64_t seed, Stream stream, std::uint32_t detail = 0,
                   std::uint32_t detail2 = 0);

  static constexpr result_type min() { return 0; }
  static constexpr result_type max() { return std::numeric_limits<result_type>::max(); }
  constexpr result_type operator()();

  /// Uniform in [0, 1), 53 random bits.
  constexpr double uniform();
  /// Uniform in [low, high), but for rounding.
  constexpr double uniform(double low, double high) { return low + (high - low) * uniform(); }
  /// Uniform in {0, ..., bound - 1}, without bias (rejection). Expects bound > 0.
  constexpr std::uint64_t below(std::uint64_t bound);
  /// Exponential with the given rate (mean 1 / rate).
  double exponential(double rate) { return -std::log1p(-uniform()) / rate; }
  /// Standard normal (Box-Muller, one of the two values).
  double normal();

 private:
  std::array<std::uint32_t, 2> key_;
  PhiloxBlock counter_;
  PhiloxBlock block_{};
  unsigned used_ = 4;
};

/// Shuffles an indexable range in place (Fisher-Yates); the same generator state gives the same
/// order everywhere.
template <class Range>
void shuffle(Range& range, Random& random);

// ---------------------------------------------------------------------------------------------

constexpr PhiloxBlock philox4x32(PhiloxBlock counter, std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t left = std::uint64_t{0xD2511F53} * counter[0];
    const std::uint64_t right = std::uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<std::uint32_t>(right >> 32) ^ counter[1] ^ key[0],
               static_cast<std::uint32_t>(right),
               static_cast<std::uint32_t>(left >> 32) ^ counter[3] ^ key[1],
               static_cast<std::uint32_t>(left)};
    key[0] += 0x9E3779B9;  // golden ratio
    key[1] += 0xBB67AE85;  // sqrt(3) - 1
  }
  return counter;
}

constexpr Random::Random(std::uint64_t seed, Stream stream, std::uint32_t detail,
                         std::uint32_t detail2)
    : key_{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)},
      counter_{0, detail2, detail, static_cast<std::uint32_t>(stream)} {}

constexpr Random::result_type Random::operator()() {
  if (used_ == block_.size()) {
    block_ = philox4x32(counter_, key_);
    ++counter_[0];
    used_ = 0;
  }
  return block_[used_++];
}

constexpr double Random::uniform() {
  const std::uint64_t high = (*this)() >> 5;  // 27 bits
  const std::uint64_t low = (*this)() >> 6;   // 26 bits
  return static_cast<double>((high << 26) | low) * 0x1p-53;
}

constexpr std::uint64_t Random::below(std::uint64_t bound) {
  expects(bound > 0, "a positive bound");
  const std::uint64_t max = std::numeric_limits<std::uint64_t>::max();
  const std::uint64_t limit = max - max % bound;  // a multiple of bound: from it on, redraw
  while (true) {
    const std::uint64_t high = (*this)();
    const std::uint64_t value = (high << 32) | (*this)();
    if (value < limit) return value % bound;
  }
}

inline double Random::normal() {
  const double radius = std::sqrt(-2.0 * std::log1p(-uniform()));
  return radius * std::cos(2.0 * std::numbers::pi * uniform());
}

template <class Range>
void shuffle(Range& range, Random& random) {
  for (std::size_t i = range.size(); i > 1; --i) {
    const auto j = static_cast<std::size_t>(random.below(i));
    using std::swap;
    swap(range[i - 1], range[j]);
  }
}

}  // namespace daig
