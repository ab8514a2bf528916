#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <daig/optim/make_optimizer.hpp>

#include "optimizer_check.hpp"

BOOST_AUTO_TEST_SUITE(selective_test)

namespace {

using namespace daig::optim;
using daig::model::Layout;
using daig::model::Parameter;
using daig::model::Role;

/// Of `size` weights, if there are as many: some of each role, between one another.
Layout mixed_layout(std::size_t size) {
  Layout layout;
  const auto some = [&](std::size_t wanted) {
    return std::vector<std::size_t>{std::min(wanted, size - layout.size())};
  };
  layout.add("a/kernel", some(5));
  layout.add_statistic("a/mean", some(3), 0.75);
  layout.add("b/kernel", some(4));
  layout.freeze(2);
  layout.add("c/kernel", some(7));
  layout.add_statistic("c/mean", some(2), 0);
  layout.add("d/kernel", some(2));
  layout.freeze(5);
  layout.add("e/kernel", some(size));
  return layout;
}

std::vector<OptimizerOptions> all_options() {
  return {{.name = "sgd", .weight_decay = 0.1},
          {.name = "sgd", .momentum = 0.9, .nesterov = true, .weight_decay = 0.1},
          {.name = "adam", .weight_decay = 0.1},
          {.name = "adamw", .weight_decay = 0.1}};
}

AnyOptimizer make(const OptimizerOptions& options, std::size_t size) {
  return make_optimizer(options, mixed_layout(size));
}

BOOST_AUTO_TEST_CASE(each_parameter_moves_by_the_rule_of_its_role) {
  constexpr std::size_t size = 40;
  const Layout layout = mixed_layout(size);
  for (const OptimizerOptions& options : all_options()) {
    AnyOptimizer selective = make(options, size);
    AnyOptimizer plain = make_optimizer(options, size);
    std::vector<float> weights = test::random_values(size, 1);
    std::vector<float> as_if_trained = weights;
    for (std::uint64_t step = 0; step < 5; ++step) {
      const std::vector<float> gradient = test::random_values(size, 10 + step);
      const std::vector<float> before = weights;
      selective.update(weights, gradient, 0.25F, 0.1F, weights);
      plain.update(as_if_trained, gradient, 0.25F, 0.1F, as_if_trained);
      for (const Parameter& parameter : layout.parameters()) {
        const auto rate = static_cast<float>(1 - parameter.momentum);
        for (std::size_t i = parameter.offset; i < parameter.offset + parameter.size(); ++i) {
          if (parameter.role == Role::trained) BOOST_TEST(weights[i] == as_if_trained[i]);
          if (parameter.role == Role::frozen) BOOST_TEST(weights[i] == before[i]);
          if (parameter.role == Role::statistic) {
            BOOST_TEST(weights[i] == before[i] - rate * (0.25F * gradient[i]));
          }
        }
      }
    }
  }
}

/// Samples (old - batch's) in the gradient is momentum old + (1 - momentum) batch's.
BOOST_AUTO_TEST_CASE(statistics_follow_the_mean_of_the_batches) {
  Layout layout;
  layout.add_statistic("mean", {1}, 0.75);
  AnyOptimizer optimizer = make_optimizer({}, layout);
  std::vector<float> mean{8};
  // Batches of 3 samples and of 1, with means 4 and 16: their mean is 7.
  const std::vector<float> sum{3 * (8.0F - 4) + (8.0F - 16)};
  optimizer.update(mean, sum, 0.25F, 0, mean);  // whatever the rate
  BOOST_TEST(mean[0] == 0.75F * 8 + 0.25F * 7);
}

BOOST_AUTO_TEST_CASE(the_optimiser_sees_no_derivative_of_what_is_not_trained) {
  constexpr std::size_t size = 40;
  const Layout layout = mixed_layout(size);
  AnyOptimizer optimizer = make({.name = "adam"}, size);
  std::vector<float> weights = test::random_values(size, 1);
  optimizer.update(weights, test::random_values(size, 2), 1, 0.1F, weights);
  const State state = optimizer.state();
  for (const Parameter& parameter : layout.parameters()) {
    for (const float mean : state.arrays[0].values.subspan(parameter.offset, parameter.size())) {
      BOOST_TEST((mean == 0) == (parameter.role != Role::trained));
    }
  }
}

BOOST_AUTO_TEST_CASE(frozen_weights_keep_their_bits_whatever_they_are) {
  Layout layout;
  layout.add("odd", {4});
  layout.freeze(0);
  AnyOptimizer optimizer = make_optimizer({.weight_decay = 0.5}, layout);
  const float infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> weights{-0.0F, 1e-42F, infinity, 1e30F};
  std::vector<float> moved = weights;
  optimizer.update(weights, std::vector<float>{1, 2, 3, infinity}, 1, 0.1F, moved);
  BOOST_TEST(std::equal(weights.begin(), weights.end(), moved.begin()));
  BOOST_TEST(std::signbit(moved[0]));
}

BOOST_AUTO_TEST_CASE(writes_in_place_and_goes_on_from_its_state) {
  for (const OptimizerOptions& options : all_options()) {
    const auto make_one = [&](std::size_t size) { return make(options, size); };
    test::check_in_place(make_one);
    test::check_restore(make_one, options.name != "sgd" || options.momentum != 0);
    test::check_contract(make_one);
  }
}

BOOST_AUTO_TEST_CASE(a_layout_of_trained_parameters_changes_nothing) {
  Layout layout;
  layout.add("kernel", {33});
  AnyOptimizer one = make_optimizer({.name = "adam"}, layout);
  AnyOptimizer other = make_optimizer({.name = "adam"}, 33);
  const std::vector<float> start = test::random_values(33, 1);
  BOOST_TEST(test::walk(one, start, 0, 5) == test::walk(other, start, 0, 5));
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
