#pragma once

/// Derivatives by central differences, the reference for every backward pass.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <daig/core/random.hpp>
#include <daig/nn/layer.hpp>

namespace daig::nn::test {

template <class T = double>
std::vector<T> random_values(std::size_t size, std::uint64_t seed) {
  Random random(seed, Stream::test);
  std::vector<T> values(size);
  for (T& value : values) value = static_cast<T>(random.normal());
  return values;
}

inline std::vector<std::int32_t> random_classes(std::size_t size, std::uint64_t classes,
                                                std::uint64_t seed) {
  Random random(seed, Stream::test);
  std::vector<std::int32_t> labels(size);
  for (std::int32_t& label : labels) label = static_cast<std::int32_t>(random.below(classes));
  return labels;
}

/// Compares a derivative with the central differences of `function`, which reads `at`.
inline void check_gradient(std::span<const double> gradient, std::vector<double>& at,
                           const std::function<double()>& function) {
  constexpr double step = 1e-5;
  BOOST_TEST_REQUIRE(gradient.size() == at.size());
  double worst = 0;
  for (std::size_t i = 0; i < at.size(); ++i) {
    const double value = at[i];
    at[i] = value + step;
    const double above = function();
    at[i] = value - step;
    const double below = function();
    at[i] = value;
    const double expected = (above - below) / (2 * step);
    worst = std::max(worst, std::abs(gradient[i] - expected) / std::max(1.0, std::abs(expected)));
  }
  BOOST_TEST(worst < 1e-7);
}

/// Both derivatives of a layer, of a weighted sum of its outputs; and that with beta 1 the gradient
/// is added to what is there.
inline void check_layer(Layer<double>& layer, std::size_t rows, std::uint64_t seed) {
  const auto engine = cpu_engine<double>();
  const std::size_t in = elements(layer.input_shape());
  const std::size_t out = elements(layer.output_shape());
  model::Layout layout;
  layer.declare(layout);
  std::vector<double> weights = random_values(layout.size(), seed);
  std::vector<double> inputs = random_values(rows * in, seed + 1);
  const std::vector<double> factors = random_values(rows * out, seed + 2);
  std::vector<double> outputs(rows * out);
  const auto objective = [&] {
    layer.forward(*engine, {weights, Matrix<const double>(inputs, rows, in),
                            Matrix<double>(outputs, rows, out), Noise{seed}});
    double sum = 0;
    for (std::size_t i = 0; i < outputs.size(); ++i) sum += factors[i] * outputs[i];
    return sum;
  };
  objective();
  const auto backward = [&](double beta, std::vector<double>& gradient,
                            std::vector<double>& input_delta) {
    std::vector<double> delta = factors;
    BackwardPass<double> pass;
    pass.weights = weights;
    pass.inputs = Matrix<const double>(inputs, rows, in);
    pass.outputs = Matrix<const double>(outputs, rows, out);
    pass.delta = Matrix<double>(delta, rows, out);
    pass.beta = beta;
    pass.gradient = gradient;
    if (!input_delta.empty()) pass.input_delta = Matrix<double>(input_delta, rows, in);
    layer.backward(*engine, pass);
  };
  std::vector<double> gradient(layout.size(), std::nan(""));  // beta 0 must not read them
  std::vector<double> input_delta(rows * in, std::nan(""));
  backward(0, gradient, input_delta);
  std::vector<double> added(layout.size(), 3);
  std::vector<double> unwanted;
  backward(1, added, unwanted);
  for (std::size_t i = 0; i < added.size(); ++i) {
    BOOST_TEST(std::abs(added[i] - gradient[i] - 3) < 1e-12);
  }
  for (const model::Parameter& parameter : layout.parameters()) {
    if (parameter.role != model::Role::statistic) continue;
    // What a gradient holds there is no derivative, and in training that is 0.
    std::ranges::fill(std::span(gradient).subspan(parameter.offset, parameter.size()), 0.0);
  }
  check_gradient(gradient, weights, objective);
  check_gradient(input_delta, inputs, objective);
}

}  // namespace daig::nn::test
