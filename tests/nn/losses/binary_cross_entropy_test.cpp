#include <cmath>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <daig/nn/losses/binary_cross_entropy.hpp>

#include "loss_check.hpp"

BOOST_AUTO_TEST_SUITE(binary_cross_entropy_test)

using namespace daig::nn;
using test::close;

BOOST_AUTO_TEST_CASE(derivative_agrees_with_differences) {
  const std::vector<double> targets = test::random_probabilities(12, 1);
  for (const double smoothing : {0.0, 0.2}) {
    test::check_derivative(BinaryCrossEntropy<double>(smoothing), test::random_probabilities(12, 2),
                           3, {{}, targets});
  }
}

BOOST_AUTO_TEST_CASE(means_over_outputs_and_sums_over_samples) {
  const std::vector<double> targets{1, 0, 1, 1};
  const auto [loss, delta] =
      test::compute(BinaryCrossEntropy<double>(), {0.5, 0.5, 0.25, 0.75}, 2, {{}, targets});
  BOOST_TEST(close(loss.loss_sum, (2 * std::log(2) + std::log(4) - std::log(0.75)) / 2));
  BOOST_TEST(delta[0] == -1);
  BOOST_TEST(delta[1] == 1);
}

BOOST_AUTO_TEST_CASE(smoothing_pulls_targets_towards_a_half) {
  const std::vector<double> targets{1, 0};
  const std::vector<double> smooth{0.8, 0.2};
  const std::vector<double> outputs{0.3, 0.6};
  BOOST_TEST(
      close(test::compute(BinaryCrossEntropy<double>(0.4), outputs, 1, {{}, targets}).loss.loss_sum,
            test::compute(BinaryCrossEntropy<double>(), outputs, 1, {{}, smooth}).loss.loss_sum));
}

BOOST_AUTO_TEST_CASE(what_is_no_probability_is_clipped) {
  const std::vector<double> targets{1, 0};
  const auto [loss, delta] = test::compute(BinaryCrossEntropy<double>(), {-3, 7}, 1, {{}, targets});
  BOOST_TEST(close(loss.loss_sum, -std::log(1e-7) - std::log(1 - (1 - 1e-7))));
  BOOST_TEST(delta == (std::vector<double>{0, 0}));
}

BOOST_AUTO_TEST_CASE(it_takes_targets_and_judges_each_output_by_a_half) {
  const BinaryCrossEntropy<double> loss;
  BOOST_TEST(loss.takes(LabelKind::targets));
  BOOST_TEST(!loss.takes(LabelKind::classes));
  const std::vector<double> outputs{0.6, 0.4, 0.9, 0.5};
  const std::vector<double> targets{1, 1, 0, 0};
  BOOST_TEST(cpu_engine<double>()->count_correct(loss.accuracy(),
                                                 Matrix<const double>(outputs, 2, 2), {{}, targets},
                                                 loss.threshold()) == 2U);
}

BOOST_AUTO_TEST_SUITE_END()
