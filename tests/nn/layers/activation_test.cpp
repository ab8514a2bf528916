#include <boost/test/unit_test.hpp>

#include <daig/nn/layers/activation.hpp>

#include "naive_window.hpp"
#include "nn/numeric_gradient.hpp"

BOOST_AUTO_TEST_SUITE(activation_test)

namespace {

using namespace daig::nn;

BOOST_AUTO_TEST_CASE(derivatives_agree_with_differences) {
  for (const Activation activation : test::all_activations()) {
    for (const std::size_t rows : {1U, 6U}) {
      BOOST_TEST_CONTEXT(name(activation) << ", " << rows << " rows") {
        ActivationLayer<double> layer({3, 2}, activation);
        test::check_layer(layer, rows, 5);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(keeps_the_shape_and_has_no_parameters) {
  const ActivationLayer<float> layer({3, 2}, Activation::relu);
  BOOST_TEST(layer.input_shape() == (Shape{3, 2}));
  BOOST_TEST(layer.output_shape() == (Shape{3, 2}));
  daig::model::Layout layout;
  layer.declare(layout);
  BOOST_TEST(layout.size() == 0U);
}

BOOST_AUTO_TEST_CASE(softmax_goes_over_the_last_axis) {
  ActivationLayer<double> layer({2, 2}, Activation::softmax);
  const std::vector<double> inputs{0, 0, 1, 1};
  BOOST_TEST(test::forward(layer, {}, inputs, 1) == std::vector<double>(4, 0.5));
}

BOOST_AUTO_TEST_CASE(names_go_both_ways) {
  for (const Activation activation : test::all_activations()) {
    BOOST_TEST((activation_named(name(activation)) == activation));
  }
  BOOST_TEST(!activation_named("gelu"));
  BOOST_TEST(!activation_named(""));
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
