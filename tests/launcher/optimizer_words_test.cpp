#include "launcher/optimizer_words.hpp"

#include <string>

#include <boost/test/unit_test.hpp>

#include <daig/core/error.hpp>

BOOST_AUTO_TEST_SUITE(optimizer_words_test)

namespace {

using daig::launcher::OptimizerWords;
using daig::launcher::TrainSettings;

/// The settings that the words lead to.
TrainSettings chosen(const OptimizerWords& words) {
  TrainSettings settings;
  choose_optimizer(words, settings);
  check(settings);
  return settings;
}

BOOST_AUTO_TEST_CASE(defaults_suit_the_optimizer) {
  BOOST_TEST(chosen({}).options.optimizer.name == "sgd");
  BOOST_TEST(chosen({}).options.optimizer.learning_rate == 0.1);
  BOOST_TEST(chosen({}).options.optimizer.momentum == 0.9);
  BOOST_TEST(chosen({}).options.schedule == "cosine");
  BOOST_TEST(!chosen({}).keras_state);
  for (const std::string name : {"adam", "adamw", "nadam", "rmsprop", "adagrad", "adamax"}) {
    const auto options = chosen({.optimizer = name}).options.optimizer;
    BOOST_TEST(options.name == name);
    BOOST_TEST(options.learning_rate == 0.001);
    BOOST_TEST(options.momentum == 0.0);
  }
}

BOOST_AUTO_TEST_CASE(every_word_arrives) {
  auto o = chosen({.optimizer = "adam",
                   .learning_rate = 0.5,
                   .beta1 = 0.25,
                   .beta2 = 0.75,
                   .epsilon = 0.125,
                   .weight_decay = 0.0625,
                   .clip_value = 3,
                   .amsgrad = true,
                   .decoupled_decay = true})
               .options.optimizer;
  BOOST_TEST(o.learning_rate == 0.5);
  BOOST_TEST(o.beta1 == 0.25);
  BOOST_TEST(o.beta2 == 0.75);
  BOOST_TEST(o.epsilon == 0.125);
  BOOST_TEST(o.amsgrad);
  BOOST_TEST(o.weight_decay == 0.0625);
  BOOST_TEST(o.decoupled_decay);
  BOOST_TEST(o.clip_value == 3.0);
  o = chosen(
          {.optimizer = "rmsprop", .momentum = 0.25, .rho = 0.5, .clip_norm = 2, .centered = true})
          .options.optimizer;
  BOOST_TEST(o.rho == 0.5);
  BOOST_TEST(o.momentum == 0.25);
  BOOST_TEST(o.centered);
  BOOST_TEST(o.clip_norm == 2.0);
  o = chosen({.optimizer = "adagrad", .initial_accumulator = 0.5, .global_clip_norm = 4})
          .options.optimizer;
  BOOST_TEST(o.initial_accumulator == 0.5);
  BOOST_TEST(o.global_clip_norm == 4.0);
  const TrainSettings sgd = chosen({.schedule = "inverse:rate=0.5", .nesterov = true});
  BOOST_TEST(sgd.options.optimizer.nesterov);
  BOOST_TEST(sgd.options.schedule == "inverse:rate=0.5");
}

BOOST_AUTO_TEST_CASE(words_for_other_optimizers_are_refused) {
  const auto refused = [](const OptimizerWords& words, const std::string& named) {
    BOOST_CHECK_EXCEPTION(chosen(words), daig::UsageError, [&](const daig::UsageError& error) {
      BOOST_TEST_MESSAGE(error.what());
      return std::string(error.what()).find(named) != std::string::npos;
    });
  };
  refused({.beta1 = 0.5}, "--beta1");
  refused({.beta2 = 0.5}, "--beta2");
  refused({.epsilon = 0.5}, "--epsilon");
  refused({.rho = 0.5}, "--rho: is an option of rmsprop, and the optimiser is sgd");
  refused({.centered = true}, "--centered");
  refused({.optimizer = "nadam", .amsgrad = true}, "--amsgrad");
  refused({.optimizer = "adam", .momentum = 0.9}, "--momentum");
  refused({.optimizer = "rmsprop", .nesterov = true}, "--nesterov");
  refused({.initial_accumulator = 0.5}, "--initial-accumulator");
  refused({.optimizer = "ftrl"}, "no optimiser is called 'ftrl'");
  refused({.clip_value = 1, .clip_norm = 1}, "exclude each other");
  refused({.clip_norm = -1}, "clip norm -1");
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
