#define BOOST_TEST_MODULE nn_network_allocation

#include <memory>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <daig/nn/layers/batch_normalization.hpp>
#include <daig/nn/layers/conv_2d.hpp>
#include <daig/nn/layers/dense.hpp>
#include <daig/nn/layers/dropout.hpp>
#include <daig/nn/layers/layer_normalization.hpp>
#include <daig/nn/layers/max_pooling_2d.hpp>
#include <daig/nn/losses/softmax_cross_entropy.hpp>
#include <daig/nn/network.hpp>

#include "count_allocations.hpp"
#include "numeric_gradient.hpp"

namespace {

using namespace daig::nn;

void check_allocations(Network<float>& network) {
  std::vector<float> weights(network.layout().size());
  network.initialise(weights, 1);
  std::vector<float> gradient(weights.size());
  const std::size_t count = Network<float>::micro_batch + 5;
  const std::size_t in = network.input_size();
  const std::size_t out = network.output_size();
  const std::vector<float> features = test::random_values<float>(count * in, 1);
  const std::vector<std::int32_t> classes = test::random_classes(count, out, 2);
  const Samples<float> samples{features, classes, {}};
  std::vector<float> outputs(count * out);
  Loss loss;
  const std::size_t before_first = test::allocations();
  network.gradient(weights, samples, gradient, {}, loss);
  BOOST_TEST(test::allocations() > before_first);  // the counting works
  const std::size_t before = test::allocations();
  network.gradient(weights, samples, gradient, {}, loss);
  network.evaluate(weights, samples);
  network.predict(weights, features, outputs);
  const std::size_t after = test::allocations();
  BOOST_TEST(after == before);
}

BOOST_AUTO_TEST_CASE(nothing_is_allocated_once_the_workspace_is_there) {
  Network<float> network("mlp:20-16-12-5");
  check_allocations(network);
}

BOOST_AUTO_TEST_CASE(nor_by_layers_with_scratch) {
  std::vector<std::unique_ptr<Layer<float>>> layers;
  layers.push_back(std::make_unique<Conv2D<float>>("conv", Shape{8, 6, 2}, 3, WindowOptions{{3, 3}},
                                                   Activation::relu));
  layers.push_back(std::make_unique<BatchNormalization<float>>("bn", Shape{6, 4, 3}, 0.9, 0.01));
  layers.push_back(std::make_unique<MaxPooling2D<float>>(Shape{6, 4, 3}, Extents{2, 2}));
  layers.push_back(std::make_unique<LayerNormalization<float>>("ln", Shape{3, 2, 3}, 0.01));
  layers.push_back(std::make_unique<Dropout<float>>(Shape{3, 2, 3}, 0.5, 2));
  layers.push_back(std::make_unique<Dense<float>>("dense", Shape{18}, 5, Activation::linear));
  Network<float> network(std::move(layers), std::make_unique<SoftmaxCrossEntropy<float>>(), "cnn");
  check_allocations(network);
}

}  // namespace
