#define BOOST_TEST_MODULE optim_make_optimizer

#include <limits>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <daig/optim/make_optimizer.hpp>

#include "optimizer_check.hpp"

namespace {

using namespace daig::optim;
using daig::UsageError;

static_assert(Optimizer<AnyOptimizer>);

template <class O>
void check_same(const OptimizerOptions& options, O direct) {
  BOOST_TEST_CONTEXT(options.name) {
    AnyOptimizer made = make_optimizer(options, 33);
    const std::vector<float> start = test::random_values(33, 1);
    BOOST_TEST(test::walk(made, start, 0, 9) == test::walk(direct, start, 0, 9));
    BOOST_TEST(made.state().arrays.size() == direct.state().arrays.size());
    BOOST_TEST(made.state().scalars.size() == direct.state().scalars.size());
  }
}

BOOST_AUTO_TEST_CASE(makes_what_the_name_says) {
  OptimizerOptions options;
  options.weight_decay = 0.01;
  options.momentum = 0.8;
  options.nesterov = true;
  check_same(options, Sgd({.momentum = 0.8, .nesterov = true, .weight_decay = 0.01}, 33));
  options.momentum = 0;
  options.nesterov = false;
  options.beta1 = 0.8;
  options.beta2 = 0.9;
  options.epsilon = 1e-6;
  options.name = "adam";
  AdamOptions adam{.beta1 = 0.8, .beta2 = 0.9, .epsilon = 1e-6, .weight_decay = 0.01};
  check_same(options, Adam(adam, 33));
  options.epsilon_hat = true;
  adam.epsilon_place = AdamOptions::Epsilon::before_correction;
  check_same(options, Adam(adam, 33));
  options.name = "adamw";
  adam.decay = AdamOptions::Decay::decoupled;
  check_same(options, Adam(adam, 33));
}

BOOST_AUTO_TEST_CASE(state_is_the_held_optimisers) {
  OptimizerOptions options;
  options.name = "adam";
  test::check_in_place([&](std::size_t size) { return make_optimizer(options, size); });
  test::check_restore([&](std::size_t size) { return make_optimizer(options, size); }, true);
}

void check_refused(const OptimizerOptions& options, const std::string& named) {
  BOOST_CHECK_EXCEPTION(make_optimizer(options, 4), UsageError, [&](const UsageError& error) {
    BOOST_TEST_MESSAGE(error.what());
    return std::string(error.what()).find(named) != std::string::npos;
  });
}

BOOST_AUTO_TEST_CASE(nonsense_is_refused_by_name) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  check_refused({.name = "adagrad"}, "adagrad");
  check_refused({.name = ""}, "sgd, adam and adamw");
  for (const double rate : {-0.1, nan, infinity}) {
    check_refused({.learning_rate = rate}, "learning rate");
    check_refused({.name = "adam", .learning_rate = rate}, "learning rate");
  }
  check_refused({.momentum = 1}, "momentum");
  check_refused({.momentum = nan}, "momentum");
  check_refused({.nesterov = true}, "nesterov");
  check_refused({.name = "adam", .momentum = 0.9}, "momentum");
  check_refused({.name = "adamw", .nesterov = true}, "nesterov");
  check_refused({.name = "adam", .beta1 = 1}, "beta1");
  check_refused({.name = "adamw", .beta2 = -1}, "beta2");
  check_refused({.name = "adamw", .epsilon = 0}, "epsilon");
  check_refused({.weight_decay = -1}, "weight decay");
}

}  // namespace
