#include <cmath>
#include <limits>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <daig/nn/layers/pointwise.hpp>

#include "naive_window.hpp"
#include "nn/numeric_gradient.hpp"

BOOST_AUTO_TEST_SUITE(pointwise_test)

namespace {

using namespace daig::nn;
using Kind = Pointwise::Kind;

Pointwise rectifier(double negative_slope, double threshold, double max_value) {
  return {Kind::rectifier, 1, negative_slope, threshold, max_value};
}

constexpr double infinity = std::numeric_limits<double>::infinity();

std::vector<Pointwise> functions() {
  std::vector<Pointwise> all{rectifier(0, 0, infinity), rectifier(0.3, 0, infinity),
                             rectifier(0, 0, 0.7), rectifier(0.1, 0.2, 0.9)};
  for (const Kind kind : {Kind::elu, Kind::gelu, Kind::silu, Kind::mish, Kind::hard_silu}) {
    all.push_back({kind, 0.7});
  }
  return all;
}

BOOST_AUTO_TEST_CASE(derivatives_agree_with_differences) {
  for (const Pointwise& function : functions()) {
    BOOST_TEST_CONTEXT("kind " << static_cast<int>(function.kind)) {
      PointwiseLayer<double> layer({5, 2}, function);
      BOOST_TEST(layer.output_shape() == (Shape{5, 2}));
      test::check_layer(layer, 12, 5);
    }
  }
}

BOOST_AUTO_TEST_CASE(values_are_those_of_the_formulas) {
  const auto check = [](const Pointwise& function, const std::vector<double>& expected) {
    const std::vector<double> inputs{-7, -1, 0.5, 8};
    PointwiseLayer<double> layer({4}, function);
    const std::vector<double> outputs = test::forward(layer, {}, inputs, 1);
    BOOST_TEST_CONTEXT("kind " << static_cast<int>(function.kind)) {
      BOOST_TEST(test::largest_difference(outputs, expected) < 1e-12);
    }
  };
  check(rectifier(0, 0, infinity), {0, 0, 0.5, 8});
  check(rectifier(0.5, 1, 6), {-4, -1, -0.25, 6});
  check({Kind::elu, 2}, {2 * (std::exp(-7.0) - 1), 2 * (std::exp(-1.0) - 1), 0.5, 8});
  const auto normal = [](double x) { return (1 + std::erf(x / std::sqrt(2.0))) / 2; };
  check({Kind::gelu}, {-7 * normal(-7), -normal(-1), 0.5 * normal(0.5), 8 * normal(8)});
  const auto logistic = [](double x) { return 1 / (1 + std::exp(-x)); };
  check({Kind::silu}, {-7 * logistic(-7), -logistic(-1), 0.5 * logistic(0.5), 8 * logistic(8)});
  const auto mish = [](double x) { return x * std::tanh(std::log(1 + std::exp(x))); };
  check({Kind::mish}, {mish(-7), mish(-1), mish(0.5), mish(8)});
  check({Kind::hard_silu}, {0, -1.0 / 3, 0.5 * 7 / 12, 8});
}

BOOST_AUTO_TEST_CASE(nothing_hides_what_is_no_number) {
  for (const Pointwise& function : functions()) {
    PointwiseLayer<double> layer({1}, function);
    BOOST_TEST(std::isnan(test::forward(layer, {}, std::vector<double>{std::nan("")}, 1)[0]));
  }
}

BOOST_AUTO_TEST_CASE(large_values_stay_finite) {
  for (const Pointwise& function : functions()) {
    PointwiseLayer<float> layer({2}, function);
    const std::vector<float> inputs{-1000, 1000};
    std::vector<float> outputs(2);
    layer.forward(*cpu_engine<float>(), {{}, {inputs, 1, 2}, {outputs, 1, 2}, {}});
    std::vector<float> delta{1, 1};
    BackwardPass<float> pass;
    pass.inputs = Matrix<const float>(inputs, 1, 2);
    pass.outputs = Matrix<const float>(outputs, 1, 2);
    pass.delta = Matrix<float>(delta, 1, 2);
    pass.input_delta = Matrix<float>(delta, 1, 2);
    layer.backward(*cpu_engine<float>(), pass);
    for (const float value : {outputs[0], outputs[1], delta[0], delta[1]}) {
      BOOST_TEST(std::isfinite(value));
    }
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
