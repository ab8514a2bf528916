#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <daig/core/digest.hpp>
#include <daig/core/random.hpp>

BOOST_AUTO_TEST_SUITE(digest_test)

using namespace daig;

namespace {

std::vector<std::byte> random_bytes(std::size_t size, std::uint64_t seed) {
  Random random(seed, Stream::test);
  std::vector<std::byte> bytes(size);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random.below(256));
  return bytes;
}

std::uint64_t digest_of(const std::vector<std::byte>& bytes) {
  return digest(std::span<const std::byte>(bytes));
}

}  // namespace

// Written into ledgers and compared between machines: a new value here is a new format.
BOOST_AUTO_TEST_CASE(the_value_never_changes) {
  BOOST_CHECK_EQUAL(digest_of({}), 0x7473F8EA11B0F837);
  std::vector<std::byte> counting(100);
  for (std::size_t i = 0; i < counting.size(); ++i) counting[i] = static_cast<std::byte>(i);
  BOOST_CHECK_EQUAL(digest_of(counting), 0x4F64C9F421865F77);
}

BOOST_AUTO_TEST_CASE(equal_bytes_have_equal_digests_wherever_they_lie) {
  const std::vector<std::byte> bytes = random_bytes(99, 1);
  std::vector<std::byte> shifted(bytes.size() + 1);
  std::copy(bytes.begin(), bytes.end(), shifted.begin() + 1);
  BOOST_CHECK_EQUAL(digest_of(bytes), digest(std::span<const std::byte>(shifted).subspan(1)));
}

BOOST_AUTO_TEST_CASE(any_single_flipped_bit_shows) {
  for (const std::size_t size : {1, 7, 8, 31, 32, 33, 64, 100}) {
    std::vector<std::byte> bytes = random_bytes(size, 2);
    std::set<std::uint64_t> seen{digest_of(bytes)};
    for (std::byte& byte : bytes) {
      for (int bit = 0; bit < 8; ++bit) {
        byte ^= std::byte{1} << bit;
        seen.insert(digest_of(bytes));
        byte ^= std::byte{1} << bit;
      }
    }
    BOOST_TEST_CONTEXT("size " << size) {
      BOOST_CHECK_EQUAL(seen.size(), 8 * size + 1);
    }
  }
}

BOOST_AUTO_TEST_CASE(zeros_of_different_lengths_differ) {
  std::set<std::uint64_t> seen;
  for (std::size_t size = 0; size <= 200; ++size) {
    seen.insert(digest_of(std::vector<std::byte>(size)));
  }
  BOOST_CHECK_EQUAL(seen.size(), 201u);
}

BOOST_AUTO_TEST_CASE(the_order_of_words_shows) {
  std::array<std::uint64_t, 13> words{};
  for (std::size_t i = 0; i < words.size(); ++i) words[i] = 1000 + i;
  std::set<std::uint64_t> seen{digest(std::span<const std::uint64_t>(words))};
  std::size_t swaps = 0;
  for (std::size_t i = 0; i < words.size(); ++i) {
    for (std::size_t j = i + 1; j < words.size(); ++j) {
      std::swap(words[i], words[j]);
      seen.insert(digest(std::span<const std::uint64_t>(words)));
      std::swap(words[i], words[j]);
      ++swaps;
    }
  }
  BOOST_CHECK_EQUAL(seen.size(), swaps + 1);
}

BOOST_AUTO_TEST_CASE(numbers_are_digested_as_their_bytes) {
  const std::array<float, 3> numbers{1.5f, -2.0f, 0.0f};
  const std::span<const float> span(numbers);
  BOOST_CHECK_EQUAL(digest(span), digest(std::as_bytes(span)));
  const std::array<float, 3> negative_zero{1.5f, -2.0f, -0.0f};
  BOOST_CHECK_NE(digest(span), digest(std::span<const float>(negative_zero)));
}

BOOST_AUTO_TEST_CASE(random_contents_do_not_collide) {
  std::set<std::uint64_t> seen;
  for (std::uint64_t seed = 0; seed < 10'000; ++seed)
    seen.insert(digest_of(random_bytes(24, seed)));
  BOOST_CHECK_EQUAL(seen.size(), 10'000u);
}

BOOST_AUTO_TEST_SUITE_END()
