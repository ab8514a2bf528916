#define BOOST_TEST_MODULE nn_softmax_cross_entropy

#include <cmath>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <daig/nn/losses/softmax_cross_entropy.hpp>

#include "nn/numeric_gradient.hpp"

namespace {

using namespace daig::nn;

template <class T>
Loss compute(const std::vector<T>& logits, std::size_t columns,
             const std::vector<std::int32_t>& classes, std::vector<T>& delta) {
  delta.resize(logits.size());
  return SoftmaxCrossEntropy<T>().compute(*cpu_engine<T>(),
                                          Matrix<const T>(logits, classes.size(), columns),
                                          {classes, {}}, Matrix<T>(delta, classes.size(), columns));
}

BOOST_AUTO_TEST_CASE(derivative_agrees_with_differences) {
  const std::vector<std::int32_t> classes = test::random_classes(5, 4, 1);
  std::vector<double> logits = test::random_values(20, 2);
  std::vector<double> delta;
  std::vector<double> unused;
  compute(logits, 4, classes, delta);
  test::check_gradient(delta, logits, [&] { return compute(logits, 4, classes, unused).loss_sum; });
}

BOOST_AUTO_TEST_CASE(sums_over_samples_and_counts) {
  std::vector<double> delta;
  // Equal logits: log 2 each. A tie goes to the first column.
  const Loss even = compute<double>({3, 3, -1, -1}, 2, {0, 1}, delta);
  BOOST_TEST(std::abs(even.loss_sum - 2 * std::log(2.0)) < 1e-15);
  BOOST_TEST(even.samples == 2U);
  BOOST_TEST(even.correct == 1U);
  BOOST_TEST(delta == (std::vector<double>{-0.5, 0.5, 0.5, -0.5}));
}

BOOST_AUTO_TEST_CASE(large_logits_stay_exact) {
  std::vector<float> delta;
  const Loss right = compute<float>({1e30F, -1e30F}, 2, {0}, delta);
  BOOST_TEST(right.loss_sum == 0);
  BOOST_TEST(right.correct == 1U);
  BOOST_TEST(delta == (std::vector<float>{0, 0}));
  const Loss wrong = compute<float>({2000, 0}, 2, {1}, delta);
  BOOST_TEST(wrong.loss_sum == 2000);
  BOOST_TEST(wrong.correct == 0U);
  BOOST_TEST(delta == (std::vector<float>{1, -1}));
}

BOOST_AUTO_TEST_CASE(predictions_are_probabilities) {
  std::vector<double> outputs{0, std::log(3.0)};
  SoftmaxCrossEntropy<double>().finish_prediction(*cpu_engine<double>(),
                                                  Matrix<double>(outputs, 1, 2));
  BOOST_TEST(std::abs(outputs[0] - 0.25) < 1e-15);
  BOOST_TEST(std::abs(outputs[1] - 0.75) < 1e-15);
}

}  // namespace
