#include <boost/test/unit_test.hpp>

#include <daig/core/error.hpp>
#include <daig/nn/layers/flatten.hpp>
#include <daig/nn/layers/reshape.hpp>

#include "naive_window.hpp"
#include "nn/numeric_gradient.hpp"

BOOST_AUTO_TEST_SUITE(reshape_test)

namespace {

using namespace daig::nn;

BOOST_AUTO_TEST_CASE(values_stay_as_they_are) {
  Reshape<double> layer({3, 4}, {2, 6, 1});
  BOOST_TEST(layer.input_shape() == (Shape{3, 4}));
  BOOST_TEST(layer.output_shape() == (Shape{2, 6, 1}));
  const std::vector<double> inputs = test::random_values(24, 1);
  BOOST_TEST(test::forward(layer, {}, inputs, 2) == inputs);
  test::check_layer(layer, 2, 3);
}

BOOST_AUTO_TEST_CASE(flat_samples) {
  Flatten<double> layer({3, 4, 5});
  BOOST_TEST(layer.output_shape() == Shape{60});
  test::check_layer(layer, 3, 3);
}

BOOST_AUTO_TEST_CASE(other_numbers_of_values_are_refused) {
  BOOST_CHECK_THROW(Reshape<float>({3, 4}, {13}), daig::UsageError);
  BOOST_CHECK_THROW(Reshape<float>({3, 4}, {0}), daig::UsageError);
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
