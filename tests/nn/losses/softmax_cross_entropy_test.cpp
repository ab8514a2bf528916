#include <cmath>
#include <limits>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <daig/nn/losses/softmax_cross_entropy.hpp>

#include "loss_check.hpp"

BOOST_AUTO_TEST_SUITE(softmax_cross_entropy_test)

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

BOOST_AUTO_TEST_CASE(sums_over_samples) {
  std::vector<double> delta;
  // Equal logits: log 2 each.
  const Loss even = compute<double>({3, 3, -1, -1}, 2, {0, 1}, delta);
  BOOST_TEST(std::abs(even.loss_sum - 2 * std::log(2.0)) < 1e-15);
  BOOST_TEST(even.samples == 2U);
  BOOST_TEST(delta == (std::vector<double>{-0.5, 0.5, 0.5, -0.5}));
}

BOOST_AUTO_TEST_CASE(large_logits_stay_exact) {
  std::vector<float> delta;
  const Loss right = compute<float>({1e30F, -1e30F}, 2, {0}, delta);
  BOOST_TEST(right.loss_sum == 0);
  BOOST_TEST(delta == (std::vector<float>{0, 0}));
  const Loss wrong = compute<float>({2000, 0}, 2, {1}, delta);
  BOOST_TEST(wrong.loss_sum == 2000);
  BOOST_TEST(delta == (std::vector<float>{1, -1}));
}

SoftmaxCrossEntropy<double> of_targets(double smoothing = 0) {
  return SoftmaxCrossEntropy<double>(Prediction::logits,
                                     {CategoricalLabels::Kinds::classes_or_targets, smoothing});
}

BOOST_AUTO_TEST_CASE(derivative_for_targets_agrees_with_differences) {
  const std::vector<double> targets = test::random_probabilities(12, 1);  // of any sum
  const std::vector<std::int32_t> classes = test::random_classes(4, 3, 2);
  for (const double smoothing : {0.0, 0.2}) {
    test::check_derivative(of_targets(smoothing), test::random_values(12, 3), 3, {{}, targets});
    test::check_derivative(of_targets(smoothing), test::random_values(12, 3), 3, {classes, {}});
  }
}

BOOST_AUTO_TEST_CASE(classes_are_one_hot_targets) {
  const std::vector<double> logits{1, -2, 0.5, 3, 3, 1};
  const std::vector<std::int32_t> classes{2, 0};
  const std::vector<double> one_hot{0, 0, 1, 1, 0, 0};
  for (const double smoothing : {0.0, 0.3}) {
    const auto one = test::compute(of_targets(smoothing), logits, 3, {classes, {}});
    const auto other = test::compute(of_targets(smoothing), logits, 3, {{}, one_hot});
    BOOST_TEST(test::close(one.loss.loss_sum, other.loss.loss_sum));
    for (std::size_t i = 0; i < 6; ++i) BOOST_TEST(test::close(one.delta[i], other.delta[i]));
  }
}

BOOST_AUTO_TEST_CASE(smoothing_spreads_over_the_classes) {
  const std::vector<std::int32_t> classes{1};
  const std::vector<double> smooth{0.1, 0.8, 0.1};
  const std::vector<double> logits{1, -2, 0.5};
  BOOST_TEST(test::close(test::compute(of_targets(0.3), logits, 3, {classes, {}}).loss.loss_sum,
                         test::compute(of_targets(), logits, 3, {{}, smooth}).loss.loss_sum));
}

BOOST_AUTO_TEST_CASE(an_infinite_logit_without_a_target_does_not_matter) {
  const std::vector<double> targets{1, 0};
  const double infinity = std::numeric_limits<double>::infinity();
  const auto [loss, delta] = test::compute(of_targets(), {2, -infinity}, 2, {{}, targets});
  BOOST_TEST(loss.loss_sum == 0);
  BOOST_TEST(delta == (std::vector<double>{0, 0}));
}

BOOST_AUTO_TEST_CASE(the_first_of_equal_outputs_is_the_largest) {
  const std::vector<double> logits{3, 3, -1, -1, 0, 2};
  const std::vector<std::int32_t> classes{0, 1, 1};
  const std::vector<double> targets{0.5, 0.1, 0.5, 0.5, 1, 0};
  const auto count = [&](const Labels<double>& labels) {
    return cpu_engine<double>()->count_correct(of_targets().accuracy(),
                                               Matrix<const double>(logits, 3, 2), labels, 0.5);
  };
  BOOST_TEST(count({classes, {}}) == 2U);
  BOOST_TEST(count({{}, targets}) == 2U);
}

BOOST_AUTO_TEST_CASE(it_takes_targets_where_it_is_told_so) {
  BOOST_TEST(SoftmaxCrossEntropy<double>().takes(LabelKind::classes));
  BOOST_TEST(!SoftmaxCrossEntropy<double>().takes(LabelKind::targets));
  BOOST_TEST(of_targets().takes(LabelKind::classes));
  BOOST_TEST(of_targets().takes(LabelKind::targets));
}

BOOST_AUTO_TEST_CASE(predictions_are_probabilities) {
  std::vector<double> outputs{0, std::log(3.0)};
  SoftmaxCrossEntropy<double>().finish_prediction(*cpu_engine<double>(),
                                                  Matrix<double>(outputs, 1, 2));
  BOOST_TEST(std::abs(outputs[0] - 0.25) < 1e-15);
  BOOST_TEST(std::abs(outputs[1] - 0.75) < 1e-15);
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
