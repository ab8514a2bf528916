#pragma once

/// What the tests of losses do alike.

#include <cmath>
#include <cstddef>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <daig/nn/loss_function.hpp>

#include "nn/numeric_gradient.hpp"

namespace daig::nn::test {

struct Computed {
  Loss loss;
  std::vector<double> delta;
};

inline Computed compute(const LossFunction<double>& loss, const std::vector<double>& outputs,
                        std::size_t columns, const Labels<double>& labels) {
  const std::size_t rows = outputs.size() / columns;
  Computed computed{{}, std::vector<double>(outputs.size(), std::nan(""))};
  computed.loss = loss.compute(*cpu_engine<double>(), Matrix<const double>(outputs, rows, columns),
                               labels, Matrix<double>(computed.delta, rows, columns));
  BOOST_TEST(computed.loss.samples == rows);
  return computed;
}

inline void check_derivative(const LossFunction<double>& loss, std::vector<double> outputs,
                             std::size_t columns, const Labels<double>& labels) {
  const std::vector<double> delta = compute(loss, outputs, columns, labels).delta;
  check_gradient(delta, outputs,
                 [&] { return compute(loss, outputs, columns, labels).loss.loss_sum; });
}

/// Not near 0, nor 1: a difference across what is clipped would prove nothing.
inline std::vector<double> random_probabilities(std::size_t size, std::uint64_t seed) {
  Random random(seed, Stream::test);
  std::vector<double> values(size);
  for (double& value : values) value = random.uniform(0.1, 0.9);
  return values;
}

/// Whether two values agree but for rounding.
inline bool close(double one, double other) {
  return std::abs(one - other) <= 1e-12 * std::max(1.0, std::abs(other));
}

}  // namespace daig::nn::test
