#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <daig/core/error.hpp>
#include <daig/nn/layers/batch_normalization.hpp>

#include "nn/numeric_gradient.hpp"

BOOST_AUTO_TEST_SUITE(batch_normalization_test)

namespace {

using namespace daig::nn;
using daig::UsageError;
using daig::model::Layout;
using daig::model::Role;

constexpr double epsilon = 0.01;

struct Case {
  Shape shape;
  Affine affine;
  std::size_t rows;
};

std::vector<Case> cases() {
  return {{{4}, {}, 6},
          {{3, 2, 5}, {}, 2},
          {{4}, {.gamma = false}, 5},
          {{2, 3}, {.beta = false}, 3},
          {{70}, {}, 3},
          {{2}, {.gamma = false, .beta = false}, 4}};
}

BOOST_AUTO_TEST_CASE(derivatives_go_through_the_statistics_of_the_batch) {
  for (const Case& a_case : cases()) {
    BatchNormalization<double> layer("bn", a_case.shape, 0.9, epsilon, a_case.affine);
    test::check_layer(layer, a_case.rows, 3);
  }
}

/// A pass over random samples, with weights that are none of the initial ones.
struct Pass {
  Pass(BatchNormalization<double>& layer, const Case& of, bool training)
      : columns(elements(of.shape)), channels(of.shape.back()) {
    layer.declare(layout);
    weights = test::random_values(layout.size(), 1);
    for (double& weight : std::span(weights).last(channels)) weight *= weight;  // the variances
    inputs = test::random_values(of.rows * columns, 2);
    outputs.resize(inputs.size());
    forward(layer, of.rows, training);
  }
  void forward(BatchNormalization<double>& layer, std::size_t rows, bool training) {
    std::optional<Noise> noise;
    if (training) noise = Noise{};
    layer.forward(*cpu_engine<double>(),
                  {weights, {inputs, rows, columns}, {outputs, rows, columns}, noise});
  }
  /// d (factors . outputs), with what is added to an old gradient of 0.
  std::vector<double> backward(BatchNormalization<double>& layer, std::vector<double>& input_delta,
                               bool frozen) {
    std::vector<double> gradient(weights.size());
    std::vector<double> delta = test::random_values(inputs.size(), 3);
    const std::size_t rows = inputs.size() / columns;
    BackwardPass<double> pass;
    pass.weights = weights;
    pass.inputs = Matrix<const double>(inputs, rows, columns);
    pass.outputs = Matrix<const double>(outputs, rows, columns);
    pass.delta = Matrix<double>(delta, rows, columns);
    pass.beta = 1;
    pass.gradient = gradient;
    pass.frozen = frozen;
    input_delta.resize(inputs.size());
    pass.input_delta = Matrix<double>(input_delta, rows, columns);
    layer.backward(*cpu_engine<double>(), pass);
    return gradient;
  }
  /// The mean, or with a mean the variance, of a channel's inputs.
  double moment(std::size_t channel, double mean, int power) const {
    double sum = 0;
    std::size_t count = 0;
    for (std::size_t i = channel; i < inputs.size(); i += channels, ++count) {
      sum += std::pow(inputs[i] - mean, power);
    }
    return sum / static_cast<double>(count);
  }
  /// A parameter's value, or what it counts as when it is not there.
  double weight(const char* name, std::size_t channel, double otherwise = 0) const {
    for (const daig::model::Parameter& parameter : layout.parameters()) {
      if (parameter.name == std::string("bn/") + name) return weights[parameter.offset + channel];
    }
    return otherwise;
  }
  double expected(std::size_t index, bool training) const {
    const std::size_t c = index % channels;
    const double mean = training ? moment(c, 0, 1) : weight("moving_mean", c);
    const double variance = training ? moment(c, mean, 2) : weight("moving_variance", c);
    return weight("gamma", c, 1) * (inputs[index] - mean) / std::sqrt(variance + epsilon) +
           weight("beta", c);
  }

