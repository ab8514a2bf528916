// The losses and metrics that Keras models are compiled with, as several versions write them.

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <daig/core/error.hpp>
#include <daig/nn/keras_metrics.hpp>
#include <daig/nn/keras_spec.hpp>
#include <daig/nn/network.hpp>

BOOST_AUTO_TEST_SUITE(keras_loss_test)

namespace {

using namespace daig::nn;
using daig::UsageError;
using nlohmann::json;

/// Two outputs, the sample itself with weights 1 on the diagonal.
const std::vector<double> identity{1, 0, 0, 1, 0, 0};

json model(const char* activation, int units = 2) {
  return {{"class_name", "Sequential"},
          {"config",
           {{"name", "small"},
            {"layers",
             {{{"class_name", "InputLayer"},
               {"config", {{"batch_input_shape", {nullptr, 2}}, {"name", "in"}}}},
              {{"class_name", "Dense"},
               {"config", {{"units", units}, {"activation", activation}, {"name", "out"}}}}}}}}};
}

Network<double> compiled(const json& training, const char* activation = "linear", int units = 2) {
  return Network<double>(keras_spec(model(activation, units).dump(), training.dump()));
}

Network<double> network(const json& loss, const char* activation = "linear") {
  return compiled({{"loss", loss}}, activation);
}

json of_class(const char* kind, const json& config) {
  return {{"class_name", kind}, {"config", config}};
}

std::string refusal(const json& training, const json& described = model("linear")) {
  try {
    keras_spec(described.dump(), training.dump());
  } catch (const UsageError& error) {
    return error.what();
  }
  return "nothing was thrown";
}

/// Whether a refusal of this loss says this.
bool refused(const json& loss, const std::string& what) {
  const std::string said = refusal({{"loss", loss}});
  BOOST_TEST_INFO(said);
  return said.find(what) != said.npos;
}

/// Of one sample.
double loss_of(const json& loss, const std::vector<double>& outputs,
               const std::vector<double>& targets, const char* activation = "linear") {
  return network(loss, activation).evaluate(identity, {outputs, {}, targets}).loss_sum;
}

bool close(double one, double other) {
  return std::abs(one - other) < 1e-12;
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_name_of_a_loss_is_known) {
  const std::vector<std::pair<const char*, std::vector<const char*>>> losses{
      {"mse", {"mse", "MSE", "mean_squared_error", "MeanSquaredError"}},
      {"mean_absolute_error", {"mae", "MAE", "mean_absolute_error", "MeanAbsoluteError"}},
      {"mean_absolute_percentage_error", {"mape", "MAPE", "MeanAbsolutePercentageError"}},
      {"mean_squared_logarithmic_error", {"msle", "MSLE", "MeanSquaredLogarithmicError"}},
      {"huber", {"huber", "Huber", "huber_loss"}},
      {"log_cosh", {"log_cosh", "LogCosh", "logcosh"}},
      {"poisson", {"poisson", "Poisson"}},
      {"hinge", {"hinge", "Hinge"}},
      {"squared_hinge", {"squared_hinge", "SquaredHinge"}},
      {"kl_divergence", {"kld", "KLD", "kl_divergence", "KLDivergence"}},
      {"binary cross-entropy of probabilities",
       {"bce", "BCE", "binary_crossentropy", "BinaryCrossentropy"}},
      {"cross-entropy of probabilities",
       {"categorical_crossentropy", "SparseCategoricalCrossentropy"}}};
  for (const auto& [expected, names] : losses) {
    for (const char* name : names) {
      const json function{{"class_name", "function"}, {"config", name}, {"module", "builtins"}};
      for (const json& written :
           {json(name), json::array({name}), json{{"out", name}}, of_class(name, json::object()),
            json{{"out", json::array({of_class(name, json::object())})}}, function}) {
        BOOST_TEST_CONTEXT(written.dump()) {
          BOOST_TEST(network(written).loss().name() == expected);
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(the_activation_of_the_last_layer_decides_what_a_cross_entropy_is_of) {
  const auto name = [](const char* loss, const char* activation, bool logits) {
    return std::string(
        network(of_class(loss, {{"from_logits", logits}}), activation).loss().name());
  };
  BOOST_TEST(name("CategoricalCrossentropy", "softmax", false) == "cross-entropy");
  BOOST_TEST(name("CategoricalCrossentropy", "linear", true) == "cross-entropy");
  BOOST_TEST(name("CategoricalCrossentropy", "sigmoid", false) == "cross-entropy of probabilities");
  BOOST_TEST(name("BinaryCrossentropy", "sigmoid", false) == "binary cross-entropy");
  BOOST_TEST(name("BinaryCrossentropy", "linear", true) == "binary cross-entropy");
  BOOST_TEST(name("BinaryCrossentropy", "softmax", false) ==
             "binary cross-entropy of probabilities");
}

BOOST_AUTO_TEST_CASE(predictions_keep_the_activation_that_was_left_to_the_loss) {
  const auto predict = [](const char* activation, bool logits) {
    Network<double> made =
        network(of_class("BinaryCrossentropy", {{"from_logits", logits}}), activation);
    std::vector<double> outputs(2);
    made.predict(identity, std::vector<double>{1, -2}, outputs);
    return outputs[0];
  };
  BOOST_TEST(close(predict("sigmoid", false), 1 / (1 + std::exp(-1.0))));
  BOOST_TEST(close(predict("sigmoid", true), 1 / (1 + std::exp(-1.0))));
  BOOST_TEST(predict("linear", true) == 1);
  BOOST_TEST(predict("linear", false) == 1);
}

BOOST_AUTO_TEST_CASE(options_change_the_loss) {
  const json huber = of_class("Huber", {{"delta", 2.0}, {"reduction", "sum_over_batch_size"}});
  BOOST_TEST(loss_of(huber, {5, 0}, {0, 0}) == 4);  // 2 (5 - 1) / 2
  BOOST_TEST(loss_of("huber", {5, 0}, {0, 0}) == 2.25);
  const json smooth = of_class("CategoricalCrossentropy",
                               {{"from_logits", true}, {"label_smoothing", 0.5}, {"axis", -1}});
  const double of_first = std::log1p(std::exp(-2));
  BOOST_TEST(close(loss_of(smooth, {3, 1}, {1, 0}), 0.75 * of_first + 0.25 * (of_first + 2)));
  const json binary =
      of_class("BinaryCrossentropy", {{"from_logits", true}, {"label_smoothing", 0.5}});
  BOOST_TEST(close(
      loss_of(binary, {0, 2}, {1, 1}),
      (std::log(2) + 0.75 * std::log1p(std::exp(-2)) + 0.25 * (std::log1p(std::exp(-2)) + 2)) / 2));
}

BOOST_AUTO_TEST_CASE(options_without_an_effect_are_passed_over) {
  const json policy = of_class("DTypePolicy", {{"name", "float32"}});
  for (const json& config :
       {json{{"name", "loss"}, {"reduction", "auto"}, {"dtype", "float32"}},
        json{{"reduction", nullptr}, {"dtype", nullptr}, {"ignore_class", nullptr}},
        json{{"reduction", "mean"}, {"dtype", policy}, {"label_smoothing", 0}}}) {
    BOOST_TEST(
        network(of_class("SparseCategoricalCrossentropy", config), "softmax").output_size() == 2U);
  }
}

/// Keras 2.12 to 2.15 name the function that a class is made of.
BOOST_AUTO_TEST_CASE(a_class_may_name_its_function) {
  const json config{{"reduction", "auto"},
                    {"name", "sparse_categorical_crossentropy"},
                    {"from_logits", true},
                    {"ignore_class", nullptr},
                    {"fn", "sparse_categorical_crossentropy"}};
  BOOST_TEST(network(of_class("SparseCategoricalCrossentropy", config)).loss().name() ==
             "cross-entropy");
  json other = config;
  other["fn"] = "huber";
  BOOST_TEST(refused(of_class("SparseCategoricalCrossentropy", other), "another loss"));
  other["fn"] = 3;
  BOOST_TEST(refused(of_class("SparseCategoricalCrossentropy", other), "another loss"));
}

BOOST_AUTO_TEST_CASE(what_is_not_supported_is_refused_by_name) {
  BOOST_TEST(refused("dice", "the loss \"dice\" is not supported"));
  BOOST_TEST(refused(nullptr, "the loss null is not supported"));
  BOOST_TEST(refused(json::array(), "the loss [] is not supported"));
  BOOST_TEST(refused({{"class_name", 3}}, "is not supported"));
  BOOST_TEST(refused({"mse", "mae"}, "2 losses"));
  BOOST_TEST(refused({{"a", "mse"}, {"b", "mse"}}, "2 losses"));
  const auto option = [](const char* kind, const char* name, const json& value) {
    return of_class(kind, {{name, value}});
  };
  for (const char* reduction : {"sum", "none"}) {
    BOOST_TEST(refused(option("MeanSquaredError", "reduction", reduction),
                       fmt::format("the loss's reduction is \"{}\"", reduction)));
  }
  BOOST_TEST(refused(option("SparseCategoricalCrossentropy", "ignore_class", 255),
                     "the loss's ignore_class is 255"));
  BOOST_TEST(refused(option("CategoricalCrossentropy", "label_smoothing", 1.5),
                     "label_smoothing is 1.5: it is from 0 to 1"));
  BOOST_TEST(refused(option("MeanSquaredError", "label_smoothing", 0.1), "label_smoothing"));
  BOOST_TEST(refused(option("CategoricalCrossentropy", "axis", 1), "the loss's axis is 1"));
  BOOST_TEST(refused(option("Huber", "delta", 0), "the loss's delta is 0"));
  BOOST_TEST(refused(option("Huber", "delta", "wide"), "the loss's delta is \"wide\""));
  BOOST_TEST(refused(option("MeanSquaredError", "dtype", "float16"), "the loss's dtype"));
  BOOST_TEST(refused(option("MeanSquaredError", "from_logits", 1), "the loss's from_logits is 1"));
  BOOST_TEST(refused(option("MeanSquaredError", "brand_new", 1), "the loss's brand_new is 1"));
  const json weighted{{"loss", "mse"}, {"loss_weights", {0.5}}};
  BOOST_TEST(refusal(weighted).find("loss_weights") != std::string::npos);
  BOOST_TEST(refusal({{"loss", "mse"}, {"loss_weights", nullptr}}) == "nothing was thrown");
}

BOOST_AUTO_TEST_CASE(outputs_with_several_axes_are_for_losses_that_mean_over_all) {
  json images = model("linear");
  images["config"]["layers"][0]["config"]["batch_input_shape"] = {nullptr, 3, 3, 1};
  images["config"]["layers"][1] = {
      {"class_name", "Conv2D"}, {"config", {{"filters", 2}, {"kernel_size", 2}, {"name", "conv"}}}};
  for (const char* loss : {"categorical_crossentropy", "sparse_categorical_crossentropy", "kld"}) {
    const std::string said = refusal({{"loss", loss}}, images);
    BOOST_TEST(said.find("the last layer gives the shape (2, 2, 2)") != std::string::npos, said);
  }
  for (const char* loss : {"mse", "binary_crossentropy"}) {
    BOOST_TEST(refusal({{"loss", loss}}, images) == "nothing was thrown");
  }
}

BOOST_AUTO_TEST_CASE(which_labels_a_loss_takes) {
  const auto takes = [](const char* loss, LabelKind kind) {
    return network(loss, "softmax").loss().takes(kind);
  };
  BOOST_TEST(takes("sparse_categorical_crossentropy", LabelKind::classes));
  BOOST_TEST(!takes("sparse_categorical_crossentropy", LabelKind::targets));
  BOOST_TEST(takes("categorical_crossentropy", LabelKind::classes));
  BOOST_TEST(takes("categorical_crossentropy", LabelKind::targets));
  BOOST_TEST(!takes("binary_crossentropy", LabelKind::classes));
  BOOST_TEST(takes("binary_crossentropy", LabelKind::targets));
}

BOOST_AUTO_TEST_CASE(accuracy_means_what_it_means_in_keras) {
  const auto accuracy = [](const char* loss, const json& metrics, int units = 2) {
    return compiled({{"loss", loss}, {"metrics", metrics}}, "linear", units).metrics().accuracy;
  };
  using enum Accuracy;
  BOOST_TEST((accuracy("categorical_crossentropy", nullptr) == categorical));
  BOOST_TEST((accuracy("bce", nullptr) == binary));
  BOOST_TEST((accuracy("bce", {"accuracy"}, 1) == binary));
  BOOST_TEST((accuracy("bce", {"accuracy"}) == categorical));
  BOOST_TEST((accuracy("bce", {"acc"}) == categorical));
  BOOST_TEST((accuracy("bce", {"binary_accuracy"}) == binary));
  BOOST_TEST((accuracy("bce", {{{"class_name", "BinaryAccuracy"},
                                {"config", {{"threshold", 0.5}}}}}) == binary));
  BOOST_TEST((accuracy("mse", nullptr) == none));
  BOOST_TEST((accuracy("mse", {"accuracy"}, 1) == none));
  BOOST_TEST((accuracy("mse", {"accuracy"}) == categorical));
  BOOST_TEST((accuracy("mse", {"mae"}) == none));
}

BOOST_AUTO_TEST_CASE(errors_are_computed_where_metrics_name_them) {
  const auto metrics = [](const json& names) {
    return compiled({{"loss", "mse"}, {"metrics", names}}).metrics();
  };
  for (const json& names :
       {json{"mae"}, json{"MAE"}, json{"mean_absolute_error"}, json("mae"), json{{"mae"}},
        json{{"out", {"mae"}}}, json{of_class("MeanAbsoluteError", {{"name", "x"}})},
        json{of_class("function", "mean_absolute_error")},
        json{{of_class("MeanMetricWrapper", {{"name", "mae"}, {"fn", "mean_absolute_error"}})}}}) {
    BOOST_TEST_CONTEXT(names.dump()) {
      BOOST_TEST(metrics(names).absolute_error);
      BOOST_TEST(!metrics(names).squared_error);
    }
  }
  BOOST_TEST(metrics({"mse"}).squared_error);
  BOOST_TEST(!metrics({"mse"}).absolute_error);
  // A network that is made of another one's spec is judged alike.
  const Network<double> made = compiled({{"loss", "mse"}, {"metrics", {"mae", "AUC", "accuracy"}}});
  const Network<double> again(made.spec());
  BOOST_TEST(again.spec() == made.spec());
  BOOST_TEST(again.metrics().absolute_error);
  BOOST_TEST((again.metrics().accuracy == Accuracy::categorical));
}

BOOST_AUTO_TEST_CASE(metrics_that_are_not_known_are_named_and_nothing_more) {
  const json training{{"loss", "mse"},
                      {"metrics", {"mae", of_class("AUC", json::object()), "cosine_similarity", 7}},
                      {"weighted_metrics",
                       {of_class("BinaryAccuracy", {{"threshold", 0.3}}),
                        of_class("Accuracy", json::object()), std::string(1000, 'x')}}};
  BOOST_TEST(
      ignored_keras_metrics(training.dump()) ==
          (std::vector<std::string>{"?", "AUC", "Accuracy()", "BinaryAccuracy(threshold=...)",
                                    "cosine_similarity", std::string(60, 'x')}),
      boost::test_tools::per_element());
  BOOST_TEST(compiled(training).metrics().absolute_error);
  BOOST_TEST(ignored_keras_metrics("").empty());
  BOOST_TEST(ignored_keras_metrics("[]").empty());
  BOOST_CHECK_THROW(ignored_keras_metrics("{"), UsageError);
}

BOOST_AUTO_TEST_CASE(a_spec_with_strange_metrics_is_refused) {
  const json spec{{"model", model("linear")}, {"loss", "mse"}};
  for (const json& metrics : {json(nullptr), json("mse"), json{"AUC"}, json{3}}) {
    json strange = spec;
    strange["metrics"] = metrics;
    BOOST_CHECK_THROW(Network<double>("keras:" + strange.dump()), UsageError);
  }
}

BOOST_AUTO_TEST_SUITE_END()
