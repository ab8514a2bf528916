#include <vector>

#include <boost/test/unit_test.hpp>

#include <daig/optim/nadam.hpp>

#include "reference.hpp"

BOOST_AUTO_TEST_SUITE(nadam_test)

namespace {

using daig::UsageError;
using daig::optim::Nadam;
using daig::optim::nadam_base;
using daig::optim::NadamOptions;
using daig::optim::WeightDecay;
namespace test = daig::optim::test;

static_assert(daig::optim::Optimizer<Nadam>);

const std::vector<NadamOptions> all_options = {
    {},
    {.beta1 = 0.5, .beta2 = 0.9, .epsilon = 1e-2},
    {.schedule_decay = 0.004},
    {.schedule_decay = 0, .weight_decay = 0.1},
    {.weight_decay = 0.1, .decay = WeightDecay::decoupled}};

BOOST_AUTO_TEST_CASE(the_base_is_a_power) {
  BOOST_TEST(nadam_base(1) == 0.96);
  BOOST_TEST(nadam_base(0) == 1.0);
  for (const double exponent : {0.001, 0.004, 0.1, 0.5, 0.999}) {
    BOOST_TEST(std::abs(nadam_base(exponent) - std::pow(0.96, exponent)) < 3e-16);
  }
}

BOOST_AUTO_TEST_CASE(agrees_with_a_reference_in_double) {
  for (const NadamOptions& o : all_options) {
    BOOST_TEST_CONTEXT("beta1 " << o.beta1 << " schedule decay " << o.schedule_decay) {
      std::vector<double> m(101);
      std::vector<double> v(101);
      const auto u = [&](int t) {
        return o.beta1 * (1 - 0.5 * std::pow(0.96, t * o.schedule_decay));
      };
      test::check_formula(
          Nadam(o, 101), o.weight_decay, o.decay == WeightDecay::decoupled,
          [&](int t, std::size_t i, double& w, double g) {
            double product = 1;
            for (int s = 1; s <= t; ++s) product *= u(s);
            m[i] = o.beta1 * m[i] + (1 - o.beta1) * g;
            v[i] = o.beta2 * v[i] + (1 - o.beta2) * g * g;
            const double n =
                u(t + 1) * m[i] / (1 - product * u(t + 1)) + (1 - u(t)) * g / (1 - product);
            w -= 0.01 * n / (std::sqrt(v[i] / (1 - std::pow(o.beta2, t))) + o.epsilon);
          });
    }
  }
}

BOOST_AUTO_TEST_CASE(in_place_restore_lengths) {
  for (const NadamOptions& options : all_options) {
    const auto make = [&](std::size_t size) { return Nadam(options, size); };
    test::check_in_place(make);
    test::check_restore(make, true);
    test::check_contract(make);
  }
}

BOOST_AUTO_TEST_CASE(finds_the_minimum_of_a_quadratic) {
  BOOST_TEST(test::distance_after(Nadam({.beta2 = 0.99}, 50), 50, 3000, 0.01F) < 1e-2);
}

BOOST_AUTO_TEST_CASE(nonsense_options_are_refused) {
  BOOST_CHECK_THROW(Nadam({.beta1 = 1}, 1), UsageError);
  BOOST_CHECK_THROW(Nadam({.beta2 = -1}, 1), UsageError);
  BOOST_CHECK_THROW(Nadam({.epsilon = 0}, 1), UsageError);
  BOOST_CHECK_THROW(Nadam({.schedule_decay = 1.5}, 1), UsageError);
  BOOST_CHECK_THROW(Nadam({.schedule_decay = -0.5}, 1), UsageError);
  BOOST_CHECK_THROW(Nadam({.weight_decay = -1}, 1), UsageError);
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
