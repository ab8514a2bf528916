#include <limits>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <daig/optim/rmsprop.hpp>

#include "reference.hpp"

BOOST_AUTO_TEST_SUITE(rmsprop_test)

namespace {

using daig::UsageError;
using daig::optim::Rmsprop;
using daig::optim::RmspropOptions;
using daig::optim::WeightDecay;
namespace test = daig::optim::test;

static_assert(daig::optim::Optimizer<Rmsprop>);

const std::vector<RmspropOptions> all_options = {
    {},
    {.rho = 0.7, .epsilon = 1e-2},
    {.epsilon = 1e-2, .epsilon_place = RmspropOptions::Epsilon::outside_root},
    {.momentum = 0.8},
    {.momentum = 0.5, .epsilon = 1e-3, .centered = true},
    {.weight_decay = 0.1},
    {.centered = true, .weight_decay = 0.1, .decay = WeightDecay::decoupled}};

BOOST_AUTO_TEST_CASE(agrees_with_a_reference_in_double) {
  for (const RmspropOptions& o : all_options) {
    BOOST_TEST_CONTEXT("rho " << o.rho << " momentum " << o.momentum << " centered "
                              << o.centered) {
      std::vector<double> v(101);
      std::vector<double> a(101);
      std::vector<double> s(101);
      const bool inside = o.epsilon_place == RmspropOptions::Epsilon::inside_root;
      test::check_formula(Rmsprop(o, 101), o.weight_decay, o.decay == WeightDecay::decoupled,
                          [&](int, std::size_t i, double& w, double g) {
                            v[i] = o.rho * v[i] + (1 - o.rho) * g * g;
                            a[i] = o.rho * a[i] + (1 - o.rho) * g;
                            const double spread = o.centered ? v[i] - a[i] * a[i] : v[i];
                            const double divisor = inside ? std::sqrt(spread + o.epsilon)
                                                          : std::sqrt(spread) + o.epsilon;
                            s[i] = o.momentum * s[i] + 0.01 * g / divisor;
                            w -= s[i];
                          });
    }
  }
}

BOOST_AUTO_TEST_CASE(rounding_never_makes_the_spread_negative) {
  // Of equal gradients it is 0 but for rounding, which is large beside epsilon here.
  Rmsprop rmsprop({.rho = 0.1, .epsilon = 1e-7, .centered = true}, 1);
  std::vector<float> weights{0};
  for (int step = 0; step < 1000; ++step) {
    rmsprop.update(weights, std::vector<float>{1234.567F}, 1, 1e-9F, weights);
    BOOST_TEST_REQUIRE(std::isfinite(weights[0]));
  }
}

BOOST_AUTO_TEST_CASE(in_place_restore_lengths) {
  for (const RmspropOptions& options : all_options) {
    const auto make = [&](std::size_t size) { return Rmsprop(options, size); };
    test::check_in_place(make);
    test::check_restore(make, true);
    test::check_contract(make);
  }
}

BOOST_AUTO_TEST_CASE(finds_the_minimum_of_a_quadratic) {
  BOOST_TEST(test::distance_after(Rmsprop({.epsilon = 1e-3}, 50), 50, 3000, 0.002F) < 1e-2);
}

BOOST_AUTO_TEST_CASE(nonsense_options_are_refused) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const double part : {-0.1, 1.0, 1 - 1e-12, nan}) {
    BOOST_CHECK_THROW(Rmsprop({.rho = part}, 1), UsageError);
    BOOST_CHECK_THROW(Rmsprop({.momentum = part}, 1), UsageError);
  }
  for (const double epsilon : {0.0, -1.0, nan}) {
    BOOST_CHECK_THROW(Rmsprop({.epsilon = epsilon}, 1), UsageError);
  }
  BOOST_CHECK_THROW(Rmsprop({.weight_decay = -1}, 1), UsageError);
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
