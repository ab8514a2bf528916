#include <bit>
#include <cstdint>
#include <span>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <daig/core/random.hpp>
#include <daig/model/accumulator.hpp>

BOOST_AUTO_TEST_SUITE(accumulator_test)

using namespace daig;
using model::Accumulator;

namespace {

constexpr std::size_t size = 1001;
constexpr std::uint64_t seed = 5;

std::vector<std::vector<float>> rough_gradients(std::size_t count) {
  Random random(seed, Stream::test);
  std::vector<std::vector<float>> gradients(count, std::vector<float>(size));
  for (auto& gradient : gradients) {
    for (float& value : gradient) value = static_cast<float>(random.normal() * 1e3);
    gradient.front() = -0.0F;
  }
  return gradients;
}

std::vector<std::uint32_t> bits_of(const Accumulator& accumulator) {
  std::vector<std::uint32_t> bits;
  for (const float value : accumulator.sum()) bits.push_back(std::bit_cast<std::uint32_t>(value));
  return bits;
}

}  // namespace

BOOST_AUTO_TEST_CASE(gradients_give_the_same_bits_together_as_one_by_one) {
  for (std::size_t count = 0; count <= 11; ++count) {
    const auto gradients = rough_gradients(count);
    const std::vector<std::span<const float>> spans(gradients.begin(), gradients.end());
    Accumulator one_by_one(size);
    for (const auto gradient : spans) one_by_one.add(gradient);
    for (std::size_t first = 0; first <= count; ++first) {
      Accumulator together(size);
      together.add(std::span(spans).first(first));
      together.add(std::span(spans).subspan(first));
      BOOST_TEST(together.batches() == count);
      BOOST_TEST((bits_of(together) == bits_of(one_by_one)),
                 "seed " << seed << ", " << first << " of " << count << " gradients first");
    }
  }
}

BOOST_AUTO_TEST_CASE(what_is_cleared_counts_no_more) {
  const auto gradients = rough_gradients(2);
  Accumulator accumulator(size);
  accumulator.add(gradients[0]);
  accumulator.clear();
  BOOST_TEST(accumulator.batches() == 0U);
  BOOST_TEST(accumulator.sum().empty());
  accumulator.add(gradients[1]);
  Accumulator fresh(size);
  fresh.add(gradients[1]);
  BOOST_TEST((bits_of(accumulator) == bits_of(fresh)));
}

BOOST_AUTO_TEST_CASE(a_gradient_of_another_length_is_refused_and_nothing_is_added) {
  const std::vector<float> right(size, 1);
  const std::vector<float> wrong(size - 1, 1);
  const std::vector<std::span<const float>> both{right, wrong};
  Accumulator accumulator(size);
  BOOST_CHECK_THROW(accumulator.add(both), ContractViolation);
  BOOST_TEST(accumulator.batches() == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
