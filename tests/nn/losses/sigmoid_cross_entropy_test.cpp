#include <cmath>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <daig/nn/losses/binary_cross_entropy.hpp>
#include <daig/nn/losses/sigmoid_cross_entropy.hpp>

#include "loss_check.hpp"

BOOST_AUTO_TEST_SUITE(sigmoid_cross_entropy_test)

using namespace daig::nn;
using test::close;

BOOST_AUTO_TEST_CASE(derivative_agrees_with_differences) {
  const std::vector<double> targets = test::random_probabilities(12, 1);
  for (const double smoothing : {0.0, 0.2}) {
    test::check_derivative(SigmoidCrossEntropy<double>(Prediction::probabilities, smoothing),
                           test::random_values(12, 2), 3, {{}, targets});
  }
}

BOOST_AUTO_TEST_CASE(it_is_the_binary_cross_entropy_of_the_sigmoid) {
  const std::vector<double> targets{0, 1, 1, 0.3};
  const std::vector<double> logits{-0.5, 2, -3, 1};
  std::vector<double> probabilities = logits;
  SigmoidCrossEntropy<double>().finish_prediction(*cpu_engine<double>(),
                                                  Matrix<double>(probabilities, 2, 2));
  BOOST_TEST(close(probabilities[1], 1 / (1 + std::exp(-2.0))));
  for (const double smoothing : {0.0, 0.3}) {
    const SigmoidCrossEntropy<double> of_logits(Prediction::logits, smoothing);
    const auto one = test::compute(of_logits, logits, 2, {{}, targets});
    const auto other =
        test::compute(BinaryCrossEntropy<double>(smoothing), probabilities, 2, {{}, targets});
    BOOST_TEST(close(one.loss.loss_sum, other.loss.loss_sum));
  }
}

BOOST_AUTO_TEST_CASE(large_logits_stay_exact) {
  const std::vector<double> targets{1, 1, 0};
  const auto [loss, delta] =
      test::compute(SigmoidCrossEntropy<double>(), {2000, -2000, 1e300}, 1, {{}, targets});
  BOOST_TEST(loss.loss_sum == 2000 + 1e300);
  BOOST_TEST(delta == (std::vector<double>{0, -1, 1}));
}

BOOST_AUTO_TEST_CASE(logits_are_given_as_they_are_where_they_are_wanted) {
  std::vector<double> outputs{-1, 4};
  SigmoidCrossEntropy<double>(Prediction::logits)
      .finish_prediction(*cpu_engine<double>(), Matrix<double>(outputs, 1, 2));
  BOOST_TEST(outputs == (std::vector<double>{-1, 4}));
}

BOOST_AUTO_TEST_CASE(it_takes_targets_and_judges_each_logit_by_its_sign) {
  const SigmoidCrossEntropy<double> loss;
  BOOST_TEST(loss.takes(LabelKind::targets));
  BOOST_TEST(!loss.takes(LabelKind::classes));
  BOOST_TEST((loss.accuracy() == Accuracy::binary));
  const std::vector<double> logits{0.1, -0.1, 3, 0};
  const std::vector<double> targets{1, 1, 0, 0};
  BOOST_TEST(cpu_engine<double>()->count_correct(loss.accuracy(),
                                                 Matrix<const double>(logits, 2, 2), {{}, targets},
                                                 loss.threshold()) == 2U);
}

BOOST_AUTO_TEST_SUITE_END()
