#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <daig/nn/layers/average_pooling_2d.hpp>
#include <daig/nn/layers/global_average_pooling_2d.hpp>
#include <daig/nn/layers/global_max_pooling_2d.hpp>
#include <daig/nn/layers/max_pooling_2d.hpp>

#include "naive_window.hpp"
#include "nn/numeric_gradient.hpp"

BOOST_AUTO_TEST_SUITE(pooling_2d_test)

namespace {

using namespace daig::nn;
using test::WindowCase;

using Reduction = std::function<double(const std::vector<double>& values)>;

double largest(const std::vector<double>& values) {
  return *std::ranges::max_element(values);
}

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

std::vector<double> naive_pooling(const WindowCase& window, const Shape& out,
                                  std::span<const double> inputs, const Reduction& reduce) {
  std::vector<double> outputs;
  for (; !inputs.empty(); inputs = inputs.subspan(elements(window.image))) {
    const test::NaiveImage image(inputs, window.image);
    for (std::size_t y = 0; y < out[0]; ++y) {
      for (std::size_t x = 0; x < out[1]; ++x) {
        for (std::size_t c = 0; c < window.image[2]; ++c) {
          std::vector<double> values;
          test::for_each_naive_tap(
              image, window.image, window.options, y, x, c,
              [&](std::size_t, std::size_t, double value) { values.push_back(value); });
          outputs.push_back(reduce(values));
        }
      }
    }
  }
  return outputs;
}

template <class PoolingLayer>
void check_pooling(const Reduction& reduce) {
  for (const WindowCase& window : test::window_cases(1)) {
    BOOST_TEST_CONTEXT(window) {
      PoolingLayer layer(window.image, window.options.kernel, window.options.stride,
                         window.options.padding);
      const std::vector<double> inputs = test::random_values(3 * elements(window.image), 2);
      const std::vector<double> outputs = test::forward(layer, {}, inputs, 3);
      const auto expected = naive_pooling(window, layer.output_shape(), inputs, reduce);
      BOOST_TEST(test::largest_difference(outputs, expected) < 1e-12);
      test::check_layer(layer, 2, 5);
    }
  }
}

BOOST_AUTO_TEST_CASE(largest_values_and_their_derivatives) {
  check_pooling<MaxPooling2D<double>>(largest);
}

BOOST_AUTO_TEST_CASE(means_and_their_derivatives) {
  check_pooling<AveragePooling2D<double>>(mean);
}

template <class PoolingLayer>
void check_global_pooling(const Reduction& reduce) {
  for (const Shape& image : {Shape{1, 1, 1}, Shape{4, 3, 2}, Shape{1, 7, 5}}) {
    PoolingLayer layer(image);
    BOOST_TEST(layer.output_shape() == Shape{image[2]});
    const std::vector<double> inputs = test::random_values(3 * elements(image), 2);
    const std::vector<double> outputs = test::forward(layer, {}, inputs, 3);
    const WindowCase window{image, {{image[0], image[1]}}};
    const auto expected = naive_pooling(window, {1, 1, image[2]}, inputs, reduce);
    BOOST_TEST(test::largest_difference(outputs, expected) < 1e-12);
    test::check_layer(layer, 2, 5);
  }
  BOOST_CHECK_THROW(PoolingLayer({4, 3}), daig::UsageError);
}

BOOST_AUTO_TEST_CASE(pooling_of_the_whole_image) {
  check_global_pooling<GlobalMaxPooling2D<double>>(largest);
  check_global_pooling<GlobalAveragePooling2D<double>>(mean);
}

BOOST_AUTO_TEST_CASE(strides_are_the_windows_size_unless_given) {
  const MaxPooling2D<float> usual({26, 26, 32}, {2, 2});
  BOOST_TEST(usual.output_shape() == (Shape{13, 13, 32}));
  const AveragePooling2D<float> odd({13, 13, 4}, {2, 2});
  BOOST_TEST(odd.output_shape() == (Shape{6, 6, 4}));
  const MaxPooling2D<float> same({13, 13, 4}, {2, 2}, {}, Padding::same);
  BOOST_TEST(same.output_shape() == (Shape{7, 7, 4}));
  const MaxPooling2D<float> overlapping({13, 13, 4}, {3, 3}, Extents{1, 2});
  BOOST_TEST(overlapping.output_shape() == (Shape{11, 6, 4}));
  BOOST_CHECK_THROW(MaxPooling2D<float>({2, 2, 1}, {3, 3}), daig::UsageError);
}

BOOST_AUTO_TEST_CASE(the_first_of_equal_values_takes_the_derivative) {
  MaxPooling2D<float> layer({2, 4, 1}, {2, 2});
  // Windows {1, 5; 5, 5} and {0, 0; 0, 0}.
  const std::vector<float> inputs{1, 5, 0, 0, 5, 5, 0, 0};
  std::vector<float> outputs(2);
  std::vector<float> delta{3, 4};
  std::vector<float> input_delta(8, 9);
  layer.forward(*cpu_engine<float>(), {{}, {inputs, 1, 8}, {outputs, 1, 2}, {}});
  BackwardPass<float> pass;
  pass.inputs = Matrix<const float>(inputs, 1, 8);
  pass.outputs = Matrix<const float>(outputs, 1, 2);
  pass.delta = Matrix<float>(delta, 1, 2);
  pass.input_delta = Matrix<float>(input_delta, 1, 8);
  layer.backward(*cpu_engine<float>(), pass);
  BOOST_TEST(outputs == (std::vector<float>{5, 0}));
  BOOST_TEST(input_delta == (std::vector<float>{0, 3, 4, 0, 0, 0, 0, 0}));
}

BOOST_AUTO_TEST_CASE(a_nan_is_not_hidden) {
  for (std::size_t at = 0; at < 4; ++at) {
    std::vector<double> inputs{1, 2, 3, 4};
    inputs[at] = std::numeric_limits<double>::quiet_NaN();
    GlobalMaxPooling2D<double> layer({2, 2, 1});
    BOOST_TEST(std::isnan(test::forward(layer, {}, inputs, 1)[0]));
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
