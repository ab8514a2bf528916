#include <cstddef>
#include <string_view>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <daig/nn/layers/conv_1d.hpp>

#include "naive_window.hpp"
#include "nn/numeric_gradient.hpp"

BOOST_AUTO_TEST_SUITE(conv_1d_test)

namespace {

using namespace daig::nn;

std::vector<Window1DOptions> window_options() {
  std::vector<Window1DOptions> all;
  for (const Padding padding : {Padding::valid, Padding::same, Padding::causal}) {
    for (const std::size_t kernel : {1U, 2U, 3U}) {
      for (const std::size_t stride : {1U, 2U, 3U}) {
        for (const std::size_t dilation : {1U, 2U})
          all.push_back({kernel, stride, dilation, padding});
      }
    }
  }
  return all;
}

BOOST_AUTO_TEST_CASE(values_agree_with_a_direct_convolution) {
  constexpr std::size_t steps = 9;
  constexpr std::size_t channels = 3;
  constexpr std::size_t filters = 2;
  for (const Window1DOptions& options : window_options()) {
    const auto& [kernel, stride, dilation, padding] = options;
    BOOST_TEST_CONTEXT("kernel " << kernel << ", stride " << stride << ", dilation " << dilation
                                 << ", padding " << static_cast<int>(padding)) {
      Conv1D<double> layer("conv", {steps, channels}, filters, options, Activation::linear);
      const std::vector<double> weights =
          test::random_values(kernel * channels * filters + filters, 1);
      const std::vector<double> inputs = test::random_values(2 * steps * channels, 2);
      const std::size_t out = layer.output_shape()[0];
      std::vector<double> expected;
      for (std::size_t n = 0; n < 2; ++n) {
        for (std::size_t p = 0; p < out; ++p) {
          for (std::size_t f = 0; f < filters; ++f) {
            double sum = weights[kernel * channels * filters + f];
            for (std::size_t tap = 0; tap < kernel; ++tap) {
              const auto at = test::naive_index(steps, p, tap, kernel, stride, dilation, padding);
              if (at < 0 || at >= static_cast<std::ptrdiff_t>(steps)) continue;
              for (std::size_t c = 0; c < channels; ++c) {
                sum += inputs[(n * steps + static_cast<std::size_t>(at)) * channels + c] *
                       weights[(tap * channels + c) * filters + f];
              }
            }
            expected.push_back(sum);
          }
        }
      }
      BOOST_TEST(test::largest_difference(test::forward(layer, weights, inputs, 2), expected) <
                 1e-12);
    }
  }
}

BOOST_AUTO_TEST_CASE(derivatives_agree_with_differences) {
  for (const Window1DOptions& options : window_options()) {
    for (const Bias bias : {Bias::none, Bias::used}) {
      Conv1D<double> layer("conv", {7, 2}, 3, options, Activation::tanh, bias);
      test::check_layer(layer, 2, 7);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_causal_output_does_not_see_what_comes_after_it) {
  Conv1D<double> layer("conv", {6, 1}, 1, {3, 1, 2, Padding::causal}, Activation::linear);
  const std::vector<double> weights{1, 2, 4, 0};
  std::vector<double> inputs = test::random_values(6, 1);
  const std::vector<double> before = test::forward(layer, weights, inputs, 1);
  inputs[3] += 1;
  const std::vector<double> after = test::forward(layer, weights, inputs, 1);
  BOOST_TEST((after[0] == before[0] && after[1] == before[1] && after[2] == before[2]));
  BOOST_TEST(std::abs(after[3] - before[3] - 4) < 1e-12);
  BOOST_TEST(std::abs(after[5] - before[5] - 2) < 1e-12);
}

BOOST_AUTO_TEST_CASE(parameters_and_shapes_are_as_in_keras) {
  const Conv1D<float> layer("conv_1", {28, 3}, 8, {5, 2}, Activation::relu);
  BOOST_TEST(layer.input_shape() == (Shape{28, 3}));
  BOOST_TEST(layer.output_shape() == (Shape{12, 8}));
  daig::model::Layout layout;
  layer.declare(layout);
  BOOST_TEST_REQUIRE(layout.parameters().size() == 2);
  BOOST_TEST(layout.parameters()[0].name == "conv_1/kernel");
  BOOST_TEST(layout.parameters()[0].shape == (Shape{5, 3, 8}));
  BOOST_TEST(layout.parameters()[1].name == "conv_1/bias");
  BOOST_TEST(layout.parameters()[1].shape == Shape{8});
}

BOOST_AUTO_TEST_CASE(starts_as_the_convolution_over_images_does) {
  const Conv1D<double> layer("conv", {9, 2}, 3, {4}, Activation::relu);
  const Conv2D<double> of_images("conv", {1, 9, 2}, 3, {{1, 4}}, Activation::relu);
  std::vector<double> weights(27);
  std::vector<double> expected(27);
  layer.initialise(weights, 5, 1);
  of_images.initialise(expected, 5, 1);
  BOOST_TEST(weights == expected);
}

auto says(std::string_view words) {
  return [words](const daig::UsageError& error) {
    return std::string_view(error.what()).find(words) != std::string_view::npos;
  };
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_refused) {
  const auto make = [](const Shape& sequence, std::size_t filters, const Window1DOptions& options) {
    const Conv1D<float> layer("conv", sequence, filters, options, Activation::relu);
  };
  BOOST_CHECK_EXCEPTION(make({2, 1}, 1, {3}), daig::UsageError, says("kernel 3, dilation 1"));
  BOOST_CHECK_EXCEPTION(make({4}, 1, {}), daig::UsageError, says("takes {steps, channels}"));
  BOOST_CHECK_EXCEPTION(make({4, 4, 1}, 1, {}), daig::UsageError, says("has 3 axes"));
  BOOST_CHECK_EXCEPTION(make({4, 1}, 0, {}), daig::UsageError, says("number of filters 0"));
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
