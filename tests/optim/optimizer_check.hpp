#pragma once

/// What every optimiser is tested for; the test of each includes this.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <daig/core/random.hpp>
#include <daig/optim/optimizer.hpp>

namespace daig::optim::test {

inline std::vector<float> random_values(std::size_t size, std::uint64_t seed) {
  Random random(seed, Stream::test);
  std::vector<float> values(size);
  for (float& value : values) value = static_cast<float>(random.normal());
  return values;
}

/// A few steps on random gradients with a changing rate; returns the weights after them.
template <Optimizer O>
std::vector<float> walk(O& optimizer, std::vector<float> weights, std::uint64_t first_step,
                        std::uint64_t end_step) {
  for (std::uint64_t step = first_step; step < end_step; ++step) {
    const std::vector<float> gradient = random_values(weights.size(), 100 + step);
    const float rate = 0.1F / static_cast<float>(1 + step);
    optimizer.update(weights, gradient, 0.25F, rate, weights);
  }
  return weights;
}

/// Writing over the old weights gives the bits that writing elsewhere gives.
template <class Make>
void check_in_place(Make make) {
  for (const std::size_t size : {0U, 1U, 3U, 64U, 1001U}) {
    BOOST_TEST_CONTEXT("size " << size) {
      auto in_place = make(size);
      auto elsewhere = make(size);
      std::vector<float> weights = random_values(size, 1);
      std::vector<float> old_weights = weights;
      std::vector<float> new_weights(size);
      for (std::uint64_t step = 0; step < 5; ++step) {
        const std::vector<float> gradient = random_values(size, 100 + step);
        const std::vector<float> before = old_weights;
        in_place.update(weights, gradient, 0.5F, 0.01F, weights);
        elsewhere.update(old_weights, gradient, 0.5F, 0.01F, new_weights);
        BOOST_TEST(old_weights == before);
        BOOST_TEST(weights == new_weights);
        old_weights.swap(new_weights);
      }
    }
  }
}

/// A new optimiser with the saved state goes on with the same bits; without it, it does not.
template <class Make>
void check_restore(Make make, bool has_state) {
  constexpr std::size_t size = 37;
  auto first = make(size);
  const std::vector<float> middle = walk(first, random_values(size, 1), 0, 7);
  auto second = make(size);
  auto forgetful = make(size);
  const State from = first.state();
  const State to = second.state();
  BOOST_TEST_REQUIRE(from.arrays.size() == to.arrays.size());
  BOOST_TEST_REQUIRE(from.scalars.size() == to.scalars.size());
  for (std::size_t i = 0; i < from.arrays.size(); ++i) {
    BOOST_TEST(from.arrays[i].name == to.arrays[i].name);
    BOOST_TEST_REQUIRE(from.arrays[i].values.size() == size);
    std::ranges::copy(from.arrays[i].values, to.arrays[i].values.begin());
  }
  for (std::size_t i = 0; i < from.scalars.size(); ++i) {
    BOOST_TEST(from.scalars[i].name == to.scalars[i].name);
    *to.scalars[i].value = *from.scalars[i].value;
  }
  const std::vector<float> end = walk(first, middle, 7, 20);
  BOOST_TEST(walk(second, middle, 7, 20) == end);
  BOOST_TEST((walk(forgetful, middle, 7, 20) == end) == !has_state);
}

/// Finds the minimum of sum curvature_i (w_i - goal_i)^2 / 2, curvatures from 1 to 10.
template <Optimizer O>
double distance_after(O optimizer, std::size_t size, int steps, float rate) {
  const std::vector<float> goal = random_values(size, 5);
  std::vector<float> weights(size);
  std::vector<float> gradient(size);
  for (int step = 0; step < steps; ++step) {
    for (std::size_t i = 0; i < size; ++i) {
      const float curvature = 1 + 9 * static_cast<float>(i) / static_cast<float>(size);
      gradient[i] = 8 * curvature * (weights[i] - goal[i]);  // as if summed over 8 samples
    }
    optimizer.update(weights, gradient, 0.125F, rate, weights);
  }
  double worst = 0;
  for (std::size_t i = 0; i < size; ++i) {
    worst = std::max(worst, std::abs(static_cast<double>(weights[i] - goal[i])));
  }
  return worst;
}

/// Wrong lengths are a caller's bug.
template <class Make>
void check_contract(Make make) {
  auto optimizer = make(4);
  std::vector<float> four(4);
  std::vector<float> five(5);
  BOOST_CHECK_THROW(optimizer.update(five, four, 1, 1, four), ContractViolation);
  BOOST_CHECK_THROW(optimizer.update(four, five, 1, 1, four), ContractViolation);
  BOOST_CHECK_THROW(optimizer.update(four, four, 1, 1, five), ContractViolation);
}

}  // namespace daig::optim::test