  Layout layout;
  std::size_t columns;
  std::size_t channels;
  std::vector<double> weights;
  std::vector<double> inputs;
  std::vector<double> outputs;
};

BOOST_AUTO_TEST_CASE(values_agree_with_the_formula) {
  for (const Case& a_case : cases()) {
    for (const bool training : {false, true}) {
      for (const bool frozen : {false, true}) {
        BatchNormalization<double> layer("bn", a_case.shape, 0.9, epsilon, a_case.affine);
        if (frozen) layer.freeze();
        const Pass pass(layer, a_case, training);
        double worst = 0;
        for (std::size_t i = 0; i < pass.outputs.size(); ++i) {
          worst =
              std::max(worst, std::abs(pass.outputs[i] - pass.expected(i, training && !frozen)));
        }
        BOOST_TEST(worst < 1e-12);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(the_gradient_holds_how_far_the_moving_statistics_are_off) {
  for (const Case& a_case : cases()) {
    BatchNormalization<double> layer("bn", a_case.shape, 0.9, epsilon, a_case.affine);
    Pass pass(layer, a_case, true);
    std::vector<double> input_delta;
    const std::vector<double> gradient = pass.backward(layer, input_delta, false);
    const auto samples = static_cast<double>(a_case.rows);
    const std::size_t statistics = gradient.size() - 2 * pass.channels;
    for (std::size_t c = 0; c < pass.channels; ++c) {
      const double mean = pass.moment(c, 0, 1);
      const double variance = pass.moment(c, mean, 2);
      BOOST_TEST(std::abs(gradient[statistics + c] -
                          samples * (pass.weight("moving_mean", c) - mean)) < 1e-12);
      BOOST_TEST(std::abs(gradient[statistics + pass.channels + c] -
                          samples * (pass.weight("moving_variance", c) - variance)) < 1e-12);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_frozen_layer_is_a_fixed_function) {
  const Case a_case{{3, 4}, {}, 5};
  BatchNormalization<double> layer("bn", a_case.shape, 0.9, epsilon);
  BOOST_TEST(layer.needs_whole_batch());
  layer.freeze();
  BOOST_TEST(!layer.needs_whole_batch());
  Pass pass(layer, a_case, true);
  std::vector<double> input_delta;
  const std::vector<double> gradient = pass.backward(layer, input_delta, true);
  BOOST_TEST(gradient == std::vector<double>(gradient.size()));
  const std::vector<double> factors = test::random_values(pass.inputs.size(), 3);
  test::check_gradient(input_delta, pass.inputs, [&] {
    pass.forward(layer, a_case.rows, true);
    double sum = 0;
    for (std::size_t i = 0; i < factors.size(); ++i) sum += factors[i] * pass.outputs[i];
    return sum;
  });
}

BOOST_AUTO_TEST_CASE(parameters_are_as_in_keras) {
  const BatchNormalization<float> layer("bn", {5, 3}, 0.75, 1e-3);
  BOOST_TEST(layer.output_shape() == (Shape{5, 3}));
  Layout layout;
  layer.declare_as_trained(layout);
  std::vector<std::string> names;
  for (const auto& parameter : layout.parameters()) {
    names.push_back(parameter.name);
    BOOST_TEST(parameter.shape == Shape{3});
  }
  BOOST_TEST(names == (std::vector<std::string>{"bn/gamma", "bn/beta", "bn/moving_mean",
                                                "bn/moving_variance"}),
             boost::test_tools::per_element());
  BOOST_CHECK(layout.parameters()[1].role == Role::trained);
  BOOST_CHECK(layout.parameters()[2].role == Role::statistic);
  BOOST_CHECK(layout.parameters()[3].role == Role::statistic);
  BOOST_TEST(layout.parameters()[3].momentum == 0.75);
  std::vector<float> weights(layout.size(), 7);
  layer.initialise(weights, 1, 0);
  BOOST_TEST(weights == (std::vector<float>{1, 1, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1}));

  BatchNormalization<float> frozen("other", {3}, 0.75, 1e-3);
  frozen.freeze();
  frozen.declare_as_trained(layout);
  for (std::size_t i = 4; i < 8; ++i) BOOST_CHECK(layout.parameters()[i].role == Role::frozen);
}

BOOST_AUTO_TEST_CASE(what_makes_no_sense_is_refused) {
  const auto refusal = [](const Shape& shape, double momentum, double small) -> std::string {
    try {
      const BatchNormalization<float> layer("bn", shape, momentum, small);
    } catch (const UsageError& error) {
      return error.what();
    }
    return "nothing was thrown";
  };
  BOOST_TEST(refusal({3}, 1, 1e-3) == "nothing was thrown");
  for (const double momentum : {-0.1, 1.1, std::nan("")}) {
    BOOST_TEST(refusal({3}, momentum, 1e-3).starts_with("momentum "));
  }
  for (const double small : {0.0, -1.0, 1e-60, 1e60, std::nan("")}) {
    BOOST_TEST(refusal({3}, 0.9, small).starts_with("epsilon "));
  }
  BOOST_TEST(refusal({}, 0.9, 1e-3).find("no channels") != std::string::npos);
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
