#include <cmath>
#include <limits>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <daig/nn/engine.hpp>

#include "numeric_gradient.hpp"

BOOST_AUTO_TEST_SUITE(cpu_engine_test)

namespace {

using namespace daig::nn;
using daig::ContractViolation;
using test::random_values;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

template <class T>
T at(const Factor<T>& factor, std::size_t row, std::size_t column) {
  if (factor.transpose == Transpose::yes) std::swap(row, column);
  return factor.matrix.row(row)[column];
}

template <class T>
void check_products(double tolerance) {
  const auto engine = cpu_engine<T>();
  for (const std::size_t m : {1U, 3U, 65U}) {
    for (const std::size_t n : {1U, 10U, 33U}) {
      for (const std::size_t k : {1U, 7U, 64U}) {
        const std::vector<T> a = random_values<T>(m * k, 1);
        const std::vector<T> b = random_values<T>(k * n, 2);
        for (const Transpose trans_a : {Transpose::no, Transpose::yes}) {
          for (const Transpose trans_b : {Transpose::no, Transpose::yes}) {
            const Factor<T> left{
                trans_a == Transpose::no ? Matrix<const T>(a, m, k) : Matrix<const T>(a, k, m),
                trans_a};
            const Factor<T> right{
                trans_b == Transpose::no ? Matrix<const T>(b, k, n) : Matrix<const T>(b, n, k),
                trans_b};
            std::vector<T> product(m * n, static_cast<T>(nan));  // beta 0 must not read it
            std::vector<T> added(m * n, 2);
            engine->multiply(left, right, 0, Matrix<T>(product, m, n));
            engine->multiply(left, right, 1, Matrix<T>(added, m, n));
            double worst = 0;
            for (std::size_t i = 0; i < m; ++i) {
              for (std::size_t j = 0; j < n; ++j) {
                double sum = 0;
                for (std::size_t l = 0; l < k; ++l) {
                  sum += static_cast<double>(at(left, i, l)) * static_cast<double>(at(right, l, j));
                }
                worst = std::max(worst, std::abs(static_cast<double>(product[i * n + j]) - sum));
                worst = std::max(worst, std::abs(static_cast<double>(added[i * n + j]) - sum - 2));
              }
            }
            BOOST_TEST_CONTEXT(m << " x " << k << " x " << n) {
              BOOST_TEST(worst < tolerance);
            }
          }
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(products_agree_with_the_definition) {
  check_products<float>(1e-4);
  check_products<double>(1e-12);
}

BOOST_AUTO_TEST_CASE(activations_are_what_their_names_say) {
  const auto engine = cpu_engine<double>();
  std::vector<double> values{-2, 0, 0.5};
  const auto activated = [&](Activation activation) {
    std::vector<double> results(3);
    engine->activate(activation, Matrix<const double>(values, 1, 3), Matrix<double>(results, 1, 3));
    return results;
  };
  BOOST_TEST(activated(Activation::linear) == values);
  BOOST_TEST(activated(Activation::relu) == (std::vector<double>{0, 0, 0.5}));
  BOOST_TEST(activated(Activation::tanh) ==
             (std::vector<double>{std::tanh(-2.0), 0, std::tanh(0.5)}));
  BOOST_TEST(activated(Activation::sigmoid) ==
                 (std::vector<double>{1 / (1 + std::exp(2.0)), 0.5, 1 / (1 + std::exp(-0.5))}),
             boost::test_tools::per_element());
  const double sum = std::exp(-2.0) + 1 + std::exp(0.5);
  const std::vector<double> softmax = activated(Activation::softmax);
  for (std::size_t i = 0; i < 3; ++i) {
    BOOST_TEST(std::abs(softmax[i] - std::exp(values[i]) / sum) < 1e-15);
  }
}

BOOST_AUTO_TEST_CASE(further_activations_are_what_their_names_say) {
  const auto engine = cpu_engine<double>();
  const std::vector<double> values{-7, -1, 0.5, 8};
  const auto check = [&](Activation activation, const std::vector<double>& expected) {
    std::vector<double> results(4);
    engine->activate(activation, Matrix<const double>(values, 1, 4), Matrix<double>(results, 1, 4));
    BOOST_TEST_CONTEXT(name(activation)) {
      for (std::size_t i = 0; i < 4; ++i) BOOST_TEST(std::abs(results[i] - expected[i]) < 1e-12);
    }
  };
  const double scale = 1.0507009873554805;
  const double below = 1.7580993408473766;  // scale alpha
  check(Activation::elu, {std::exp(-7.0) - 1, std::exp(-1.0) - 1, 0.5, 8});
  check(Activation::selu,
        {below * (std::exp(-7.0) - 1), below * (std::exp(-1.0) - 1), scale * 0.5, scale * 8});
  check(Activation::softplus, {std::log(1 + std::exp(-7.0)), std::log(1 + std::exp(-1.0)),
                               std::log(1 + std::exp(0.5)), std::log(1 + std::exp(8.0))});
  check(Activation::softsign, {-7.0 / 8, -0.5, 1.0 / 3, 8.0 / 9});
  check(Activation::exponential, {std::exp(-7.0), std::exp(-1.0), std::exp(0.5), std::exp(8.0)});
  check(Activation::relu6, {0, 0, 0.5, 6});
  check(Activation::leaky_relu, {-1.4, -0.2, 0.5, 8});
  check(Activation::hard_sigmoid_fifth, {0, 0.3, 0.6, 1});
  check(Activation::hard_sigmoid_sixth, {0, 1.0 / 3, 7.0 / 12, 1});
}

BOOST_AUTO_TEST_CASE(softplus_neither_overflows_nor_vanishes) {
  const auto engine = cpu_engine<float>();
  std::vector<float> values{-50, 100};
  engine->activate(Activation::softplus, Matrix<const float>(values, 1, 2),
                   Matrix<float>(values, 1, 2));
  BOOST_TEST(values[0] > 0);
  BOOST_TEST(values[1] == 100);
}

BOOST_AUTO_TEST_CASE(extreme_values_stay_finite) {
  const auto engine = cpu_engine<float>();
  for (const Activation activation :
       {Activation::tanh, Activation::sigmoid, Activation::softmax, Activation::softsign,
        Activation::hard_sigmoid_fifth, Activation::hard_sigmoid_sixth}) {
    std::vector<float> values{-1e30F, -1000, 0, 1000, 1e30F};
    engine->activate(activation, Matrix<const float>(values, 1, 5), Matrix<float>(values, 1, 5));
    for (const float value : values) BOOST_TEST((value >= -1 && value <= 1));
    BOOST_TEST(values[4] == 1);
  }
}

BOOST_AUTO_TEST_CASE(no_activation_hides_what_is_no_number) {
  const auto engine = cpu_engine<double>();
  for (const Activation activation : test::all_activations()) {
    std::vector<double> values{nan};
    engine->activate(activation, Matrix<const double>(values, 1, 1), Matrix<double>(values, 1, 1));
    BOOST_TEST_CONTEXT(name(activation)) {
      BOOST_TEST(std::isnan(values[0]));
    }
  }
}

BOOST_AUTO_TEST_CASE(bias_and_activation_in_one_pass) {
  const auto engine = cpu_engine<double>();
  constexpr std::size_t rows = 5;
  constexpr std::size_t columns = 7;
  const std::vector<double> bias = random_values(columns, 1);
  const std::vector<double> values = random_values(rows * columns, 2);
  for (const Activation activation : test::all_activations()) {
    BOOST_TEST_CONTEXT(name(activation)) {
      std::vector<double> expected = values;
      for (std::size_t i = 0; i < expected.size(); ++i) expected[i] += bias[i % columns];
      engine->activate(activation, Matrix<const double>(expected, rows, columns),
                       Matrix<double>(expected, rows, columns));
      std::vector<double> results = values;
      engine->bias_activate(bias, activation, Matrix<double>(results, rows, columns));
      BOOST_TEST(results == expected);
    }
  }
}

BOOST_AUTO_TEST_CASE(bias_gradient_sums_columns) {
  const auto engine = cpu_engine<double>();
  const std::vector<double> delta{1, 2, 3, 4, 5, 6};
  const auto gradient = [&](double beta, std::vector<double> old) {
    engine->bias_gradient(Matrix<const double>(delta, 3, 2), beta, old);
    return old;
  };
  BOOST_TEST(gradient(0, {nan, nan}) == (std::vector<double>{9, 12}));
  BOOST_TEST(gradient(1, {10, 20}) == (std::vector<double>{19, 32}));
  BOOST_TEST(gradient(0.5, {10, 20}) == (std::vector<double>{14, 22}));
}

BOOST_AUTO_TEST_CASE(windows_that_do_not_fit_their_matrices_are_refused) {
  const auto engine = cpu_engine<double>();
  const std::vector<std::size_t> shape{3, 3, 1};
  const Window window = make_window(shape, {{2, 2}});  // 2 x 2 positions, patches of 4
  std::vector<double> values(100);
  const auto matrix = [&values](std::size_t rows, std::size_t columns) {
    return Matrix<double>({values.data(), rows * columns}, rows, columns);
  };
  std::vector<double> others(100);
  const Matrix<double> images({others.data(), 18}, 2, 9);
  BOOST_CHECK_NO_THROW(engine->gather_patches(window, images, 2, matrix(4, 4)));
  BOOST_CHECK_THROW(engine->gather_patches(window, images, 3, matrix(4, 4)), ContractViolation);
  BOOST_CHECK_THROW(engine->gather_patches(window, images, 0, matrix(3, 4)), ContractViolation);
  BOOST_CHECK_THROW(engine->gather_patches(window, images, 0, matrix(4, 3)), ContractViolation);
  BOOST_CHECK_THROW(engine->scatter_patches(window, matrix(4, 4), 3, images), ContractViolation);
  BOOST_CHECK_THROW(engine->max_pool(window, images, matrix(2, 3)), ContractViolation);
  BOOST_CHECK_THROW(engine->average_pool(window, images, matrix(1, 4)), ContractViolation);
  const Window with_gaps = make_window(shape, {{2, 2}, {}, {2, 2}});
  BOOST_CHECK_THROW(engine->max_pool(with_gaps, images, matrix(2, 1)), ContractViolation);
  BOOST_CHECK_THROW(engine->multiply_elements(images, images, matrix(2, 8)), ContractViolation);
}

BOOST_AUTO_TEST_CASE(shapes_that_do_not_fit_are_refused) {
  const auto engine = cpu_engine<double>();
  std::vector<double> six(6);
  const Matrix<double> tall(six, 3, 2);
  const Matrix<double> wide(six, 2, 3);
  std::vector<double> four(4);
  const Matrix<double> square(four, 2, 2);
  std::vector<double> two(2);
  const std::vector<std::int32_t> classes{0, 1, 2};
  BOOST_CHECK_THROW((Matrix<double>(six, 2, 2)), ContractViolation);
  BOOST_CHECK_THROW(engine->multiply({tall}, {tall}, 0, square), ContractViolation);
  BOOST_CHECK_THROW(engine->multiply({tall}, {wide}, 0, square), ContractViolation);
  BOOST_CHECK_NO_THROW(engine->multiply({wide}, {tall}, 0, square));
  BOOST_CHECK_THROW(engine->bias_activate(two, Activation::relu, wide), ContractViolation);
  BOOST_CHECK_THROW(engine->bias_gradient(wide, 0, two), ContractViolation);
  BOOST_CHECK_THROW(engine->activate(Activation::relu, wide, tall), ContractViolation);
  BOOST_CHECK_THROW(engine->activate_backward(Activation::relu, wide, wide, tall),
                    ContractViolation);
  BOOST_CHECK_THROW(engine->elementwise_loss({}, wide, tall, wide), ContractViolation);
  const Labels<double> labels{classes, {}};
  BOOST_CHECK_THROW(engine->softmax_cross_entropy(wide, labels, 0, wide), ContractViolation);
  // Three rows of two columns: class 2 lies outside, and so does a negative one.
  std::vector<double> delta(6);
  const Matrix<double> to(delta, 3, 2);
  const std::vector<std::int32_t> negative{0, -1, 0};
  for (const Labels<double>& wrong :
       {labels, Labels<double>{negative, {}}, Labels<double>{{}, two}}) {
    BOOST_CHECK_THROW(engine->softmax_cross_entropy(tall, wrong, 0, to), ContractViolation);
    BOOST_CHECK_THROW(engine->categorical_cross_entropy(tall, wrong, 0, to), ContractViolation);
    BOOST_CHECK_THROW(engine->count_correct(Accuracy::categorical, tall, wrong, 0.5),
                      ContractViolation);
  }
  const Labels<double> good{std::span(classes).first(2), {}};
  BOOST_CHECK_THROW(engine->count_correct(Accuracy::binary, square, good, 0.5), ContractViolation);
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
