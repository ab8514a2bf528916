#define BOOST_TEST_MODULE nn_network_allocation

#include <vector>

#include <boost/test/unit_test.hpp>

#include <daig/nn/network.hpp>

#include "count_allocations.hpp"
#include "numeric_gradient.hpp"

namespace {

using namespace daig::nn;

BOOST_AUTO_TEST_CASE(nothing_is_allocated_once_the_workspace_is_there) {
  Network<float> network("mlp:20-16-12-5");
  std::vector<float> weights(network.layout().size());
  network.initialise(weights, 1);
  std::vector<float> gradient(weights.size());
  const std::size_t count = Network<float>::micro_batch + 5;
  const std::vector<float> features = test::random_values<float>(count * 20, 1);
  const std::vector<std::int32_t> classes = test::random_classes(count, 5, 2);
  const Samples<float> samples{features, classes, {}};
  std::vector<float> outputs(count * 5);
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

}  // namespace
