// What the engine does for layers that normalise, and for regularisers; against plain loops.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <daig/core/error.hpp>
#include <daig/nn/engine.hpp>

#include "numeric_gradient.hpp"

BOOST_AUTO_TEST_SUITE(normalization_test)

namespace {

using namespace daig::nn;
using daig::ContractViolation;
using test::random_values;

/// The values of a group, from a matrix.
std::vector<double> group_values(const std::vector<double>& values, std::size_t columns,
                                 Groups groups, std::size_t index) {
  std::vector<double> found;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if ((groups == Groups::columns ? i % columns : i / columns) == index) {
      found.push_back(values[i]);
    }
  }
  return found;
}

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value / static_cast<double>(values.size());
  return sum;
}

double variance_of(std::vector<double> values) {
  const double mean = mean_of(values);
  for (double& value : values) value = (value - mean) * (value - mean);
  return mean_of(values);
}

struct Extent {
  std::size_t rows;
  std::size_t columns;
};

// Blocks of columns end within, at, and beyond a matrix.
constexpr Extent matrices[] = {{1, 1}, {1, 7}, {9, 1}, {5, 3}, {4, 64}, {3, 65}, {6, 150}};

BOOST_AUTO_TEST_CASE(moments_are_means_and_variances_of_columns_or_rows) {
  const auto engine = cpu_engine<double>();
  for (const auto& [rows, columns] : matrices) {
    const std::vector<double> values = random_values(rows * columns, rows + columns);
    for (const Groups groups : {Groups::columns, Groups::rows}) {
      const std::size_t count = groups == Groups::columns ? columns : rows;
      std::vector<double> mean(count);
      std::vector<double> variance(count);
      engine->moments(groups, {values, rows, columns}, mean, variance);
      for (std::size_t i = 0; i < count; ++i) {
        const std::vector<double> own = group_values(values, columns, groups, i);
        BOOST_TEST(std::abs(mean[i] - mean_of(own)) < 1e-14);
        BOOST_TEST(std::abs(variance[i] - variance_of(own)) < 1e-14);
      }
    }
  }
}

/// A sum in single precision would be wrong in the third digit.
BOOST_AUTO_TEST_CASE(moments_of_very_many_values_are_precise) {
  constexpr std::size_t rows = 1 << 20;
  std::vector<float> values(rows);
  for (std::size_t i = 0; i < rows; ++i) values[i] = 1000.0F + static_cast<float>(i % 2);
  std::vector<float> mean(1);
  std::vector<float> variance(1);
  cpu_engine<float>()->moments(Groups::columns, {values, rows, 1}, mean, variance);
  BOOST_TEST(mean[0] == 1000.5F);
  BOOST_TEST(variance[0] == 0.25F);
}

BOOST_AUTO_TEST_CASE(values_are_shifted_and_scaled_by_their_group) {
  const auto engine = cpu_engine<double>();
  constexpr double epsilon = 0.01;
  for (const auto& [rows, columns] : matrices) {
    const std::vector<double> inputs = random_values(rows * columns, rows + columns);
    const std::vector<double> gamma = random_values(columns, 3);
    const std::vector<double> beta = random_values(columns, 4);
    for (const Groups groups : {Groups::columns, Groups::rows}) {
      for (const bool affine : {false, true}) {
        const std::size_t count = groups == Groups::columns ? columns : rows;
        const std::vector<double> mean = random_values(count, 5);
        std::vector<double> variance = random_values(count, 6);
        for (double& value : variance) value *= value;
        Normalization<double> by;
        by.groups = groups;
        by.mean = mean;
        by.variance = variance;
        if (affine) by.gamma = gamma;
        if (affine) by.beta = beta;
        by.epsilon = epsilon;
        std::vector<double> outputs(inputs.size());
        engine->normalize(by, {inputs, rows, columns}, {outputs, rows, columns});
        double worst = 0;
        for (std::size_t i = 0; i < inputs.size(); ++i) {
          const std::size_t column = i % columns;
          const std::size_t group = groups == Groups::columns ? column : i / columns;
          double expected = (inputs[i] - mean[group]) / std::sqrt(variance[group] + epsilon);
          if (affine) expected = gamma[column] * expected + beta[column];
          worst = std::max(worst, std::abs(outputs[i] - expected));
        }
        BOOST_TEST(worst < 1e-12);
      }
    }
  }
}

