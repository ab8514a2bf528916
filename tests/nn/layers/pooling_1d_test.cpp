#include <memory>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <daig/nn/layers/average_pooling_1d.hpp>
#include <daig/nn/layers/global_average_pooling_1d.hpp>
#include <daig/nn/layers/global_max_pooling_1d.hpp>
#include <daig/nn/layers/max_pooling_1d.hpp>

#include "naive_window.hpp"
#include "nn/numeric_gradient.hpp"

BOOST_AUTO_TEST_SUITE(pooling_1d_test)

namespace {

using namespace daig::nn;

/// Two channels: steps of a sequence, and those the other way round.
const std::vector<double> sequence{1, 5, 4, 4, 2, 3, 3, 2, 5, 1};

std::vector<double> pooled(Layer<double>& layer) {
  test::check_layer(layer, 2, 5);
  return test::forward(layer, {}, sequence, 1);
}

BOOST_AUTO_TEST_CASE(largest_values) {
  MaxPooling1D<double> usual({5, 2}, 2);
  BOOST_TEST(usual.output_shape() == (Shape{2, 2}));
  BOOST_TEST(pooled(usual) == (std::vector<double>{4, 5, 3, 3}));
  MaxPooling1D<double> same({5, 2}, 2, {}, Padding::same);
  BOOST_TEST(pooled(same) == (std::vector<double>{4, 5, 3, 3, 5, 1}));
  MaxPooling1D<double> overlapping({5, 2}, 3, 1);
  BOOST_TEST(pooled(overlapping) == (std::vector<double>{4, 5, 4, 4, 5, 3}));
  GlobalMaxPooling1D<double> whole({5, 2});
  BOOST_TEST(whole.output_shape() == Shape{2});
  BOOST_TEST(pooled(whole) == (std::vector<double>{5, 5}));
}

BOOST_AUTO_TEST_CASE(means_without_the_padding) {
  AveragePooling1D<double> usual({5, 2}, 2);
  BOOST_TEST(pooled(usual) == (std::vector<double>{2.5, 4.5, 2.5, 2.5}));
  AveragePooling1D<double> same({5, 2}, 2, {}, Padding::same);
  BOOST_TEST(pooled(same) == (std::vector<double>{2.5, 4.5, 2.5, 2.5, 5, 1}));
  AveragePooling1D<double> overlapping({5, 2}, 4, 1);
  BOOST_TEST(pooled(overlapping) == (std::vector<double>{2.5, 3.5, 3.5, 2.5}));
  GlobalAveragePooling1D<double> whole({5, 2});
  BOOST_TEST(whole.output_shape() == Shape{2});
  BOOST_TEST(pooled(whole) == (std::vector<double>{3, 3}));
}

BOOST_AUTO_TEST_CASE(what_is_no_sequence_is_refused) {
  BOOST_CHECK_THROW(MaxPooling1D<float>({4}, 2), daig::UsageError);
  BOOST_CHECK_THROW(AveragePooling1D<float>({4, 4, 1}, 2), daig::UsageError);
  BOOST_CHECK_THROW(GlobalMaxPooling1D<float>({4}), daig::UsageError);
  BOOST_CHECK_THROW(GlobalAveragePooling1D<float>({4, 4, 1}), daig::UsageError);
  BOOST_CHECK_THROW(MaxPooling1D<float>({2, 1}, 3), daig::UsageError);
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
