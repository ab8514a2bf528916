#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <daig/core/error.hpp>
#include <daig/nn/layers/dense.hpp>
#include <daig/nn/layers/embedding.hpp>
#include <daig/nn/layers/flatten.hpp>
#include <daig/nn/losses/elementwise_loss.hpp>
#include <daig/nn/network.hpp>

#include "naive_window.hpp"
#include "nn/numeric_gradient.hpp"

BOOST_AUTO_TEST_SUITE(embedding_test)

namespace {

using namespace daig::nn;
using daig::ContractViolation;
using daig::InputError;
using daig::UsageError;

const std::vector<double> table{1, 2, 3, 4, 5, 6, 7, 8};  // 4 vectors of 2 values

BOOST_AUTO_TEST_CASE(each_index_becomes_its_vector) {
  Embedding<double> layer("words", {3}, 4, 2);
  BOOST_TEST(layer.output_shape() == (Shape{3, 2}));
  const std::vector<double> outputs =
      test::forward(layer, table, std::vector<double>{0, 3, 1, 2, 2, 0}, 2);
  BOOST_TEST(outputs == (std::vector<double>{1, 2, 7, 8, 3, 4, 5, 6, 5, 6, 1, 2}));
}

BOOST_AUTO_TEST_CASE(the_parameter_is_as_in_keras) {
  const Embedding<double> layer("words", {3, 5}, 4, 2);
  BOOST_TEST(layer.output_shape() == (Shape{3, 5, 2}));
  daig::model::Layout layout;
  layer.declare(layout);
  BOOST_TEST_REQUIRE(layout.parameters().size() == 1U);
  BOOST_TEST(layout.parameters()[0].name == "words/embeddings");
  BOOST_TEST(layout.parameters()[0].shape == (Shape{4, 2}));
  std::vector<double> weights(8, 7);
  layer.initialise(weights, 1, 0);
  for (const double weight : weights) BOOST_TEST((weight != 0 && std::abs(weight) <= 0.05));
}

BOOST_AUTO_TEST_CASE(gradients_of_equal_indices_add_up) {
  Embedding<double> layer("words", {3}, 4, 2);
  const std::vector<double> indices{2, 0, 2};
  std::vector<double> delta{1, 2, 3, 4, 5, 6};
  std::vector<double> gradient(8, std::nan(""));  // beta 0 must not read them
  std::vector<double> input_delta(3, std::nan(""));
  BackwardPass<double> pass;
  pass.weights = table;
  pass.inputs = Matrix<const double>(indices, 1, 3);
  pass.delta = Matrix<double>(delta, 1, 6);
  pass.gradient = gradient;
  pass.input_delta = Matrix<double>(input_delta, 1, 3);
  layer.backward(*cpu_engine<double>(), pass);
  BOOST_TEST(gradient == (std::vector<double>{3, 4, 0, 0, 6, 8, 0, 0}));
  BOOST_TEST(input_delta == std::vector<double>(3));
  pass.beta = 1;
  layer.backward(*cpu_engine<double>(), pass);
  BOOST_TEST(gradient == (std::vector<double>{6, 8, 0, 0, 12, 16, 0, 0}));
}

Network<double> network() {
  std::vector<std::unique_ptr<Layer<double>>> layers;
  layers.push_back(std::make_unique<Embedding<double>>("words", Shape{3}, 4, 2));
  layers.push_back(std::make_unique<Flatten<double>>(Shape{3, 2}));
  layers.push_back(std::make_unique<Dense<double>>("out", Shape{6}, 1, Activation::tanh));
  return {std::move(layers), std::make_unique<ElementwiseLoss<double>>(), "own"};
}

BOOST_AUTO_TEST_CASE(derivatives_agree_with_differences) {
  Network<double> made = network();
  std::vector<double> weights = test::random_values(made.layout().size(), 1);
  const std::vector<double> features{0, 3, 3, 2, 0, 3, 2, 2, 2};
  const std::vector<double> targets{1, -1, 0.5};
  const Samples<double> samples{features, {}, targets};
  std::vector<double> gradient(weights.size());
  Loss loss;
  BOOST_TEST(made.gradient(weights, samples, gradient, {}, loss));
  test::check_gradient(gradient, weights, [&] { return made.evaluate(weights, samples).loss_sum; });
}

BOOST_AUTO_TEST_CASE(features_that_are_no_indices_are_refused_before_anything_is_written) {
  Network<double> made = network();
  const std::vector<double> weights = test::random_values(made.layout().size(), 1);
  for (const double value :
       {4.0, -1.0, 1.5, std::nan(""), 1e300, -std::numeric_limits<double>::infinity()}) {
    const std::vector<double> features{0, 1, 2, 3, value, 0};
    const std::vector<double> targets(2);
    const Samples<double> samples{features, {}, targets};
    std::vector<double> gradient(weights.size(), 7);
    std::vector<double> outputs(2, 7);
    Loss loss;
    const auto says = [value](const InputError& error) {
      const std::string said = error.what();
      BOOST_TEST_INFO(said);
      BOOST_TEST(said.find("sample 1 has " + std::to_string(value)) == 0U);
      BOOST_TEST(said.find("position 1") != said.npos);
      BOOST_TEST(said.find("'words'") != said.npos);
      return true;
    };
    BOOST_CHECK_EXCEPTION(made.gradient(weights, samples, gradient, {}, loss), InputError, says);
    BOOST_CHECK_EXCEPTION(made.evaluate(weights, samples), InputError, says);
    BOOST_CHECK_EXCEPTION(made.predict(weights, features, outputs), InputError, says);
    BOOST_TEST(gradient == std::vector<double>(weights.size(), 7));
    BOOST_TEST(outputs == std::vector<double>(2, 7));
    BOOST_CHECK_EXCEPTION(made.check_features(features, 1000), InputError,
                          [](const InputError& error) {
                            return std::string(error.what()).find("sample 1001 has ") == 0;
                          });
  }
  BOOST_TEST(made.checks_features());
  BOOST_TEST(!Network<double>("mlp:3-2").checks_features());
}

/// Whoever does not ask the layer first still reads nothing beyond the table.
BOOST_AUTO_TEST_CASE(an_index_beyond_the_table_breaks_the_contract) {
  Embedding<double> layer("words", {1}, 4, 2);
  for (const double value : {4.0, -1.0, std::nan(""), 1e300}) {
    BOOST_CHECK_THROW(test::forward(layer, table, std::vector<double>{value}, 1),
                      ContractViolation);
  }
}

BOOST_AUTO_TEST_CASE(absurd_tables_are_refused) {
  const auto make = [](std::size_t count, std::size_t size) {
    const Embedding<float> layer("words", {3}, count, size);
  };
  BOOST_CHECK_THROW(make(0, 1), UsageError);
  BOOST_CHECK_THROW(make(1, 0), UsageError);
  BOOST_CHECK_THROW(make((std::size_t{1} << 24) + 1, 1), UsageError);
  BOOST_CHECK_NO_THROW(make(std::size_t{1} << 24, 1));
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