/// The derivatives, for moments that follow the inputs and for such that do not.
BOOST_AUTO_TEST_CASE(derivatives_agree_with_differences) {
  using Moments = Normalization<double>::Moments;
  const auto engine = cpu_engine<double>();
  for (const Extent& matrix : {Extent{5, 3}, Extent{3, 66}}) {
    const std::size_t rows = matrix.rows;
    const std::size_t columns = matrix.columns;
    for (const Groups groups : {Groups::columns, Groups::rows}) {
      for (const Moments moments : {Moments::of_inputs, Moments::constant}) {
        std::vector<double> inputs = random_values(rows * columns, 1);
        std::vector<double> gamma = random_values(columns, 2);
        std::vector<double> beta = random_values(columns, 3);
        std::vector<double> factors = random_values(rows * columns, 4);
        std::vector<double> mean(groups == Groups::columns ? columns : rows);
        std::vector<double> variance(mean.size());
        engine->moments(groups, {inputs, rows, columns}, mean, variance);
        Normalization<double> by{groups, moments, mean, variance, gamma, beta, 0.1};
        std::vector<double> outputs(inputs.size());
        const auto objective = [&] {
          if (moments == Moments::of_inputs) {
            engine->moments(groups, {inputs, rows, columns}, mean, variance);
          }
          engine->normalize(by, {inputs, rows, columns}, {outputs, rows, columns});
          double sum = 0;
          for (std::size_t i = 0; i < outputs.size(); ++i) sum += factors[i] * outputs[i];
          return sum;
        };
        objective();
        std::vector<double> of_gamma(columns, std::nan(""));
        std::vector<double> of_beta(columns, std::nan(""));
        std::vector<double> of_inputs(inputs.size());
        engine->normalize_backward(by, {inputs, rows, columns}, {factors, rows, columns}, 0,
                                   {of_gamma, of_beta}, {of_inputs, rows, columns});
        test::check_gradient(of_gamma, gamma, objective);
        test::check_gradient(of_beta, beta, objective);
        test::check_gradient(of_inputs, inputs, objective);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(differences_are_scaled_and_added) {
  const std::vector<double> a{1, 2};
  const std::vector<double> b{4, 1};
  std::vector<double> result{std::nan(""), std::nan("")};
  cpu_engine<double>()->add_difference(2, a, b, 0, result);
  BOOST_TEST(result == (std::vector<double>{-6, 2}));
  cpu_engine<double>()->add_difference(1, a, b, 1, result);
  BOOST_TEST(result == (std::vector<double>{-9, 3}));
}

BOOST_AUTO_TEST_CASE(large_weights_cost) {
  const std::vector<double> weights{2, 0, -3};
  std::vector<double> gradient{1, 1, 1};
  const double cost = cpu_engine<double>()->penalize({0.5, 0.25}, weights, 4, gradient);
  BOOST_TEST(cost == 0.5 * 5 + 0.25 * 13);
  // 1 + 4 (0.5 sign + 0.5 w)
  BOOST_TEST(gradient == (std::vector<double>{7, 1, -7}));
  BOOST_TEST(cpu_engine<double>()->penalize({0.5, 0.25}, weights, 4, {}) == cost);
}

BOOST_AUTO_TEST_CASE(sizes_that_do_not_fit_are_refused) {
  const auto engine = cpu_engine<double>();
  std::vector<double> two(2);
  std::vector<double> three(3);
  std::vector<double> six(6);
  const Matrix<double> matrix(six, 2, 3);
  BOOST_CHECK_THROW(engine->moments(Groups::columns, matrix, two, three), ContractViolation);
  BOOST_CHECK_THROW(engine->moments(Groups::rows, matrix, three, three), ContractViolation);
  BOOST_CHECK_THROW(engine->moments(Groups::columns, {{}, 0, 3}, three, three), ContractViolation);
  Normalization<double> by;
  by.mean = by.variance = three;
  by.epsilon = 1;
  BOOST_CHECK_NO_THROW(engine->normalize(by, matrix, matrix));
  BOOST_CHECK_THROW(engine->normalize(by, matrix, {six, 3, 2}), ContractViolation);
  BOOST_CHECK_THROW(engine->normalize_backward(by, matrix, matrix, 0, {two, {}}, {}),
                    ContractViolation);
  by.gamma = two;
  BOOST_CHECK_THROW(engine->normalize(by, matrix, matrix), ContractViolation);
  BOOST_CHECK_THROW(engine->add_difference(1, two, three, 0, three), ContractViolation);
  BOOST_CHECK_THROW(engine->penalize({1, 1}, three, 1, two), ContractViolation);
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
