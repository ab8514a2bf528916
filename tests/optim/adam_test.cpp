#include <cmath>
#include <limits>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <daig/optim/adam.hpp>

#include "optimizer_check.hpp"

BOOST_AUTO_TEST_SUITE(adam_test)

namespace {

using daig::UsageError;
using daig::optim::Adam;
using daig::optim::AdamOptions;
namespace test = daig::optim::test;

static_assert(daig::optim::Optimizer<Adam>);

const std::vector<AdamOptions> all_options = {
    {},
    {.beta1 = 0, .beta2 = 0.5, .epsilon = 1e-3},
    {.epsilon = 1e-3, .epsilon_place = AdamOptions::Epsilon::before_correction},
    {.weight_decay = 0.1},
    {.weight_decay = 0.1, .decay = daig::optim::WeightDecay::decoupled},
    {.beta2 = 0.7, .amsgrad = true},
    {.epsilon = 1e-3,
     .epsilon_place = AdamOptions::Epsilon::before_correction,
     .weight_decay = 0.1,
     .amsgrad = true}};

/// Algorithm 1 of the paper (algorithm 2 of AdamW's), straight, in double.
std::vector<double> reference(const AdamOptions& options, const std::vector<float>& start,
                              int steps, double rate, double scale) {
  std::vector<double> w(start.begin(), start.end());
  std::vector<double> m(start.size());
  std::vector<double> v(start.size());
  std::vector<double> largest(start.size());
  const bool decoupled = options.decay == daig::optim::WeightDecay::decoupled;
  for (int t = 1; t <= steps; ++t) {
    const auto sum = test::random_values(start.size(), 100 + static_cast<std::uint64_t>(t) - 1);
    for (std::size_t i = 0; i < start.size(); ++i) {
      double g = scale * sum[i];
      if (decoupled) {
        w[i] -= rate * options.weight_decay * w[i];
      } else {
        g += options.weight_decay * w[i];
      }
      m[i] = options.beta1 * m[i] + (1 - options.beta1) * g;
      v[i] = options.beta2 * v[i] + (1 - options.beta2) * g * g;
      largest[i] = options.amsgrad ? std::max(largest[i], v[i]) : v[i];
      const double corrected_m = m[i] / (1 - std::pow(options.beta1, t));
      const double corrected_v = largest[i] / (1 - std::pow(options.beta2, t));
      if (options.epsilon_place == AdamOptions::Epsilon::before_correction) {
        // As the paper's last paragraph of section 2 has it, and Keras.
        const double alpha =
            rate * std::sqrt(1 - std::pow(options.beta2, t)) / (1 - std::pow(options.beta1, t));
        w[i] -= alpha * m[i] / (std::sqrt(largest[i]) + options.epsilon);
      } else {
        w[i] -= rate * corrected_m / (std::sqrt(corrected_v) + options.epsilon);
      }
    }
  }
  return w;
}

BOOST_AUTO_TEST_CASE(the_first_step_is_the_rate_in_the_gradients_direction) {
  // With the corrections m = g and v = g^2, so the step is rate * g / (|g| + epsilon).
  Adam adam({}, 3);
  std::vector<float> weights{1, 1, 1};
  adam.update(weights, std::vector<float>{40, -0.004F, 0}, 0.25F, 0.125F, weights);
  BOOST_TEST(std::abs(weights[0] - 0.875) < 1e-6);
  BOOST_TEST(std::abs(weights[1] - 1.125) < 2e-6);
  BOOST_TEST(weights[2] == 1.0F);
}

BOOST_AUTO_TEST_CASE(agrees_with_a_reference_in_double) {
  for (const AdamOptions& options : all_options) {
    BOOST_TEST_CONTEXT("beta1 " << options.beta1 << " weight decay " << options.weight_decay
                                << " decoupled "
                                << (options.decay == daig::optim::WeightDecay::decoupled)) {
      const std::vector<float> start = test::random_values(101, 1);
      Adam adam(options, start.size());
      std::vector<float> weights = start;
      for (std::uint64_t step = 0; step < 50; ++step) {
        adam.update(weights, test::random_values(start.size(), 100 + step), 0.125F, 0.01F, weights);
      }
      const std::vector<double> expected = reference(options, start, 50, 0.01, 0.125);
      for (std::size_t i = 0; i < weights.size(); ++i) {
        BOOST_TEST(std::abs(weights[i] - expected[i]) < 1e-5);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(coupled_and_decoupled_decay_differ) {
  const std::vector<float> start = test::random_values(10, 1);
  Adam coupled(all_options[3], start.size());
  Adam decoupled(all_options[4], start.size());
  BOOST_TEST(test::walk(coupled, start, 0, 5) != test::walk(decoupled, start, 0, 5));
}

BOOST_AUTO_TEST_CASE(in_place_equals_elsewhere) {
  for (const AdamOptions& options : all_options) {
    test::check_in_place([&](std::size_t size) { return Adam(options, size); });
  }
}

BOOST_AUTO_TEST_CASE(restored_state_goes_on_with_the_same_bits) {
  for (const AdamOptions& options : all_options) {
    test::check_restore([&](std::size_t size) { return Adam(options, size); }, true);
  }
}

BOOST_AUTO_TEST_CASE(a_million_steps_leave_the_corrections_at_one) {
  Adam adam({}, 1);
  std::vector<float> weights{0};
  const std::vector<float> sum{1};
  for (int step = 0; step < 1'000'000; ++step) adam.update(weights, sum, 1, 0, weights);
  adam.update(weights, sum, 1, 1, weights);
  BOOST_TEST(std::abs(weights[0] + 1) < 1e-4);
}

BOOST_AUTO_TEST_CASE(finds_the_minimum_of_a_quadratic) {
  BOOST_TEST(test::distance_after(Adam({.beta2 = 0.99}, 50), 50, 3000, 0.01F) < 1e-3);
}

BOOST_AUTO_TEST_CASE(lengths_are_checked) {
  test::check_contract([](std::size_t size) { return Adam({}, size); });
}

BOOST_AUTO_TEST_CASE(nonsense_options_are_refused) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double beta : {-0.1, 1.0, 1 - 1e-12, 2.0, nan, infinity}) {
    BOOST_TEST_CONTEXT("beta " << beta) {
      BOOST_CHECK_THROW(Adam({.beta1 = beta}, 1), UsageError);
      BOOST_CHECK_THROW(Adam({.beta2 = beta}, 1), UsageError);
    }
  }
  for (const double epsilon : {-1e-8, 0.0, 1e-60, nan, infinity}) {
    BOOST_TEST_CONTEXT("epsilon " << epsilon) {
      BOOST_CHECK_THROW(Adam({.epsilon = epsilon}, 1), UsageError);
    }
  }
  for (const double decay : {-0.1, nan, infinity}) {
    BOOST_CHECK_THROW(Adam({.weight_decay = decay}, 1), UsageError);
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
