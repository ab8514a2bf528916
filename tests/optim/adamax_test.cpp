#include <vector>

#include <boost/test/unit_test.hpp>

#include <daig/optim/adamax.hpp>

#include "reference.hpp"

BOOST_AUTO_TEST_SUITE(adamax_test)

namespace {

using daig::UsageError;
using daig::optim::Adamax;
using daig::optim::AdamaxOptions;
using daig::optim::WeightDecay;
namespace test = daig::optim::test;

static_assert(daig::optim::Optimizer<Adamax>);

const std::vector<AdamaxOptions> all_options = {
    {},
    {.beta1 = 0, .beta2 = 0.5, .epsilon = 1e-2},
    {.weight_decay = 0.1},
    {.beta2 = 0.9, .weight_decay = 0.1, .decay = WeightDecay::decoupled}};

BOOST_AUTO_TEST_CASE(agrees_with_a_reference_in_double) {
  for (const AdamaxOptions& o : all_options) {
    BOOST_TEST_CONTEXT("beta1 " << o.beta1 << " weight decay " << o.weight_decay) {
      std::vector<double> m(101);
      std::vector<double> u(101);
      test::check_formula(Adamax(o, 101), o.weight_decay, o.decay == WeightDecay::decoupled,
                          [&](int t, std::size_t i, double& w, double g) {
                            m[i] = o.beta1 * m[i] + (1 - o.beta1) * g;
                            u[i] = std::max(o.beta2 * u[i], std::abs(g));
                            w -= 0.01 / (1 - std::pow(o.beta1, t)) * m[i] / (u[i] + o.epsilon);
                          });
    }
  }
}

BOOST_AUTO_TEST_CASE(in_place_restore_lengths) {
  for (const AdamaxOptions& options : all_options) {
    const auto make = [&](std::size_t size) { return Adamax(options, size); };
    test::check_in_place(make);
    test::check_restore(make, true);
    test::check_contract(make);
  }
}

BOOST_AUTO_TEST_CASE(finds_the_minimum_of_a_quadratic) {
  BOOST_TEST(test::distance_after(Adamax({.beta2 = 0.9}, 50), 50, 4000, 0.005F) < 1e-2);
}

BOOST_AUTO_TEST_CASE(nonsense_options_are_refused) {
  BOOST_CHECK_THROW(Adamax({.beta1 = 1}, 1), UsageError);
  BOOST_CHECK_THROW(Adamax({.beta2 = -1}, 1), UsageError);
  BOOST_CHECK_THROW(Adamax({.epsilon = 0}, 1), UsageError);
  BOOST_CHECK_THROW(Adamax({.weight_decay = -1}, 1), UsageError);
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
