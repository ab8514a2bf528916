#include "launcher/keras_optimizer.hpp"

#include <string>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include <daig/core/error.hpp>

BOOST_AUTO_TEST_SUITE(keras_optimizer_test)

namespace {

using daig::launcher::KerasTraining;
using daig::launcher::optimizer_of;
using nlohmann::json;

KerasTraining read(const std::string& kind, const json& config, const char* version = "3.5.0") {
  daig::store::KerasFile file;
  file.keras_version = version;
  file.training_config =
      json{{"optimizer_config", {{"class_name", kind}, {"config", config}}}}.dump();
  return optimizer_of(file, "m.h5");
}

/// As Keras 3 writes them for every optimiser.
json keras_3(const json& more) {
  json config{{"name", "x"},
              {"learning_rate", 0.25},
              {"weight_decay", nullptr},
              {"clipnorm", nullptr},
              {"global_clipnorm", nullptr},
              {"clipvalue", nullptr},
              {"use_ema", false},
              {"ema_momentum", 0.99},
              {"ema_overwrite_frequency", nullptr},
              {"loss_scale_factor", nullptr},
              {"gradient_accumulation_steps", nullptr}};
  if (!more.is_null()) config.update(more);
  return config;
}

void refused(const std::string& kind, const json& config, const std::string& named) {
  BOOST_CHECK_EXCEPTION(read(kind, config), daig::InputError, [&](const daig::InputError& error) {
    const std::string text = error.what();
    BOOST_TEST_MESSAGE(text);
    return text.starts_with("m.h5: ") && text.find(named) != std::string::npos &&
           text.find("--optimizer") != std::string::npos;
  });
}

BOOST_AUTO_TEST_CASE(every_optimizer_of_keras_3) {
  auto o = read("SGD", keras_3({{"momentum", 0.5}, {"nesterov", true}})).optimizer;
  BOOST_TEST(o.name == "sgd");
  BOOST_TEST(o.learning_rate == 0.25);
  BOOST_TEST(o.momentum == 0.5);
  BOOST_TEST(o.nesterov);
  BOOST_TEST(o.momentum_of_steps);
  BOOST_TEST(!read("SGD", keras_3({{"momentum", 0.0}, {"nesterov", true}})).optimizer.nesterov);
  const json betas{{"beta_1", 0.75}, {"beta_2", 0.5}, {"epsilon", 0.125}};
  for (const std::string kind : {"Adam", "AdamW", "Nadam", "Adamax", "adam"}) {
    o = read(kind, keras_3(betas)).optimizer;
    BOOST_TEST(o.beta1 == 0.75);
    BOOST_TEST(o.beta2 == 0.5);
    BOOST_TEST(o.epsilon == 0.125);
    BOOST_TEST(o.epsilon_hat == (o.name == "adam" || o.name == "adamw"));
    BOOST_TEST(o.schedule_decay == 1.0);
  }
  BOOST_TEST(o.name == "adam");
  json amsgrad = keras_3(betas);
  amsgrad["amsgrad"] = true;
  BOOST_TEST(read("Adam", amsgrad).optimizer.amsgrad);
  o = read("RMSprop", keras_3({{"rho", 0.5}, {"momentum", 0.25}, {"centered", true}})).optimizer;
  BOOST_TEST(o.rho == 0.5);
  BOOST_TEST(o.momentum == 0.25);
  BOOST_TEST(o.centered);
  BOOST_TEST(!o.epsilon_outside);
  BOOST_TEST(o.epsilon == 1e-7);
  o = read("Adagrad", keras_3({{"initial_accumulator_value", 0.5}})).optimizer;
  BOOST_TEST(o.initial_accumulator == 0.5);
  BOOST_TEST(!o.epsilon_outside);
}

BOOST_AUTO_TEST_CASE(what_all_have_alike) {
  BOOST_TEST(read("SGD", keras_3({{"weight_decay", 0.5}})).optimizer.weight_decay == 0.5);
  BOOST_TEST(read("SGD", keras_3({})).optimizer.decoupled_decay);
  BOOST_TEST(read("SGD", keras_3({{"clipvalue", 0.5}})).optimizer.clip_value == 0.5);
  BOOST_TEST(read("SGD", keras_3({{"clipnorm", 0.5}})).optimizer.clip_norm == 0.5);
  BOOST_TEST(read("SGD", keras_3({{"global_clipnorm", 0.5}})).optimizer.global_clip_norm == 0.5);
  // What the first Keras meant by it.
  for (const char* version : {"2.2.4", "2.3.1"}) {
    BOOST_TEST(read("SGD", {{"clipnorm", 0.5}}, version).optimizer.global_clip_norm == 0.5);
  }
  for (const char* version : {"2.2.4-tf", "2.6.0", ""}) {
    BOOST_TEST(read("SGD", {{"clipnorm", 0.5}}, version).optimizer.clip_norm == 0.5);
  }
}

BOOST_AUTO_TEST_CASE(formulas_before_2_11) {
  BOOST_TEST(read("RMSprop", {{"learning_rate", 0.5}, {"decay", 0.0}}).optimizer.epsilon_outside);
  // With momentum it was TensorFlow's formula already.
  BOOST_TEST(!read("RMSprop", {{"decay", 0.0}, {"momentum", 0.5}}).optimizer.epsilon_outside);
  const auto adagrad = read("Adagrad", {{"lr", 0.5}, {"decay", 0.0}, {"epsilon", 1e-7}}).optimizer;
  BOOST_TEST(adagrad.epsilon_outside);
  BOOST_TEST(adagrad.learning_rate == 0.5);
  BOOST_TEST(adagrad.initial_accumulator == 0.0);
  BOOST_TEST(read("Nadam", {{"lr", 0.5}, {"schedule_decay", 0.25}}).optimizer.schedule_decay ==
             0.25);
  const auto nadam = read("Nadam", {{"learning_rate", 0.5}, {"decay", 0.25}});
  BOOST_TEST(nadam.optimizer.schedule_decay == 0.25);
  BOOST_TEST(nadam.schedule == "constant");
  BOOST_TEST(read("Adam", {{"lr", 0.5}, {"decay", 0.25}}).schedule == "inverse:rate=0.25");
}

/// As Keras 2.13 writes it, which registered its own optimizers as if they were others'.
BOOST_AUTO_TEST_CASE(optimizers_that_were_registered) {
  const json config{{"name", "Adam"},
                    {"weight_decay", nullptr},
                    {"clipnorm", nullptr},
                    {"global_clipnorm", nullptr},
                    {"clipvalue", nullptr},
                    {"use_ema", false},
                    {"ema_momentum", 0.99},
                    {"ema_overwrite_frequency", nullptr},
                    {"jit_compile", true},
                    {"is_legacy_optimizer", false},
                    {"learning_rate", 0.0010000000474974513},
                    {"beta_1", 0.9},
                    {"beta_2", 0.999},
                    {"epsilon", 1e-07},
                    {"amsgrad", false}};
  const auto o = read("Custom>Adam", config, "2.13.1").optimizer;
  BOOST_TEST(o.name == "adam");
  BOOST_TEST(o.learning_rate == 0.0010000000474974513);
  refused("Custom>Mine", config, "Mine");
}

BOOST_AUTO_TEST_CASE(learning_rates_that_change) {
  const auto schedule = [](const std::string& kind, const json& config) {
    return json{{"learning_rate", {{"class_name", kind}, {"config", config}}}};
  };
  const auto check = [&](const std::string& kind, const json& config, double rate,
                         const std::string& text) {
    const KerasTraining training = read("Adam", schedule(kind, config));
    BOOST_TEST(training.optimizer.learning_rate == rate);
    BOOST_TEST(training.schedule == text);
  };
  const json decay{{"initial_learning_rate", 0.5},
                   {"decay_steps", 10},
                   {"decay_rate", 0.25},
                   {"staircase", true},
                   {"name", "x"}};
  check("ExponentialDecay", decay, 0.5, "exponential:every=10,factor=0.25,staircase=1");
  check("InverseTimeDecay", decay, 0.5, "inverse:rate=0.25,every=10,staircase=1");
  check("PolynomialDecay",
        {{"initial_learning_rate", 0.5},
         {"decay_steps", 10},
         {"end_learning_rate", 0.125},
         {"power", 2.0},
         {"cycle", false}},
        0.5, "polynomial:steps=10,power=2,final=0.25,cycle=0");
  check("CosineDecay", {{"initial_learning_rate", 0.5}, {"decay_steps", 10}, {"alpha", 0.25}}, 0.5,
        "cosine:steps=10,final=0.25");
  check("CosineDecay",
        {{"initial_learning_rate", 0.25},
         {"decay_steps", 10},
         {"warmup_target", 0.5},
         {"warmup_steps", 4}},
        0.5, "cosine:steps=10,final=0,warmup=4,first=0.5");
  check("PiecewiseConstantDecay", {{"boundaries", {2, 4}}, {"values", {0.5, 0.25, 0.125}}}, 0.5,
        "piecewise:3=0.5,5=0.25");

  refused("Adam", schedule("CosineDecayRestarts", decay), "CosineDecayRestarts is not supported");
  refused("Adam", schedule("ExponentialDecay", {{"decay_steps", 10}}), "initial_learning_rate");
  refused("Adam", schedule("CosineDecay", {{"initial_learning_rate", 1}, {"decay_steps", 0.5}}),
          "0.5 steps");
  refused("Adam", schedule("PiecewiseConstantDecay", {{"boundaries", {2}}, {"values", {1}}}),
          "1 boundaries and 1 values");
  refused("Adam",
          schedule("PiecewiseConstantDecay", {{"boundaries", {4, 2}}, {"values", {1, 2, 3}}}),
          "order");
  refused("Adam", schedule("PiecewiseConstantDecay", {{"boundaries", {-2}}, {"values", {1, 2}}}),
          "-2 steps");
  refused("Adam", schedule("PiecewiseConstantDecay", {{"boundaries", {2}}, {"values", {0, 2}}}),
          "from 0");
  refused("Adam", schedule("PiecewiseConstantDecay", {{"boundaries", "x"}, {"values", {0, 2}}}),
          "boundaries");
  json both = schedule("ExponentialDecay", decay);
  both["decay"] = 0.5;
  refused("Adam", both, "a decay and a learning-rate schedule");
  json more = decay;
  more["wobble"] = 2;
  refused("Adam", schedule("ExponentialDecay", more), "wobble = 2");
}

BOOST_AUTO_TEST_CASE(what_is_not_supported_is_named) {
  refused("Ftrl", keras_3({}), "Ftrl");
  refused("SGD", keras_3({{"use_ema", true}}), "use_ema");
  refused("SGD", keras_3({{"loss_scale_factor", 2.0}}), "loss_scale_factor = 2");
  refused("SGD", keras_3({{"gradient_accumulation_steps", 2}}), "gradient_accumulation_steps = 2");
  refused("SGD", keras_3({{"clipnorm", 1.0}, {"clipvalue", 1.0}}), "exclude each other");
  refused("SGD", keras_3({{"wobble", {1, 2}}}), "wobble");
  refused("SGD", keras_3({{"wobble", "x"}}), "wobble = \"x\"");
  refused("SGD", keras_3({{"learning_rate", -1}}), "learning rate -1");
  refused("SGD", keras_3({{"learning_rate", "fast"}}), "learning_rate = \"fast\"");
  refused("RMSprop", keras_3({{"rho", 1.5}}), "rho 1.5");
  daig::store::KerasFile file;
  file.training_config = R"({"optimizer_config": 3})";
  BOOST_CHECK_THROW(optimizer_of(file, "m.h5"), daig::InputError);
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
