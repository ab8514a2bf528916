#include <cmath>
#include <optional>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <daig/core/error.hpp>
#include <daig/nn/layers/dropout.hpp>

#include "nn/numeric_gradient.hpp"

BOOST_AUTO_TEST_SUITE(dropout_test)

namespace {

using namespace daig::nn;

std::vector<double> forward(Dropout<double>& layer, std::span<const double> inputs,
                            std::optional<Noise> training) {
  const std::size_t columns = elements(layer.input_shape());
  const std::size_t rows = inputs.size() / columns;
  std::vector<double> outputs(inputs.size());
  layer.forward(*cpu_engine<double>(),
                {{}, {inputs, rows, columns}, {outputs, rows, columns}, training});
  return outputs;
}

std::vector<double> backward(Dropout<double>& layer, std::vector<double> delta) {
  const std::size_t columns = elements(layer.input_shape());
  const std::size_t rows = delta.size() / columns;
  std::vector<double> input_delta(delta.size());
  BackwardPass<double> pass;
  pass.delta = Matrix<double>(delta, rows, columns);
  pass.input_delta = Matrix<double>(input_delta, rows, columns);
  layer.backward(*cpu_engine<double>(), pass);
  return input_delta;
}

BOOST_AUTO_TEST_CASE(derivatives_agree_with_differences) {
  for (const double rate : {0.0, 0.3, 0.9}) {
    Dropout<double> layer({3, 5}, rate, 2);
    test::check_layer(layer, 4, 5);
  }
}

BOOST_AUTO_TEST_CASE(values_are_dropped_at_the_rate_and_scaled) {
  for (const double rate : {0.1, 0.5, 0.8}) {
    constexpr std::size_t size = 100'000;
    Dropout<double> layer({1000}, rate, 0);
    const std::vector<double> outputs = forward(layer, std::vector<double>(size, 3), Noise{1, 0});
    double dropped = 0;
    bool scaled = true;
    for (const double output : outputs) {
      dropped += output == 0 ? 1 : 0;
      scaled = scaled && (output == 0 || std::abs(output - 3 / (1 - rate)) < 1e-12);
    }
    BOOST_TEST(scaled);
    // Four standard deviations of a binomial distribution.
    BOOST_TEST(std::abs(dropped / size - rate) < 4 * std::sqrt(rate * (1 - rate) / size));
  }
}

BOOST_AUTO_TEST_CASE(without_training_nothing_happens) {
  Dropout<double> layer({7}, 0.5, 0);
  const std::vector<double> values = test::random_values(21, 1);
  forward(layer, values, Noise{1, 0});
  BOOST_TEST(forward(layer, values, {}) == values);
  BOOST_TEST(backward(layer, values) == values);  // the factors of the pass before are void
}

BOOST_AUTO_TEST_CASE(a_rate_of_0_drops_nothing) {
  Dropout<double> layer({7}, 0, 0);
  const std::vector<double> values = test::random_values(21, 1);
  BOOST_TEST(forward(layer, values, Noise{1, 0}) == values);
}

BOOST_AUTO_TEST_CASE(any_cut_of_a_batch_draws_the_same) {
  constexpr std::size_t rows = 9;
  constexpr std::size_t columns = 13;
  const std::vector<double> inputs = test::random_values(rows * columns, 1);
  Dropout<double> layer({columns}, 0.4, 3);
  const std::vector<double> whole = forward(layer, inputs, Noise{77, 0});
  for (const std::size_t part : {1U, 2U, 4U, 8U}) {
    std::vector<double> joined;
    for (std::size_t first = 0; first < rows; first += part) {
      const std::size_t count = std::min(part, rows - first);
      const auto rows_at_hand = std::span(inputs).subspan(first * columns, count * columns);
      const std::vector<double> outputs = forward(layer, rows_at_hand, Noise{77, first});
      joined.insert(joined.end(), outputs.begin(), outputs.end());
    }
    BOOST_TEST(joined == whole);
  }
}

BOOST_AUTO_TEST_CASE(seeds_layers_and_rows_differ) {
  const std::vector<double> ones(64, 1);
  Dropout<double> layer({32}, 0.5, 3);
  Dropout<double> another({32}, 0.5, 4);
  const std::vector<double> outputs = forward(layer, ones, Noise{1, 0});
  BOOST_TEST(forward(layer, ones, Noise{1, 0}) == outputs);
  BOOST_TEST(forward(layer, ones, Noise{2, 0}) != outputs);
  BOOST_TEST(forward(another, ones, Noise{1, 0}) != outputs);
  BOOST_TEST(std::vector(outputs.begin(), outputs.begin() + 32) !=
             std::vector(outputs.begin() + 32, outputs.end()));
}

BOOST_AUTO_TEST_CASE(rates_that_make_no_sense_are_refused) {
  for (const double rate : {-0.1, 1.0, 1.5, std::nan("")}) {
    BOOST_CHECK_THROW(Dropout<float>({3}, rate, 0), daig::UsageError);
  }
  BOOST_CHECK_NO_THROW(Dropout<float>({3}, 1 - 1e-16, 0));
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
