#include <limits>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <daig/core/error.hpp>
#include <daig/optim/adam.hpp>
#include <daig/optim/make_optimizer.hpp>
#include <daig/optim/nadam.hpp>
#include <daig/optim/rmsprop.hpp>
#include <daig/optim/sgd.hpp>

#include "optimizer_check.hpp"

BOOST_AUTO_TEST_SUITE(make_optimizer_test)

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
  adam.decay = WeightDecay::decoupled;
  adam.amsgrad = options.amsgrad = true;
  check_same(options, Adam(adam, 33));
  options.amsgrad = false;
  options.name = "nadam";
  options.schedule_decay = 0.25;
  NadamOptions nadam{0.8, 0.9, 1e-6, 0.25, 0.01};
  check_same(options, Nadam(nadam, 33));
  options.decoupled_decay = true;
  nadam.decay = WeightDecay::decoupled;
  check_same(options, Nadam(nadam, 33));
  options.name = "adamax";
  check_same(options, Adamax({0.8, 0.9, 1e-6, 0.01, WeightDecay::decoupled}, 33));
  options.name = "adagrad";
  options.initial_accumulator = 0.2;
  AdagradOptions adagrad{0.2, 1e-6, AdagradOptions::Epsilon::inside_root, 0.01,
                         WeightDecay::decoupled};
  check_same(options, Adagrad(adagrad, 33));
  options.epsilon_outside = true;
  adagrad.epsilon_place = AdagradOptions::Epsilon::outside_root;
  check_same(options, Adagrad(adagrad, 33));
  options.name = "rmsprop";
  options.rho = 0.7;
  options.momentum = 0.3;
  options.centered = true;
  RmspropOptions rmsprop{
      0.7, 0.3, 1e-6, RmspropOptions::Epsilon::outside_root, true, 0.01, WeightDecay::decoupled};
  check_same(options, Rmsprop(rmsprop, 33));
  options.name = "sgd";
  options.centered = false;
  options.momentum_of_steps = true;
  check_same(options,
             Sgd({0.3, false, 0.01, WeightDecay::decoupled, SgdOptions::Velocity::of_steps}, 33));
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
  check_refused({.name = "adadelta"}, "adadelta");
  check_refused({.name = ""}, "sgd, adam, adamw");
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
  check_refused({.name = "adagrad", .momentum = 0.9}, "momentum");
  check_refused({.name = "rmsprop", .nesterov = true}, "nesterov");
  check_refused({.name = "nadam", .amsgrad = true}, "amsgrad");
  check_refused({.centered = true}, "centered");
  check_refused({.name = "rmsprop", .rho = 1}, "rho");
  check_refused({.name = "adagrad", .initial_accumulator = -1}, "initial accumulator");
  check_refused({.name = "nadam", .schedule_decay = 2}, "schedule decay");
  check_refused({.clip_value = -1}, "clip value");
  check_refused({.clip_norm = nan}, "clip norm");
  check_refused({.clip_norm = 1, .global_clip_norm = 1}, "exclude each other");
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
