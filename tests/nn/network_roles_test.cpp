// Networks in which not every parameter is simply trained.

#include <cmath>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <daig/nn/layers/batch_normalization.hpp>
#include <daig/nn/layers/dense.hpp>
#include <daig/nn/layers/dropout.hpp>
#include <daig/nn/losses/elementwise_loss.hpp>
#include <daig/nn/network.hpp>

#include "numeric_gradient.hpp"

BOOST_AUTO_TEST_SUITE(network_roles_test)

namespace {

using namespace daig::nn;
using daig::model::Parameter;
using daig::model::Role;
using test::random_values;

using Layers = std::vector<std::unique_ptr<Layer<double>>>;

/// Counts its backward passes.
class Counted final : public Layer<double> {
 public:
  Counted(const Shape& shape, int& passes) : Layer<double>(shape, shape), passes_(passes) {}
  void forward(const Engine<double>& engine, const ForwardPass<double>& pass) override {
    engine.activate(Activation::linear, pass.inputs, pass.outputs);
  }
  void backward(const Engine<double>& engine, const BackwardPass<double>& pass) override {
    ++passes_;
    if (pass.input_delta.empty()) return;
    engine.activate(Activation::linear, pass.delta, pass.input_delta);
  }

 private:
  int& passes_;
};

/// Two layers that learn, with a counter below, between and above them.
struct Sandwich {
  Sandwich() {
    put<Counted>(Shape{3}, passes[0]);
    first = put<Dense<double>>("first", Shape{3}, 4, Activation::tanh);
    normalised = put<BatchNormalization<double>>("bn", Shape{4}, 0.9, 0.01);
    put<Counted>(Shape{4}, passes[1]);
    last = put<Dense<double>>("last", Shape{4}, 2, Activation::sigmoid);
    put<Counted>(Shape{2}, passes[2]);
  }
  template <class Made, class... Arguments>
  Made* put(Arguments&&... arguments) {
    auto made = std::make_unique<Made>(std::forward<Arguments>(arguments)...);
    Made* const pointer = made.get();
    layers.push_back(std::move(made));
    return pointer;
  }
  Network<double> network() {
    return {std::move(layers), std::make_unique<ElementwiseLoss<double>>(), "own"};
  }

  int passes[3] = {0, 0, 0};
  Layers layers;
  Dense<double>* first;
  BatchNormalization<double>* normalised;
  Dense<double>* last;
};

/// A batch for a network with a gradient of all of it.
struct Batch {
  Batch(Network<double>& of, std::size_t rows)
      : network(of),
        features(random_values(rows * of.input_size(), 1)),
        targets(random_values(rows * of.output_size(), 2)),
        weights(random_values(of.layout().size(), 3)) {
    for (const Parameter& parameter : of.layout().parameters()) {
      if (last_part(parameter.name) != "moving_variance") continue;
      for (double& value : part(weights, parameter)) value *= value;
    }
  }
  static std::span<double> part(std::vector<double>& values, const Parameter& parameter) {
    return std::span(values).subspan(parameter.offset, parameter.size());
  }
  double compute(std::vector<double>& gradient) {
    gradient.assign(weights.size(), std::nan(""));
    Loss loss;
    BOOST_TEST_REQUIRE(network.gradient(weights, {features, {}, targets}, gradient, {}, loss));
    return loss.loss_sum;
  }
  double evaluate() { return network.evaluate(weights, {features, {}, targets}).loss_sum; }
  /// Compares the trained parameters' gradient with differences of the loss in training.
  void check_derivatives() {
    std::vector<double> gradient;
    compute(gradient);
    for (const Parameter& parameter : network.layout().parameters()) {
      if (parameter.role != Role::trained) continue;
      BOOST_TEST_CONTEXT(parameter.name) {
        const std::span<double> place = part(weights, parameter);
        std::vector<double> at(place.begin(), place.end());
        std::vector<double> other;
        test::check_gradient(part(gradient, parameter), at, [&] {
          std::ranges::copy(at, place.begin());
          return compute(other);
        });
        std::ranges::copy(at, place.begin());
      }
    }
  }

