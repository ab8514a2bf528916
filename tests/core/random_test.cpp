#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <set>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <daig/core/random.hpp>

BOOST_AUTO_TEST_SUITE(random_test)

using namespace daig;

namespace {

constexpr std::uint64_t seeds[] = {0, 1, 42, 0x9E3779B97F4A7C15};

struct Moments {
  double mean = 0;
  double variance = 0;
};

template <class Draw>
Moments moments_of(std::size_t count, Draw draw) {
  std::vector<double> values(count);
  std::generate(values.begin(), values.end(), draw);
  const double n = static_cast<double>(count);
  Moments moments;
  moments.mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  for (const double value : values) {
    moments.variance += (value - moments.mean) * (value - moments.mean) / n;
  }
  return moments;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(philox)

// The known answers that the paper's authors publish with their code (Random123, kat_vectors,
// philox4x32-10).
BOOST_AUTO_TEST_CASE(gives_the_published_answers) {
  constexpr std::uint32_t ones = 0xFFFFFFFF;
  static_assert(philox4x32({0, 0, 0, 0}, {0, 0}) ==
                PhiloxBlock{0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8});
  static_assert(philox4x32({ones, ones, ones, ones}, {ones, ones}) ==
                PhiloxBlock{0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD});
  static_assert(
      philox4x32({0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344}, {0xA4093822, 0x299F31D0}) ==
      PhiloxBlock{0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1});
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(addresses)

BOOST_AUTO_TEST_CASE(the_words_are_the_blocks_of_the_address_in_order) {
  Random random(0x0123456789ABCDEF, Stream::test, 7, 9);
  for (std::uint32_t block = 0; block < 3; ++block) {
    const PhiloxBlock expected = philox4x32({block, 9, 7, static_cast<std::uint32_t>(Stream::test)},
                                            {0x89ABCDEF, 0x01234567});
    for (const std::uint32_t word : expected) BOOST_CHECK_EQUAL(random(), word);
  }
}

BOOST_AUTO_TEST_CASE(the_same_address_gives_the_same_words) {
  Random first(42, Stream::weights, 3);
  Random second(42, Stream::weights, 3);
  for (int i = 0; i < 100; ++i) BOOST_CHECK_EQUAL(first(), second());
}

BOOST_AUTO_TEST_CASE(any_part_of_the_address_changes_the_words) {
  const auto first_words = [](Random random) {
    return std::array<std::uint32_t, 4>{random(), random(), random(), random()};
  };
  std::set<std::array<std::uint32_t, 4>> seen;
  seen.insert(first_words(Random(1, Stream::test)));
  seen.insert(first_words(Random(2, Stream::test)));
  seen.insert(first_words(Random(1 + (std::uint64_t{1} << 32), Stream::test)));
  seen.insert(first_words(Random(1, Stream::shuffle)));
  seen.insert(first_words(Random(1, Stream::test, 1)));
  seen.insert(first_words(Random(1, Stream::test, 0, 1)));
  BOOST_CHECK_EQUAL(seen.size(), 6u);
}

BOOST_AUTO_TEST_CASE(a_copy_goes_on_from_the_same_place) {
  Random original(5, Stream::test);
  original();
  Random copy = original;
  for (int i = 0; i < 10; ++i) BOOST_CHECK_EQUAL(copy(), original());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(below)

BOOST_AUTO_TEST_CASE(stays_below_any_bound) {
  const std::uint64_t max = std::numeric_limits<std::uint64_t>::max();
  for (const std::uint64_t seed : seeds) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      Random random(seed, Stream::test);
      for (const std::uint64_t bound :
           {std::uint64_t{1}, std::uint64_t{2}, std::uint64_t{3}, std::uint64_t{1000},
            std::uint64_t{1} << 32, (std::uint64_t{1} << 63) + 1, max - 1, max}) {
        for (int i = 0; i < 200; ++i) BOOST_REQUIRE_LT(random.below(bound), bound);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(one_leaves_no_choice) {
  Random random(1, Stream::test);
  for (int i = 0; i < 10; ++i) BOOST_CHECK_EQUAL(random.below(1), 0u);
}

BOOST_AUTO_TEST_CASE(zero_breaks_the_contract) {
  Random random(1, Stream::test);
  BOOST_CHECK_THROW(random.below(0), ContractViolation);
}

// Chi-squared with 6 degrees of freedom exceeds 22.46 once in a thousand; the seeds are fixed, so
// what passes once passes always.
BOOST_AUTO_TEST_CASE(each_value_is_as_likely_as_the_others) {
  for (const std::uint64_t seed : seeds) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      Random random(seed, Stream::test);
      constexpr int draws = 70'000;
      std::array<int, 7> counts{};
      for (int i = 0; i < draws; ++i) ++counts[random.below(counts.size())];
      double chi_squared = 0;
      for (const int count : counts) {
        const double expected = draws / 7.0;
        chi_squared += (count - expected) * (count - expected) / expected;
      }
      BOOST_CHECK_LT(chi_squared, 22.46);
    }
  }
}

// With bound = 3 * 2^62, taking the remainder of 64 random bits would make the first third of the
// values twice as likely as the others: 1/2 instead of 1/3.
BOOST_AUTO_TEST_CASE(a_bound_near_the_largest_number_is_not_biased) {
  constexpr std::uint64_t third = std::uint64_t{1} << 62;
  for (const std::uint64_t seed : seeds) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      Random random(seed, Stream::test);
      constexpr int draws = 30'000;
      int low = 0;
      for (int i = 0; i < draws; ++i) low += random.below(3 * third) < third ? 1 : 0;
      BOOST_CHECK_SMALL(low / double{draws} - 1.0 / 3, 0.012);  // over four standard deviations
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(distributions)

constexpr std::size_t draws = 200'000;

BOOST_AUTO_TEST_CASE(uniform_numbers_have_the_moments_of_the_unit_interval) {
  for (const std::uint64_t seed : seeds) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      Random random(seed, Stream::test);
      double least = 1;
      double largest = 0;
      const Moments moments = moments_of(draws, [&] {
        const double value = random.uniform();
        least = std::min(least, value);
        largest = std::max(largest, value);
        return value;
      });
      BOOST_CHECK_GE(least, 0.0);
      BOOST_CHECK_LT(largest, 1.0);
      BOOST_CHECK_LT(least, 1e-3);
      BOOST_CHECK_GT(largest, 1 - 1e-3);
      BOOST_CHECK_SMALL(moments.mean - 0.5, 0.003);
      BOOST_CHECK_SMALL(moments.variance - 1.0 / 12, 0.001);
    }
  }
}

BOOST_AUTO_TEST_CASE(uniform_numbers_are_the_same_on_every_machine) {
  Random random(42, Stream::test);
  Random words(42, Stream::test);
  for (int i = 0; i < 100; ++i) {
    const std::uint64_t high = words() >> 5;
    const std::uint64_t low = words() >> 6;
    const std::uint64_t bits = high * (std::uint64_t{1} << 26) + low;
    BOOST_CHECK_EQUAL(random.uniform(), std::ldexp(static_cast<double>(bits), -53));
  }
}

BOOST_AUTO_TEST_CASE(an_interval_is_filled_and_not_left) {
  Random random(1, Stream::test);
  const Moments moments = moments_of(draws, [&] {
    const double value = random.uniform(-3, 5);
    BOOST_REQUIRE(value >= -3 && value < 5);
    return value;
  });
  BOOST_CHECK_SMALL(moments.mean - 1, 0.03);
  BOOST_CHECK_SMALL(moments.variance - 64.0 / 12, 0.06);
}

BOOST_AUTO_TEST_CASE(exponential_numbers_have_the_mean_of_their_rate) {
  for (const std::uint64_t seed : seeds) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      Random random(seed, Stream::test);
      const Moments moments = moments_of(draws, [&] {
        const double value = random.exponential(4);
        BOOST_REQUIRE(value >= 0 && std::isfinite(value));
        return value;
      });
      BOOST_CHECK_SMALL(moments.mean - 0.25, 0.003);
      BOOST_CHECK_SMALL(moments.variance - 0.0625, 0.002);
    }
  }
}

BOOST_AUTO_TEST_CASE(normal_numbers_have_mean_zero_and_variance_one) {
  for (const std::uint64_t seed : seeds) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      Random random(seed, Stream::test);
      int far = 0;
      const Moments moments = moments_of(draws, [&] {
        const double value = random.normal();
        BOOST_REQUIRE(std::isfinite(value));
        far += std::abs(value) > 1.959964 ? 1 : 0;
        return value;
      });
      BOOST_CHECK_SMALL(moments.mean, 0.01);
      BOOST_CHECK_SMALL(moments.variance - 1, 0.015);
      BOOST_CHECK_SMALL(far / double{draws} - 0.05, 0.0025);  // the tails
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(shuffling)

BOOST_AUTO_TEST_CASE(keeps_every_element) {
  for (const std::size_t size : {0, 1, 2, 3, 100, 1001}) {
    for (const std::uint64_t seed : seeds) {
      BOOST_TEST_CONTEXT("seed " << seed << ", size " << size) {
        std::vector<std::size_t> order(size);
        std::iota(order.begin(), order.end(), std::size_t{0});
        Random random(seed, Stream::test);
        shuffle(order, random);
        std::sort(order.begin(), order.end());
        for (std::size_t i = 0; i < size; ++i) BOOST_REQUIRE_EQUAL(order[i], i);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(every_order_is_as_likely_as_the_others) {
  Random random(42, Stream::test);
  std::array<int, 6> counts{};  // of the orders of three, by the places of 0 and 1
  constexpr int draws = 60'000;
  for (int i = 0; i < draws; ++i) {
    std::array<int, 3> order{0, 1, 2};
    shuffle(order, random);
    const auto first = static_cast<std::size_t>(order[0]);
    ++counts[2 * first + (order[1] > order[2] ? 1 : 0)];
  }
  double chi_squared = 0;
  for (const int count : counts) chi_squared += (count - 1e4) * (count - 1e4) / 1e4;
  BOOST_CHECK_LT(chi_squared, 20.52);  // 5 degrees of freedom, once in a thousand
}

BOOST_AUTO_TEST_CASE(depends_on_the_seed_alone) {
  const auto order_of = [](std::uint64_t seed) {
    std::vector<int> order(50);
    std::iota(order.begin(), order.end(), 0);
    Random random(seed, Stream::shuffle);
    shuffle(order, random);
    return order;
  };
  BOOST_CHECK(order_of(7) == order_of(7));
  BOOST_CHECK(order_of(7) != order_of(8));
}

BOOST_AUTO_TEST_CASE(elements_that_are_proxies_are_swapped_too) {
  std::vector<bool> bits(64);
  std::fill(bits.begin(), bits.begin() + 20, true);
  Random random(1, Stream::test);
  shuffle(bits, random);
  BOOST_CHECK_EQUAL(std::count(bits.begin(), bits.end(), true), 20);
  BOOST_CHECK(!std::is_sorted(bits.rbegin(), bits.rend()));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE_END()
