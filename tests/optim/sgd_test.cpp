#include <limits>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <daig/optim/sgd.hpp>

#include "optimizer_check.hpp"

BOOST_AUTO_TEST_SUITE(sgd_test)

namespace {

using daig::UsageError;
using daig::optim::Sgd;
using daig::optim::SgdOptions;
namespace test = daig::optim::test;

static_assert(daig::optim::Optimizer<Sgd>);

const std::vector<SgdOptions> all_options = {
    {.momentum = 0},
    {.momentum = 0, .weight_decay = 0.01},
    {.momentum = 0.9},
    {.momentum = 0.9, .weight_decay = 0.01},
    {.momentum = 0.9, .nesterov = true},
    {.momentum = 0.5, .nesterov = true, .weight_decay = 0.1},
    {.weight_decay = 0.1, .decay = daig::optim::WeightDecay::decoupled},
    {.momentum = 0.9,
     .weight_decay = 0.1,
     .decay = daig::optim::WeightDecay::decoupled,
     .velocity = SgdOptions::Velocity::of_steps},
    {.momentum = 0.9, .nesterov = true, .velocity = SgdOptions::Velocity::of_steps}};

/// The formulas of the header, straight, in double.
std::vector<double> reference(const SgdOptions& options, const std::vector<float>& start, int steps,
                              double rate, double scale) {
  std::vector<double> weights(start.begin(), start.end());
  std::vector<double> velocity(start.size());
  for (int step = 0; step < steps; ++step) {
    const auto sum = test::random_values(start.size(), 100 + static_cast<std::uint64_t>(step));
    for (std::size_t i = 0; i < start.size(); ++i) {
      double gradient = scale * sum[i];
      if (options.decay == daig::optim::WeightDecay::decoupled) {
        weights[i] -= rate * options.weight_decay * weights[i];
      } else {
        gradient += options.weight_decay * weights[i];
      }
      velocity[i] = options.momentum * velocity[i] + gradient;
      weights[i] -=
          rate * (options.nesterov ? gradient + options.momentum * velocity[i] : velocity[i]);
    }
  }
  return weights;
}

BOOST_AUTO_TEST_CASE(one_and_two_steps_by_hand) {
  // All values are exact in binary. Gradient sum 8 over 4 samples: g = 2; rate 1/4.
  const auto two_steps = [](const SgdOptions& options) {
    Sgd sgd(options, 1);
    std::vector<float> weights{1};
    const std::vector<float> sum{8};
    std::vector<float> seen;
    for (int step = 0; step < 2; ++step) {
      sgd.update(weights, sum, 0.25F, 0.25F, weights);
      seen.push_back(weights[0]);
    }
    return seen;
  };
  // 1 - 0.5, - 0.5
  BOOST_TEST(two_steps({}) == (std::vector<float>{0.5F, 0.0F}));
  // v = 2, 3: 1 - 0.5, - 0.75
  BOOST_TEST(two_steps({.momentum = 0.5}) == (std::vector<float>{0.5F, -0.25F}));
  // g + v/2 = 3, 3.5: 1 - 0.75, - 0.875
  BOOST_TEST(two_steps({.momentum = 0.5, .nesterov = true}) ==
             (std::vector<float>{0.25F, -0.625F}));
  // g = 2 + 1 = 3: 1 - 0.75 = 0.25; g = 2.25: 0.25 - 0.5625
  BOOST_TEST(two_steps({.weight_decay = 1}) == (std::vector<float>{0.25F, -0.3125F}));
}

BOOST_AUTO_TEST_CASE(agrees_with_a_reference_in_double) {
  for (const SgdOptions& options : all_options) {
    BOOST_TEST_CONTEXT("momentum " << options.momentum << " nesterov " << options.nesterov
                                   << " weight decay " << options.weight_decay) {
      const std::vector<float> start = test::random_values(101, 1);
      Sgd sgd(options, start.size());
      std::vector<float> weights = start;
      for (std::uint64_t step = 0; step < 20; ++step) {
        sgd.update(weights, test::random_values(start.size(), 100 + step), 0.125F, 0.05F, weights);
      }
      const std::vector<double> expected = reference(options, start, 20, 0.05, 0.125);
      for (std::size_t i = 0; i < weights.size(); ++i) {
        BOOST_TEST(std::abs(weights[i] - expected[i]) < 1e-5);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_new_rate_does_not_change_steps_that_were_taken) {
  // g = 2, rates 1/4, 1/2. Steps: 0.5; then 0.25 + 1. Gradients: 2; then 3, at the new rate.
  const auto end = [](SgdOptions::Velocity velocity) {
    Sgd sgd({.momentum = 0.5, .velocity = velocity}, 1);
    std::vector<float> weights{1};
    for (const float rate : {0.25F, 0.5F}) {
      sgd.update(weights, std::vector<float>{2}, 1, rate, weights);
    }
    return weights[0];
  };
  BOOST_TEST(end(SgdOptions::Velocity::of_steps) == 1 - 0.5 - 1.25);
  BOOST_TEST(end(SgdOptions::Velocity::of_gradients) == 1 - 0.5 - 1.5);
}

BOOST_AUTO_TEST_CASE(in_place_equals_elsewhere) {
  for (const SgdOptions& options : all_options) {
    test::check_in_place([&](std::size_t size) { return Sgd(options, size); });
  }
}

BOOST_AUTO_TEST_CASE(restored_state_goes_on_with_the_same_bits) {
  for (const SgdOptions& options : all_options) {
    test::check_restore([&](std::size_t size) { return Sgd(options, size); },
                        options.momentum != 0);
  }
}

BOOST_AUTO_TEST_CASE(finds_the_minimum_of_a_quadratic) {
  BOOST_TEST(test::distance_after(Sgd({}, 50), 50, 200, 0.1F) < 1e-5);
  BOOST_TEST(test::distance_after(Sgd({.momentum = 0.9}, 50), 50, 400, 0.05F) < 1e-5);
  BOOST_TEST(test::distance_after(Sgd({.momentum = 0.9, .nesterov = true}, 50), 50, 400, 0.05F) <
             1e-5);
}

BOOST_AUTO_TEST_CASE(lengths_are_checked) {
  test::check_contract([](std::size_t size) { return Sgd({}, size); });
  test::check_contract([](std::size_t size) { return Sgd({.momentum = 0.9}, size); });
}

BOOST_AUTO_TEST_CASE(nonsense_options_are_refused) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double momentum : {-0.1, 1.0, 1 - 1e-12, 2.0, nan, infinity}) {
    BOOST_TEST_CONTEXT("momentum " << momentum) {
      BOOST_CHECK_THROW(Sgd({.momentum = momentum}, 1), UsageError);
    }
  }
  for (const double decay : {-0.1, nan, infinity}) {
    BOOST_CHECK_THROW(Sgd({.weight_decay = decay}, 1), UsageError);
  }
  BOOST_CHECK_THROW(Sgd({.nesterov = true}, 1), UsageError);
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
