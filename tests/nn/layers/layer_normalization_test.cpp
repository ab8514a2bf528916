#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <daig/core/error.hpp>
#include <daig/nn/layers/layer_normalization.hpp>

#include "nn/numeric_gradient.hpp"

BOOST_AUTO_TEST_SUITE(layer_normalization_test)

namespace {

using namespace daig::nn;

BOOST_AUTO_TEST_CASE(derivatives_agree_with_differences) {
  for (const Affine affine : {Affine{}, Affine{.gamma = false}, Affine{.beta = false},
                              Affine{.gamma = false, .beta = false}}) {
    for (const Shape& shape : {Shape{5}, Shape{3, 4}, Shape{70}}) {
      LayerNormalization<double> layer("ln", shape, 0.01, affine);
      test::check_layer(layer, 3, 3);
    }
  }
}

BOOST_AUTO_TEST_CASE(values_agree_with_the_formula_with_and_without_training) {
  constexpr std::size_t rows = 3;
  constexpr std::size_t channels = 4;
  LayerNormalization<double> layer("ln", {2, channels}, 0.01);
  const std::vector<double> weights = test::random_values(2 * channels, 1);
  const std::vector<double> inputs = test::random_values(rows * 2 * channels, 2);
  for (const auto& training : {std::optional<Noise>(), std::optional(Noise{})}) {
    std::vector<double> outputs(inputs.size());
    layer.forward(*cpu_engine<double>(),
                  {weights, {inputs, rows, 2 * channels}, {outputs, rows, 2 * channels}, training});
    for (std::size_t first = 0; first < inputs.size(); first += channels) {
      double mean = 0;
      double variance = 0;
      for (std::size_t c = 0; c < channels; ++c) mean += inputs[first + c] / channels;
      for (std::size_t c = 0; c < channels; ++c) {
        variance += std::pow(inputs[first + c] - mean, 2) / channels;
      }
      for (std::size_t c = 0; c < channels; ++c) {
        const double expected =
            weights[c] * (inputs[first + c] - mean) / std::sqrt(variance + 0.01) +
            weights[channels + c];
        BOOST_TEST(std::abs(outputs[first + c] - expected) < 1e-12);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(parameters_are_as_in_keras) {
  const LayerNormalization<float> layer("ln", {5, 3}, 1e-3);
  daig::model::Layout layout;
  layer.declare(layout);
  BOOST_TEST_REQUIRE(layout.parameters().size() == 2U);
  BOOST_TEST(layout.parameters()[0].name == "ln/gamma");
  BOOST_TEST(layout.parameters()[1].name == "ln/beta");
  std::vector<float> weights(layout.size(), 7);
  layer.initialise(weights, 1, 0);
  BOOST_TEST(weights == (std::vector<float>{1, 1, 1, 0, 0, 0}));
  BOOST_TEST(!layer.needs_whole_batch());
}

BOOST_AUTO_TEST_CASE(what_makes_no_sense_is_refused) {
  BOOST_CHECK_THROW(LayerNormalization<float>("ln", {3}, 0), daig::UsageError);
  BOOST_CHECK_THROW(LayerNormalization<float>("ln", {3}, std::nan("")), daig::UsageError);
  BOOST_CHECK_THROW(LayerNormalization<float>("ln", {}, 1e-3), daig::UsageError);
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
