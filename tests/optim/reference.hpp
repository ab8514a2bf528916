#pragma once

/// An optimiser against its formulas, straight, in double.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "optimizer_check.hpp"

namespace daig::optim::test {

/// Walks 30 steps on random gradients, and compares.
/// @param formula  called as formula(t, i, w, g) for step t = 1, 2, ... and weight i with its mean
///                 gradient: it changes w
/// @param decoupled  weight decay beside the gradient; 0: none
template <Optimizer O, class Formula>
void check_formula(O optimizer, double weight_decay, bool decoupled, Formula formula,
                   double tolerance = 1e-5) {
  constexpr double rate = 0.01;
  constexpr double scale = 0.125;
  const std::vector<float> start = random_values(101, 1);
  std::vector<float> weights = start;
  std::vector<double> expected(start.begin(), start.end());
  for (int t = 1; t <= 30; ++t) {
    const auto sum = random_values(start.size(), 100 + static_cast<std::uint64_t>(t));
    optimizer.update(weights, sum, static_cast<float>(scale), static_cast<float>(rate), weights);
    for (std::size_t i = 0; i < start.size(); ++i) {
      double g = scale * static_cast<double>(sum[i]);
      if (decoupled) {
        expected[i] -= rate * weight_decay * expected[i];
      } else {
        g += weight_decay * expected[i];
      }
      formula(t, i, expected[i], g);
    }
  }
  double moved = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    BOOST_TEST(std::abs(weights[i] - expected[i]) < tolerance);
    moved = std::max(moved, std::abs(expected[i] - static_cast<double>(start[i])));
  }
  BOOST_TEST(moved > 100 * tolerance);
}

}  // namespace daig::optim::test
