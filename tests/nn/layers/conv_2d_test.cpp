#include <cmath>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <daig/nn/layers/conv_2d.hpp>

#include "naive_window.hpp"
#include "nn/numeric_gradient.hpp"

BOOST_AUTO_TEST_SUITE(conv_2d_test)

namespace {

using namespace daig::nn;
using test::WindowCase;

BOOST_AUTO_TEST_CASE(derivatives_agree_with_differences) {
  std::size_t filters = 0;
  for (const WindowCase& window : test::window_cases(2)) {
    BOOST_TEST_CONTEXT(window) {
      filters = filters % 4 + 1;
      Conv2D<double> layer("conv", window.image, filters, window.options, Activation::tanh,
                           filters == 2 ? Bias::none : Bias::used);
      test::check_layer(layer, 2, 7);
    }
  }
}

BOOST_AUTO_TEST_CASE(derivatives_of_all_activations) {
  for (const Activation activation : test::all_activations()) {
    if (activation == Activation::exponential) continue;  // too large to take differences of
    for (const Bias bias : {Bias::none, Bias::used}) {
      BOOST_TEST_CONTEXT(name(activation)) {
        Conv2D<double> layer("conv", {5, 4, 2}, 3, {{3, 2}}, activation, bias);
        test::check_layer(layer, 3, 11);
      }
    }
  }
}

std::vector<double> naive_convolution(const Conv2D<double>& layer, const WindowCase& window,
                                      std::span<const double> weights,
                                      std::span<const double> inputs) {
  const std::size_t channels = window.image[2];
  const Shape& out = layer.output_shape();
  const std::size_t filters = out[2];
  const auto& [kernel_rows, kernel_columns] = window.options.kernel;
  const std::span<const double> biases =
      weights.subspan(kernel_rows * kernel_columns * channels * filters);
  std::vector<double> outputs;
  for (; !inputs.empty(); inputs = inputs.subspan(elements(window.image))) {
    const test::NaiveImage image(inputs, window.image);
    for (std::size_t y = 0; y < out[0]; ++y) {
      for (std::size_t x = 0; x < out[1]; ++x) {
        for (std::size_t f = 0; f < filters; ++f) {
          double sum = biases[f];
          for (std::size_t c = 0; c < channels; ++c) {
            test::for_each_naive_tap(
                image, window.image, window.options, y, x, c,
                [&](std::size_t ky, std::size_t kx, double value) {
                  sum +=
                      value *
                      weights[((ky * window.options.kernel.width + kx) * channels + c) * filters +
                              f];
                });
          }
          outputs.push_back(sum);
        }
      }
    }
  }
  return outputs;
}

BOOST_AUTO_TEST_CASE(values_agree_with_a_direct_convolution) {
  for (const WindowCase& window : test::window_cases(2)) {
    BOOST_TEST_CONTEXT(window) {
      Conv2D<double> layer("conv", window.image, 3, window.options, Activation::linear);
      daig::model::Layout layout;
      layer.declare(layout);
      const std::vector<double> weights = test::random_values(layout.size(), 1);
      const std::vector<double> inputs = test::random_values(3 * elements(window.image), 2);
      const std::vector<double> outputs = test::forward(layer, weights, inputs, 3);
      const std::vector<double> expected = naive_convolution(layer, window, weights, inputs);
      BOOST_TEST(test::largest_difference(outputs, expected) < 1e-12);
    }
  }
}

/// Patches of a few such images exceed the scratch: they are taken in parts, which end within an
/// image.
BOOST_AUTO_TEST_CASE(many_patches_are_taken_in_parts) {
  for (const std::size_t kernel : {3U, 1U}) {
    const WindowCase window{{40, 30, 16}, {{kernel, kernel}, {}, {}, Padding::same}};
    constexpr std::size_t images = 5;
    Conv2D<double> layer("conv", window.image, 2, window.options, Activation::linear);
    daig::model::Layout layout;
    layer.declare(layout);
    const std::vector<double> weights = test::random_values(layout.size(), 1);
    const std::vector<double> inputs = test::random_values(images * elements(window.image), 2);
    const std::vector<double> outputs = test::forward(layer, weights, inputs, images);
    const std::vector<double> expected = naive_convolution(layer, window, weights, inputs);
    BOOST_TEST(test::largest_difference(outputs, expected) < 1e-11);

    // The derivatives are what one image after the other gives.
    const auto backward = [&](std::size_t first, std::size_t rows, double beta,
                              std::vector<double>& gradient, std::span<double> input_delta) {
      const std::size_t in = elements(window.image);
      const std::size_t out = elements(layer.output_shape());
      std::vector<double> delta = test::random_values(images * out, 3);
      BackwardPass<double> pass;
      pass.weights = weights;
      pass.inputs = Matrix<const double>(inputs, images, in).slice(first, rows);
      pass.outputs = Matrix<const double>(outputs, images, out).slice(first, rows);
      pass.delta = Matrix<double>(delta, images, out).slice(first, rows);
      pass.beta = beta;
      pass.gradient = gradient;
      pass.input_delta = Matrix<double>(input_delta, images, in).slice(first, rows);
      layer.backward(*cpu_engine<double>(), pass);
    };
    std::vector<double> at_once(layout.size());
    std::vector<double> one_by_one(layout.size());
    std::vector<double> delta_at_once(inputs.size());
    std::vector<double> delta_one_by_one(inputs.size());
    backward(0, images, 0, at_once, delta_at_once);
    for (std::size_t i = 0; i < images; ++i) {
      backward(i, 1, i == 0 ? 0 : 1, one_by_one, delta_one_by_one);
    }
    BOOST_TEST(test::largest_difference(at_once, one_by_one) < 1e-10);
    BOOST_TEST(test::largest_difference(delta_at_once, delta_one_by_one) < 1e-12);
  }
}

BOOST_AUTO_TEST_CASE(parameters_are_as_in_keras) {
  const Conv2D<float> layer("conv_1", {28, 28, 3}, 8, {{3, 5}}, Activation::relu);
  BOOST_TEST(layer.output_shape() == (Shape{26, 24, 8}));
  daig::model::Layout layout;
  layer.declare(layout);
  BOOST_TEST_REQUIRE(layout.parameters().size() == 2);
  BOOST_TEST(layout.parameters()[0].name == "conv_1/kernel");
  BOOST_TEST(layout.parameters()[0].shape == (Shape{3, 5, 3, 8}));
  BOOST_TEST(layout.parameters()[1].name == "conv_1/bias");
  BOOST_TEST(layout.parameters()[1].shape == Shape{8});
  const Conv2D<float> unbiased("conv_2", {28, 28, 3}, 8, {{3, 5}}, Activation::relu, Bias::none);
  unbiased.declare(layout);
  BOOST_TEST(layout.parameters().size() == 3U);
}

double deviation(Activation activation) {
  const Conv2D<double> layer("conv", {9, 9, 20}, 40, {{3, 3}}, activation);
  constexpr std::size_t size = std::size_t{3} * 3 * 20 * 40;
  std::vector<double> weights(size + 40, 7);
  layer.initialise(weights, 42, 0);
  double squares = 0;
  for (std::size_t i = 0; i < size; ++i) squares += weights[i] * weights[i] / size;
  for (std::size_t i = size; i < weights.size(); ++i) BOOST_TEST(weights[i] == 0);
  return std::sqrt(squares);
}

BOOST_AUTO_TEST_CASE(fans_count_the_taps) {
  BOOST_TEST(std::abs(deviation(Activation::relu) - std::sqrt(2.0 / (9 * 20))) < 0.003);
  BOOST_TEST(std::abs(deviation(Activation::linear) - std::sqrt(2.0 / (9 * 20 + 9 * 40))) < 0.002);
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_refused) {
  const auto make = [](const Shape& image, std::size_t filters, const WindowOptions& options) {
    const Conv2D<float> layer("conv", image, filters, options, Activation::relu);
  };
  BOOST_CHECK_THROW(make({2, 2, 1}, 1, {{3, 3}}), daig::UsageError);
  BOOST_CHECK_THROW(make({4}, 1, {}), daig::UsageError);
  BOOST_CHECK_THROW(make({4, 4, 1}, 0, {}), daig::UsageError);
  BOOST_CHECK_THROW(make({4, 4, 1}, std::size_t{1} << 31, {}), daig::UsageError);
  BOOST_CHECK_NO_THROW(make({2, 2, 1}, 1, {{3, 3}, {}, {}, Padding::same}));
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