  Network<double>& network;
  std::vector<double> features;
  std::vector<double> targets;
  std::vector<double> weights;
};

BOOST_AUTO_TEST_CASE(frozen_parameters_have_no_gradient_and_nothing_below_them_is_computed) {
  struct Case {
    std::vector<std::string> frozen;
    std::vector<int> passes;
  };
  for (const auto& [frozen, passes] :
       {Case{{}, {0, 1, 1}}, Case{{"first"}, {0, 1, 1}}, Case{{"first", "bn"}, {0, 0, 1}},
        Case{{"bn", "last"}, {0, 1, 1}}, Case{{"first", "bn", "last"}, {0, 0, 0}}}) {
    Sandwich sandwich;
    for (const std::string& name : frozen) {
      if (name == "first") sandwich.first->freeze();
      if (name == "bn") sandwich.normalised->freeze();
      if (name == "last") sandwich.last->freeze();
    }
    Network<double> network = sandwich.network();
    Batch batch(network, 7);
    std::vector<double> gradient;
    batch.compute(gradient);
    BOOST_TEST(std::vector<int>(sandwich.passes, sandwich.passes + 3) == passes,
               boost::test_tools::per_element());
    for (const Parameter& parameter : network.layout().parameters()) {
      const std::string layer = parameter.name.substr(0, parameter.name.find('/'));
      const bool is_frozen = std::ranges::find(frozen, layer) != frozen.end();
      BOOST_CHECK((parameter.role == Role::frozen) == is_frozen);
      for (const double value : Batch::part(gradient, parameter)) {
        BOOST_TEST((value == 0) == is_frozen);
      }
    }
    batch.check_derivatives();
  }
}

BOOST_AUTO_TEST_CASE(regularisers_count_for_every_sample_in_training_and_without) {
  constexpr std::size_t rows = 5;
  Sandwich plain;
  Sandwich other;
  BOOST_TEST(other.first->regularize("kernel", {0.01, 0.02}));
  BOOST_TEST(other.normalised->regularize("gamma", {0, 0.03}));
  BOOST_TEST(other.last->regularize("bias", {0.04, 0}));
  BOOST_TEST(!other.last->regularize("gamma", {0.04, 0}));
  Network<double> plain_network = plain.network();
  Network<double> network = other.network();
  Batch without(plain_network, rows);
  Batch batch(network, rows);
  double cost = 0;
  for (const Parameter& parameter : network.layout().parameters()) {
    const auto& [l1, l2] = parameter.regularizer;
    for (const double value : Batch::part(batch.weights, parameter)) {
      cost += l1 * std::abs(value) + l2 * value * value;
    }
  }
  BOOST_TEST(cost > 0.01);
  std::vector<double> gradient;
  BOOST_TEST(std::abs(batch.compute(gradient) - without.compute(gradient) - rows * cost) < 1e-12);
  BOOST_TEST(std::abs(batch.evaluate() - without.evaluate() - rows * cost) < 1e-12);
  batch.check_derivatives();
}

BOOST_AUTO_TEST_CASE(a_regulariser_of_a_frozen_parameter_does_not_count) {
  Sandwich plain;
  plain.first->freeze();
  Sandwich other;
  BOOST_TEST(other.first->regularize("kernel", {1, 1}));
  other.first->freeze();
  Network<double> plain_network = plain.network();
  Network<double> network = other.network();
  BOOST_TEST(Batch(network, 4).evaluate() == Batch(plain_network, 4).evaluate());
}

/// More samples than go through the layers at once elsewhere.
BOOST_AUTO_TEST_CASE(a_batch_is_normalised_as_a_whole) {
  constexpr std::size_t rows = 2 * Network<double>::micro_batch + 3;
  Sandwich sandwich;
  Network<double> network = sandwich.network();
  Batch batch(network, rows);
  std::vector<double> gradient;
  batch.compute(gradient);
  BOOST_TEST(sandwich.passes[2] == 1);  // not cut
  batch.check_derivatives();

  Sandwich frozen;
  frozen.normalised->freeze();
  Network<double> cut = frozen.network();
  Batch parts(cut, rows);
  parts.compute(gradient);
  BOOST_TEST(frozen.passes[2] == 3);
}

BOOST_AUTO_TEST_CASE(dropout_drops_in_a_frozen_layer_too) {
  const auto loss_with = [](double rate, std::uint64_t seed) {
    Layers layers;
    layers.push_back(std::make_unique<Dropout<double>>(Shape{20}, rate, 0));
    layers.back()->freeze();
    layers.push_back(std::make_unique<Dense<double>>("d", Shape{20}, 2, Activation::linear));
    Network<double> network(std::move(layers), std::make_unique<ElementwiseLoss<double>>(), "own");
    Batch batch(network, 6);
    std::vector<double> gradient(batch.weights.size());
    Loss loss;
    BOOST_TEST(network.gradient(batch.weights, {batch.features, {}, batch.targets, seed}, gradient,
                                {}, loss));
    return loss.loss_sum;
  };
  BOOST_TEST(loss_with(0.5, 1) != loss_with(0.5, 2));
  BOOST_TEST(loss_with(0, 1) == loss_with(0, 2));
}

BOOST_AUTO_TEST_CASE(no_samples_give_zeros) {
  Sandwich sandwich;
  BOOST_TEST(sandwich.first->regularize("kernel", {1, 1}));
  Network<double> network = sandwich.network();
  Batch batch(network, 0);
  std::vector<double> gradient;
  BOOST_TEST(batch.compute(gradient) == 0);
  BOOST_TEST(gradient == std::vector<double>(gradient.size()));
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
