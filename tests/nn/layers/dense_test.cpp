#include <cmath>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <daig/nn/layers/dense.hpp>

#include "naive_window.hpp"
#include "nn/numeric_gradient.hpp"

BOOST_AUTO_TEST_SUITE(dense_test)

namespace {

using namespace daig::nn;

BOOST_AUTO_TEST_CASE(derivatives_agree_with_differences) {
  for (const Activation activation : test::all_activations()) {
    for (const std::size_t rows : {1U, 4U, 9U}) {
      BOOST_TEST_CONTEXT(name(activation) << ", " << rows << " rows") {
        Dense<double> layer("dense", {5}, 3, activation);
        test::check_layer(layer, rows, 11);
        Dense<double> unbiased("dense", {5}, 3, activation, Bias::none);
        test::check_layer(unbiased, rows, 12);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(one_input_and_one_unit) {
  Dense<double> layer("dense", {1}, 1, Activation::tanh);
  test::check_layer(layer, 1, 3);
}

BOOST_AUTO_TEST_CASE(applies_to_the_last_axis) {
  for (const Activation activation : {Activation::softmax, Activation::relu}) {
    Dense<double> whole("dense", {2, 3, 4}, 5, activation);
    test::check_layer(whole, 2, 11);
    Dense<double> row("dense", {4}, 5, activation);
    const std::vector<double> weights = test::random_values(25, 1);
    const std::vector<double> inputs = test::random_values(48, 2);
    BOOST_TEST(test::forward(whole, weights, inputs, 2) == test::forward(row, weights, inputs, 12));
  }
  const Dense<float> layer("dense_7", {2, 3, 4}, 5, Activation::relu);
  BOOST_TEST(layer.output_shape() == (Shape{2, 3, 5}));
  daig::model::Layout layout;
  layer.declare(layout);
  BOOST_TEST_REQUIRE(layout.parameters().size() == 2);
  BOOST_TEST(layout.parameters()[0].name == "dense_7/kernel");
  BOOST_TEST(layout.parameters()[0].shape == (Shape{4, 5}));
  BOOST_TEST(layout.parameters()[1].name == "dense_7/bias");
  BOOST_TEST(layout.parameters()[1].shape == Shape{5});
}

BOOST_AUTO_TEST_CASE(a_bias_can_be_left_out) {
  const Dense<float> layer("dense", {4}, 5, Activation::relu, Bias::none);
  daig::model::Layout layout;
  layer.declare(layout);
  BOOST_TEST_REQUIRE(layout.parameters().size() == 1);
  BOOST_TEST(layout.parameters()[0].name == "dense/kernel");
}

BOOST_AUTO_TEST_CASE(empty_layers_are_refused) {
  BOOST_CHECK_THROW(Dense<float>("dense", {4}, 0, Activation::relu), daig::ContractViolation);
  BOOST_CHECK_THROW(Dense<float>("dense", {}, 4, Activation::relu), daig::ContractViolation);
  BOOST_CHECK_THROW(Dense<float>("dense", {0}, 4, Activation::relu), daig::ContractViolation);
}

/// Mean, standard deviation and largest magnitude of a fresh kernel, and whether biases are 0.
struct Statistics {
  double mean = 0;
  double deviation = 0;
  double largest = 0;
  bool biases_are_zero = true;
};

Statistics initial_statistics(Activation activation) {
  constexpr std::size_t in = 200;
  constexpr std::size_t units = 100;
  const Dense<double> layer("dense", {in}, units, activation);
  std::vector<double> weights(in * units + units, 7);
  layer.initialise(weights, 42, 0);
  Statistics statistics;
  double squares = 0;
  for (std::size_t i = 0; i < in * units; ++i) {
    statistics.mean += weights[i] / (in * units);
    squares += weights[i] * weights[i] / (in * units);
    statistics.largest = std::max(statistics.largest, std::abs(weights[i]));
  }
  statistics.deviation = std::sqrt(squares - statistics.mean * statistics.mean);
  for (std::size_t i = in * units; i < weights.size(); ++i) {
    statistics.biases_are_zero = statistics.biases_are_zero && weights[i] == 0;
  }
  return statistics;
}

BOOST_AUTO_TEST_CASE(he_for_relu) {
  const Statistics statistics = initial_statistics(Activation::relu);
  BOOST_TEST(std::abs(statistics.mean) < 0.003);
  BOOST_TEST(std::abs(statistics.deviation - 0.1) < 0.002);  // sqrt(2 / 200)
  BOOST_TEST(statistics.largest > 0.3);                      // normal, not uniform
  BOOST_TEST(statistics.biases_are_zero);
}

BOOST_AUTO_TEST_CASE(glorot_for_the_rest) {
  const double limit = std::sqrt(6.0 / 300);
  for (const Activation activation :
       {Activation::linear, Activation::tanh, Activation::sigmoid, Activation::softmax}) {
    const Statistics statistics = initial_statistics(activation);
    BOOST_TEST(std::abs(statistics.mean) < 0.003);
    BOOST_TEST(std::abs(statistics.deviation - limit / std::sqrt(3.0)) < 0.002);
    BOOST_TEST(statistics.largest <= limit);
    BOOST_TEST(statistics.largest > 0.99 * limit);
    BOOST_TEST(statistics.biases_are_zero);
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
