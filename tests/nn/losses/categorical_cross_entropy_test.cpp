#include <cmath>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <daig/nn/losses/categorical_cross_entropy.hpp>

#include "loss_check.hpp"

BOOST_AUTO_TEST_SUITE(categorical_cross_entropy_test)

using namespace daig::nn;
using test::close;

namespace {

CategoricalCrossEntropy<double> of_targets(double smoothing = 0) {
  return CategoricalCrossEntropy<double>({CategoricalLabels::Kinds::classes_or_targets, smoothing});
}

}  // namespace

BOOST_AUTO_TEST_CASE(derivative_agrees_with_differences) {
  const std::vector<double> targets = test::random_probabilities(12, 1);
  const std::vector<std::int32_t> classes = test::random_classes(4, 3, 2);
  for (const double smoothing : {0.0, 0.2}) {
    const std::vector<double> outputs = test::random_probabilities(12, 3);
    test::check_derivative(of_targets(smoothing), outputs, 3, {{}, targets});
    test::check_derivative(of_targets(smoothing), outputs, 3, {classes, {}});
  }
}

BOOST_AUTO_TEST_CASE(outputs_are_divided_by_their_sum) {
  const std::vector<std::int32_t> classes{1, 0};
  const auto [loss, delta] =
      test::compute(CategoricalCrossEntropy<double>(), {1, 3, 5, 5}, 2, {classes, {}});
  BOOST_TEST(close(loss.loss_sum, std::log(4.0 / 3) + std::log(2)));
  // -log(b / (a + b)): 1 / (a + b), and that less 1 / b.
  BOOST_TEST(close(delta[0], 0.25));
  BOOST_TEST(close(delta[1], 0.25 - 1.0 / 3));
}

BOOST_AUTO_TEST_CASE(classes_are_one_hot_targets) {
  const std::vector<double> outputs = test::random_probabilities(6, 1);
  const std::vector<std::int32_t> classes{2, 0};
  const std::vector<double> one_hot{0, 0, 1, 1, 0, 0};
  for (const double smoothing : {0.0, 0.3}) {
    const auto one = test::compute(of_targets(smoothing), outputs, 3, {classes, {}});
    const auto other = test::compute(of_targets(smoothing), outputs, 3, {{}, one_hot});
    BOOST_TEST(one.loss.loss_sum == other.loss.loss_sum);
    BOOST_TEST(one.delta == other.delta);
  }
}

BOOST_AUTO_TEST_CASE(what_is_no_probability_is_clipped) {
  const std::vector<std::int32_t> classes{1};
  const auto [loss, delta] =
      test::compute(CategoricalCrossEntropy<double>(), {2, 0}, 2, {classes, {}});
  BOOST_TEST(close(loss.loss_sum, -std::log(1e-7)));
  BOOST_TEST(delta == (std::vector<double>{0, 0}));
}

BOOST_AUTO_TEST_CASE(it_takes_targets_where_it_is_told_so) {
  BOOST_TEST(CategoricalCrossEntropy<double>().takes(LabelKind::classes));
  BOOST_TEST(!CategoricalCrossEntropy<double>().takes(LabelKind::targets));
  BOOST_TEST(of_targets().takes(LabelKind::classes));
  BOOST_TEST(of_targets().takes(LabelKind::targets));
  BOOST_TEST((of_targets().accuracy() == Accuracy::categorical));
}

BOOST_AUTO_TEST_SUITE_END()
