#include <cmath>
#include <string_view>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <daig/nn/layers/depthwise_conv_2d.hpp>

#include "naive_window.hpp"
#include "nn/numeric_gradient.hpp"

BOOST_AUTO_TEST_SUITE(depthwise_conv_2d_test)

namespace {

using namespace daig::nn;
using test::WindowCase;

BOOST_AUTO_TEST_CASE(derivatives_agree_with_differences) {
  std::size_t multiplier = 0;
  for (const WindowCase& window : test::window_cases(2)) {
    BOOST_TEST_CONTEXT(window) {
      multiplier = multiplier % 3 + 1;
      DepthwiseConv2D<double> layer("conv", window.image, multiplier, window.options,
                                    Activation::tanh, multiplier == 2 ? Bias::none : Bias::used);
      test::check_layer(layer, 2, 7);
    }
  }
}

BOOST_AUTO_TEST_CASE(derivatives_of_activations) {
  for (const Activation activation : {Activation::linear, Activation::relu, Activation::softmax}) {
    for (const Bias bias : {Bias::none, Bias::used}) {
      DepthwiseConv2D<double> layer("conv", {5, 4, 2}, 2, {{3, 2}}, activation, bias);
      test::check_layer(layer, 3, 11);
    }
  }
}

std::vector<double> naive_convolution(const WindowCase& window, std::size_t multiplier,
                                      const Shape& out, std::span<const double> weights,
                                      std::span<const double> inputs) {
  const std::size_t channels = window.image[2];
  const Extents& kernel = window.options.kernel;
  const std::span<const double> biases =
      weights.subspan(kernel.height * kernel.width * channels * multiplier);
  std::vector<double> outputs;
  for (; !inputs.empty(); inputs = inputs.subspan(elements(window.image))) {
    const test::NaiveImage image(inputs, window.image);
    for (std::size_t y = 0; y < out[0]; ++y) {
      for (std::size_t x = 0; x < out[1]; ++x) {
        for (std::size_t f = 0; f < channels * multiplier; ++f) {
          const std::size_t c = f / multiplier;
          double sum = biases[f];
          test::for_each_naive_tap(
              image, window.image, window.options, y, x, c,
              [&](std::size_t ky, std::size_t kx, double value) {
                const std::size_t tap = ky * kernel.width + kx;
                sum += value * weights[(tap * channels + c) * multiplier + f % multiplier];
              });
          outputs.push_back(sum);
        }
      }
    }
  }
  return outputs;
}

BOOST_AUTO_TEST_CASE(values_agree_with_a_direct_convolution) {
  for (const WindowCase& window : test::window_cases(2)) {
    for (const std::size_t multiplier : {1U, 3U}) {
      BOOST_TEST_CONTEXT(window << ", multiplier " << multiplier) {
        DepthwiseConv2D<double> layer("conv", window.image, multiplier, window.options,
                                      Activation::linear);
        daig::model::Layout layout;
        layer.declare(layout);
        const std::vector<double> weights = test::random_values(layout.size(), 1);
        const std::vector<double> inputs = test::random_values(3 * elements(window.image), 2);
        const std::vector<double> outputs = test::forward(layer, weights, inputs, 3);
        const std::vector<double> expected =
            naive_convolution(window, multiplier, layer.output_shape(), weights, inputs);
        BOOST_TEST(test::largest_difference(outputs, expected) < 1e-12);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(the_old_gradient_counts_by_beta) {
  const auto engine = cpu_engine<double>();
  const Window window = make_window(std::vector<std::size_t>{1, 2, 1}, {{1, 2}});
  const std::vector<double> image{2, 3};
  const std::vector<double> kernel{5, 7};
  const std::vector<double> delta{10};
  std::vector<double> gradient{100, 200};
  engine->convolve_depthwise_backward(window, {image, 1, 2}, {kernel, 2, 1}, {delta, 1, 1}, 0.5,
                                      {gradient, 2, 1}, {});
  BOOST_TEST(gradient == (std::vector<double>{70, 130}));
}

BOOST_AUTO_TEST_CASE(matrices_that_do_not_fit_the_window_are_refused) {
  const auto engine = cpu_engine<double>();
  const Window window = make_window(std::vector<std::size_t>{3, 3, 2}, {{2, 2}});
  std::vector<double> values(100);
  std::vector<double> others(100);
  const auto matrix = [](std::vector<double>& of, std::size_t rows, std::size_t columns) {
    return Matrix<double>({of.data(), rows * columns}, rows, columns);
  };
  const auto convolve = [&](const Matrix<double>& images, const Matrix<double>& kernel,
                            const Matrix<double>& outputs) {
    engine->convolve_depthwise(window, images, kernel, outputs);
  };
  BOOST_CHECK_NO_THROW(convolve(matrix(others, 2, 18), matrix(others, 8, 1), matrix(values, 2, 8)));
  BOOST_CHECK_THROW(convolve(matrix(others, 2, 17), matrix(others, 8, 1), matrix(values, 2, 8)),
                    daig::ContractViolation);
  BOOST_CHECK_THROW(convolve(matrix(others, 2, 18), matrix(others, 4, 1), matrix(values, 2, 8)),
                    daig::ContractViolation);
  BOOST_CHECK_THROW(convolve(matrix(others, 2, 18), matrix(others, 8, 2), matrix(values, 2, 8)),
                    daig::ContractViolation);
}

BOOST_AUTO_TEST_CASE(parameters_are_as_in_keras) {
  const DepthwiseConv2D<float> layer("dw", {28, 28, 3}, 2, {{3, 5}}, Activation::relu);
  BOOST_TEST(layer.output_shape() == (Shape{26, 24, 6}));
  daig::model::Layout layout;
  layer.declare(layout);
  BOOST_TEST_REQUIRE(layout.parameters().size() == 2);
  BOOST_TEST(layout.parameters()[0].name == "dw/kernel");
  BOOST_TEST(layout.parameters()[0].shape == (Shape{3, 5, 3, 2}));
  BOOST_TEST(layout.parameters()[1].name == "dw/bias");
  BOOST_TEST(layout.parameters()[1].shape == Shape{6});
}

BOOST_AUTO_TEST_CASE(fans_are_those_of_keras) {
  const DepthwiseConv2D<double> layer("dw", {9, 9, 50}, 10, {{3, 3}}, Activation::linear);
  constexpr std::size_t size = std::size_t{9} * 50 * 10;
  std::vector<double> weights(size + 500, 7);
  layer.initialise(weights, 42, 0);
  double squares = 0;
  for (std::size_t i = 0; i < size; ++i) squares += weights[i] * weights[i] / size;
  for (std::size_t i = size; i < weights.size(); ++i) BOOST_TEST(weights[i] == 0);
  BOOST_TEST(std::abs(std::sqrt(squares) - std::sqrt(2.0 / (9 * 50 + 9 * 10))) < 0.002);
}

auto says(std::string_view words) {
  return [words](const daig::UsageError& error) {
    return std::string_view(error.what()).find(words) != std::string_view::npos;
  };
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_refused) {
  const auto make = [](const Shape& image, std::size_t multiplier, const WindowOptions& options) {
    const DepthwiseConv2D<float> layer("dw", image, multiplier, options, Activation::relu);
  };
  BOOST_CHECK_EXCEPTION(make({2, 2, 1}, 1, {{3, 3}}), daig::UsageError, says("does not fit"));
  BOOST_CHECK_EXCEPTION(make({4}, 1, {}), daig::UsageError, says("1 axes"));
  BOOST_CHECK_EXCEPTION(make({4, 4, 1}, 0, {}), daig::UsageError, says("depth multiplier 0"));
  BOOST_CHECK_EXCEPTION(make({4, 4, 4}, std::size_t{1} << 30, {}), daig::UsageError,
                        says("outputs of 4 channels"));
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
