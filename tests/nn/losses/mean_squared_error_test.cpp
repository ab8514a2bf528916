#define BOOST_TEST_MODULE nn_mean_squared_error

#include <vector>

#include <boost/test/unit_test.hpp>

#include <daig/nn/losses/mean_squared_error.hpp>

#include "nn/numeric_gradient.hpp"

namespace {

using namespace daig::nn;

Loss compute(const std::vector<double>& outputs, std::size_t columns,
             const std::vector<double>& targets, std::vector<double>& delta) {
  delta.resize(outputs.size());
  const std::size_t rows = outputs.size() / columns;
  return MeanSquaredError<double>().compute(*cpu_engine<double>(),
                                            Matrix<const double>(outputs, rows, columns),
                                            {{}, targets}, Matrix<double>(delta, rows, columns));
}

BOOST_AUTO_TEST_CASE(derivative_agrees_with_differences) {
  const std::vector<double> targets = test::random_values(15, 1);
  std::vector<double> outputs = test::random_values(15, 2);
  std::vector<double> delta;
  std::vector<double> unused;
  compute(outputs, 3, targets, delta);
  test::check_gradient(delta, outputs,
                       [&] { return compute(outputs, 3, targets, unused).loss_sum; });
}

BOOST_AUTO_TEST_CASE(means_over_outputs_and_sums_over_samples) {
  std::vector<double> delta;
  const Loss loss = compute({1, 2, 3, 4}, 2, {0, 4, 3, 3}, delta);
  BOOST_TEST(loss.loss_sum == 3);  // (1 + 4) / 2 + (0 + 1) / 2
  BOOST_TEST(loss.samples == 2U);
  BOOST_TEST(loss.correct == 0U);
  BOOST_TEST(delta == (std::vector<double>{1, -2, 0, 1}));
}

BOOST_AUTO_TEST_CASE(targets_of_another_size_are_refused) {
  std::vector<double> delta;
  BOOST_CHECK_THROW(compute({1, 2, 3, 4}, 2, {0, 4}, delta), daig::ContractViolation);
}

}  // namespace
