#include <limits>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <daig/optim/adagrad.hpp>

#include "reference.hpp"

BOOST_AUTO_TEST_SUITE(adagrad_test)

namespace {

using daig::UsageError;
using daig::optim::Adagrad;
using daig::optim::AdagradOptions;
using daig::optim::WeightDecay;
namespace test = daig::optim::test;

static_assert(daig::optim::Optimizer<Adagrad>);

const std::vector<AdagradOptions> all_options = {
    {},
    {.initial_accumulator = 0, .epsilon = 1e-2},
    {.epsilon = 0.1, .epsilon_place = AdagradOptions::Epsilon::outside_root},
    {.weight_decay = 0.1},
    {.weight_decay = 0.1, .decay = WeightDecay::decoupled}};

BOOST_AUTO_TEST_CASE(agrees_with_a_reference_in_double) {
  for (const AdagradOptions& o : all_options) {
    BOOST_TEST_CONTEXT("initial " << o.initial_accumulator << " epsilon " << o.epsilon) {
      std::vector<double> a(101, o.initial_accumulator);
      const bool inside = o.epsilon_place == AdagradOptions::Epsilon::inside_root;
      test::check_formula(
          Adagrad(o, 101), o.weight_decay, o.decay == WeightDecay::decoupled,
          [&](int, std::size_t i, double& w, double g) {
            a[i] += g * g;
            w -= 0.01 * g / (inside ? std::sqrt(a[i] + o.epsilon) : std::sqrt(a[i]) + o.epsilon);
          });
    }
  }
}

BOOST_AUTO_TEST_CASE(in_place_restore_lengths) {
  for (const AdagradOptions& options : all_options) {
    const auto make = [&](std::size_t size) { return Adagrad(options, size); };
    test::check_in_place(make);
    test::check_restore(make, true);
    test::check_contract(make);
  }
}

BOOST_AUTO_TEST_CASE(finds_the_minimum_of_a_quadratic) {
  BOOST_TEST(test::distance_after(Adagrad({}, 50), 50, 3000, 0.5F) < 1e-3);
}

BOOST_AUTO_TEST_CASE(nonsense_options_are_refused) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const double initial : {-0.1, nan, std::numeric_limits<double>::infinity()}) {
    BOOST_CHECK_THROW(Adagrad({.initial_accumulator = initial}, 1), UsageError);
  }
  BOOST_CHECK_THROW(Adagrad({.epsilon = 0}, 1), UsageError);
  BOOST_CHECK_THROW(Adagrad({.weight_decay = nan}, 1), UsageError);
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
