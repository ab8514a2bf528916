// Layers over images and sequences, and activations, as Keras 2 and 3 write them.

#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include <daig/core/error.hpp>
#include <daig/nn/keras_spec.hpp>
#include <daig/nn/network.hpp>

BOOST_AUTO_TEST_SUITE(keras_spatial_test)

namespace {

using namespace daig::nn;
using daig::UsageError;
using nlohmann::json;

json layer(const std::string& kind, json config = json::object()) {
  config["name"] = config.value("name", "it");
  return {{"class_name", kind}, {"config", std::move(config)}};
}

json input(const json& shape, const char* option = "batch_shape") {
  return layer("InputLayer", {{option, shape}, {"dtype", "float32"}, {"name", "in"}});
}

/// A model of an input and some layers, trained for the mean squared error.
Network<double> network(const json& first, const std::vector<json>& layers) {
  json all = json::array({first});
  for (const json& described : layers) all.push_back(described);
  const json model{{"class_name", "Sequential"}, {"config", {{"name", "m"}, {"layers", all}}}};
  return Network<double>(keras_spec(model.dump(), R"({"loss": "mse"})"));
}

std::string refusal(const json& first, const std::vector<json>& layers) {
  try {
    network(first, layers);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "nothing was thrown";
}

const json image = input({nullptr, 8, 6, 3});
const json sequence = input({nullptr, 8, 3});

bool refused(const json& first, const json& described, const std::string& what) {
  const std::string said = refusal(first, {described});
  BOOST_TEST_INFO(said);
  return said.find(what) != said.npos;
}

/// What a model without weights gives for the values 1, 2, ... less `offset`.
std::vector<double> outputs(const json& first, const std::vector<json>& layers, double offset = 0) {
  Network<double> made = network(first, layers);
  std::vector<double> features(made.input_size());
  for (std::size_t i = 0; i < features.size(); ++i) {
    features[i] = static_cast<double>(i) + 1 - offset;
  }
  std::vector<double> results(made.output_size());
  made.predict({}, features, results);
  return results;
}

}  // namespace

BOOST_AUTO_TEST_CASE(convolutions_have_keras_shapes) {
  const auto check = [](const json& first, const json& described, const Shape& kernel,
                        std::size_t biases, std::size_t outputs) {
    BOOST_TEST_CONTEXT(described.dump()) {
      const Network<double> made = network(first, {described});
      BOOST_TEST(made.output_size() == outputs);
      BOOST_TEST_REQUIRE(made.layout().parameters().size() == (biases == 0 ? 1U : 2U));
      BOOST_TEST(made.layout().parameters()[0].shape == kernel);
      if (biases > 0) BOOST_TEST(made.layout().parameters()[1].shape == Shape{biases});
    }
  };
  check(sequence, layer("Conv1D", {{"filters", 4}, {"kernel_size", {3}}}), {3, 3, 4}, 4, 6 * 4);
  check(
      sequence,
      layer("Conv1D", {{"filters", 4}, {"kernel_size", 3}, {"strides", {2}}, {"use_bias", false}}),
      {3, 3, 4}, 0, 3 * 4);
  check(sequence,
        layer("Conv1D", {{"filters", 4},
                         {"kernel_size", {3}},
                         {"strides", {1}},
                         {"dilation_rate", {2}},
                         {"padding", "causal"},
                         {"groups", 1},
                         {"data_format", "channels_last"},
                         {"activation", "gelu"}}),
        {3, 3, 4}, 4, 8 * 4);
  check(image, layer("DepthwiseConv2D", {{"kernel_size", {3, 2}}, {"depth_multiplier", 2}}),
        {3, 2, 3, 2}, 6, 6 * 5 * 6);
  check(image,
        layer("DepthwiseConv2D", {{"kernel_size", {3, 3}},
                                  {"padding", "same"},
                                  {"strides", {2, 2}},
                                  {"use_bias", false},
                                  {"depthwise_initializer", {{"class_name", "GlorotUniform"}}},
                                  {"depthwise_constraint", nullptr}}),
        {3, 3, 3, 1}, 0, 4 * 3 * 3);
  check(image, layer("Dense", {{"units", 5}, {"activation", "softmax"}}), {3, 5}, 5, 8 * 6 * 5);
}

BOOST_AUTO_TEST_CASE(poolings_and_shapes) {
  const json line = input({nullptr, 4, 1});
  using Values = std::vector<double>;
  BOOST_TEST(outputs(line, {layer("MaxPooling1D", {{"pool_size", {2}}, {"strides", {2}}})}) ==
             (Values{2, 4}));
  BOOST_TEST(outputs(line, {layer("AveragePooling1D", {{"pool_size", 3}, {"strides", 1}})}) ==
             (Values{2, 3}));
  BOOST_TEST(outputs(line, {layer("GlobalMaxPooling1D")}) == Values{4});
  BOOST_TEST(outputs(line, {layer("GlobalAveragePooling1D", {{"keepdims", true}}),
                            layer("AveragePooling1D", {{"pool_size", 1}})}) == Values{2.5});
  BOOST_TEST(outputs(input({nullptr, 2, 2, 1}), {layer("GlobalMaxPooling2D", {{"keepdims", true}}),
                                                 layer("MaxPooling2D", {{"pool_size", {1, 1}}})}) ==
             Values{4});
  BOOST_TEST(outputs(line, {layer("Reshape", {{"target_shape", {-1, 2}}}),
                            layer("GlobalMaxPooling1D")}) == (Values{3, 4}));
  BOOST_TEST(outputs(line, {layer("Reshape", {{"target_shape", {1, 2, 2}}}),
                            layer("GlobalMaxPooling2D")}) == (Values{3, 4}));
  const json pixel = input({nullptr, 1, 1, 1});
  for (const auto& [padding, expected] :
       std::vector<std::pair<json, Values>>{{1, {0, 0, 0, 0, 1, 0, 0, 0, 0}},
                                            {{0, 1}, {0, 1, 0}},
                                            {{{1, 0}, {0, 2}}, {0, 0, 0, 1, 0, 0}},
                                            {0, {1}}}) {
    BOOST_TEST_CONTEXT(padding.dump()) {
      BOOST_TEST(outputs(pixel, {layer("ZeroPadding2D", {{"padding", padding}})}) == expected);
    }
  }
}

BOOST_AUTO_TEST_CASE(activations_by_name) {
  const json pair = input({nullptr, 2});
  const auto check = [&](const json& activation, double of_minus_1, double of_0) {
    BOOST_TEST_CONTEXT(activation.dump()) {
      const auto results = outputs(pair, {layer("Activation", {{"activation", activation}})}, 2);
      BOOST_TEST(std::abs(results[0] - of_minus_1) < 1e-9);
      BOOST_TEST(std::abs(results[1] - of_0) < 1e-9);
    }
  };
  const double logistic = 1 / (1 + std::exp(1.0));
  check("elu", std::exp(-1.0) - 1, 0);
  check("softplus", std::log(1 + std::exp(-1.0)), std::log(2.0));
  check("leaky_relu", -0.2, 0);
  check("silu", -logistic, 0);
  check("swish", -logistic, 0);
  check("gelu", -(1 - std::erf(1 / std::sqrt(2.0))) / 2, 0);
  check("hard_swish", -1.0 / 3, 0);
  check({{"class_name", "function"}, {"config", "silu"}, {"module", "builtins"}}, -logistic, 0);
  check({{"class_name", "LeakyReLU"}, {"config", {{"name", "a"}, {"negative_slope", 0.1}}}}, -0.1,
        0);
  check({{"class_name", "ReLU"}, {"config", {{"name", "a"}, {"max_value", nullptr}}}}, 0, 0);
}

BOOST_AUTO_TEST_CASE(activations_as_layers) {
  const json three = input({nullptr, 3});  // -1, 0 and 1
  const auto check = [&](const json& described, const std::vector<double>& expected) {
    BOOST_TEST_CONTEXT(described.dump()) {
      const std::vector<double> results = outputs(three, {described}, 2);
      for (std::size_t i = 0; i < 3; ++i) BOOST_TEST(std::abs(results[i] - expected[i]) < 1e-9);
    }
  };
  check(layer("ReLU"), {0, 0, 1});
  check(layer("ReLU", {{"max_value", 0.5}, {"negative_slope", 0.1}, {"threshold", 0.0}}),
        {-0.1, 0, 0.5});
  check(layer("ReLU", {{"max_value", nullptr}, {"negative_slope", 0.5}, {"threshold", 0.5}}),
        {-0.75, -0.25, 1});
  check(layer("LeakyReLU", {{"alpha", 0.25}}), {-0.25, 0, 1});
  check(layer("LeakyReLU", {{"negative_slope", 0.5}}), {-0.5, 0, 1});
  check(layer("LeakyReLU"), {-0.3, 0, 1});
  check(layer("ELU", {{"alpha", 2.0}}), {2 * (std::exp(-1.0) - 1), 0, 1});
  const double sum = std::exp(-1.0) + 1 + std::exp(1.0);
  for (const json& axis : {json(-1), json(1), json::array({-1})}) {
    check(layer("Softmax", {{"axis", axis}}), {std::exp(-1.0) / sum, 1 / sum, std::exp(1.0) / sum});
  }
}

BOOST_AUTO_TEST_CASE(softmax_goes_over_the_last_axis) {
  for (const json& softmax : {layer("Softmax"), layer("Activation", {{"activation", "softmax"}})}) {
    const auto results = outputs(input({nullptr, 2, 3, 1}), {softmax});
    BOOST_TEST(results == std::vector<double>(6, 1.0));
  }
}

BOOST_AUTO_TEST_CASE(hard_sigmoid_is_what_its_keras_means) {
  const json hard = layer("Activation", {{"activation", "hard_sigmoid"}});
  const json of_2 = input({nullptr, 1}, "batch_input_shape");
  const json of_3 = input({nullptr, 1}, "batch_shape");
  BOOST_TEST(outputs(of_2, {hard})[0] == 0.7, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(outputs(of_3, {hard})[0] == 2.0 / 3, boost::test_tools::tolerance(1e-12));
  json first = hard;
  first["build_config"] = {{"input_shape", {nullptr, 1}}};
  BOOST_TEST(refused(first, hard, "not the same in Keras 2 and Keras 3"));
  BOOST_TEST(refused(image, layer("Activation", {{"activation", "hard_sigmoid_fifth"}}),
                     "there are linear"));
}

BOOST_AUTO_TEST_CASE(an_activation_that_needs_its_inputs_follows_its_layer) {
  Network<double> made =
      network(input({nullptr, 1}), {layer("Dense", {{"units", 1}, {"activation", "silu"}})});
  BOOST_TEST(made.layout().parameters().size() == 2U);
  std::vector<double> results(1);
  made.predict(std::vector<double>{2, 1}, std::vector<double>{1}, results);
  BOOST_TEST(results[0] == 3 / (1 + std::exp(-3.0)), boost::test_tools::tolerance(1e-12));
}

BOOST_AUTO_TEST_CASE(cross_entropy_takes_one_distribution_a_sample) {
  for (const char* last : {"softmax", "linear"}) {
    const json model{
        {"class_name", "Sequential"},
        {"config",
         {{"name", "m"},
          {"layers", {sequence, layer("Dense", {{"units", 4}, {"activation", last}})}}}}};
    const json loss{{"class_name", "SparseCategoricalCrossentropy"},
                    {"config", {{"from_logits", last == std::string("linear")}}}};
    BOOST_CHECK_EXCEPTION(keras_spec(model.dump(), json{{"loss", loss}}.dump()), UsageError,
                          [](const UsageError& error) {
                            return std::string(error.what()).find("one row of outputs a sample") !=
                                   std::string::npos;
                          });
  }
}

BOOST_AUTO_TEST_CASE(what_is_not_supported_is_refused_by_layer_and_option) {
  const auto conv = [](json more) {
    json config{{"filters", 4}, {"kernel_size", {3}}};
    config.update(more);
    return layer("Conv1D", config);
  };
  BOOST_TEST(refused(image, conv(json::object()), "layer 'it' (Conv1D): its input has 3 extents"));
  BOOST_TEST(refused(sequence, conv({{"kernel_size", {3, 3}}}), "kernel_size is [3,3]"));
  BOOST_TEST(refused(sequence, conv({{"kernel_size", {-3}}}), "kernel_size is -3, and no count"));
  BOOST_TEST(refused(sequence, conv({{"kernel_size", {9}}}), "does not fit"));
  BOOST_TEST(refused(sequence, conv({{"groups", 3}}), "groups is 3"));
  BOOST_TEST(refused(sequence, conv({{"padding", "full"}}), "padding is \"full\""));
  BOOST_TEST(refused(sequence, conv({{"data_format", "channels_first"}}), "data_format is"));
  BOOST_TEST(refused(sequence, conv({{"activation", "glu"}}), "activation is \"glu\": there are"));
  BOOST_TEST(refused(sequence,
                     conv({{"activation", {{"class_name", "PReLU"}, {"config", json::object()}}}}),
                     "PReLU"));
  BOOST_TEST(refused(
      sequence,
      conv({{"activation", {{"class_name", "ReLU"}, {"config", {{"name", "a"}, {"new", 1}}}}}}),
      "layer 'a' (ReLU): the option new (1) is not known"));
  BOOST_TEST(refused(sequence, conv({{"activation", 3}}), "activation is 3"));
  BOOST_TEST(refused(sequence, layer("MaxPooling1D", {{"pool_size", {2}}, {"padding", "causal"}}),
                     "padding is \"causal\": there are valid and same"));
  BOOST_TEST(refused(sequence, layer("DepthwiseConv2D", {{"kernel_size", {3, 3}}}),
                     "(DepthwiseConv2D): its input has 2 extents"));
  BOOST_TEST(refused(image,
                     layer("DepthwiseConv2D", {{"kernel_size", {3, 3}}, {"depth_multiplier", 0}}),
                     "depth_multiplier is 0"));
  BOOST_TEST(refused(image,
                     layer("DepthwiseConv2D", {{"kernel_size", {3, 3}},
                                               {"depthwise_regularizer", {{"class_name", "L2"}}}}),
                     "depthwise_regularizer"));
  for (const json& padding : {json(-1), json{1, 2, 3}, json{{1, 2, 3}, {1, 2}}, json{1.5, 2},
                              json("same"), json{{1}, {2}}, json{{{1, 1}, 1}, {1, 1}}}) {
    BOOST_TEST(refused(image, layer("ZeroPadding2D", {{"padding", padding}}), "padding is "));
  }
  BOOST_TEST(
      refused(image, layer("ZeroPadding2D", {{"padding", std::uint64_t{1} << 62}}), "margins of"));
  for (const json& shape :
       {json{-1, -1}, json{-2, 3}, json::array(), json("a"), json{0, 3}, json{nullptr}, json{1.5},
        json{std::uint64_t{1} << 40, 3}, json{-1, 145}}) {
    BOOST_TEST(refused(image, layer("Reshape", {{"target_shape", shape}}), "target_shape is "));
  }
  BOOST_TEST(refused(image, layer("Reshape", {{"target_shape", {5, 5}}}), "144 values"));
  BOOST_TEST(refused(image, layer("Reshape", {{"target_shape", {5, -1}}}), "144 values"));
  BOOST_TEST(refused(image, layer("Softmax", {{"axis", 1}}), "axis is 1"));
  BOOST_TEST(refused(image, layer("Softmax", {{"axis", {1, 2}}}), "axis is [1,2]"));
  BOOST_TEST(refused(image, layer("ReLU", {{"max_value", -1.0}}), "max_value is -1.0"));
  BOOST_TEST(refused(image, layer("ReLU", {{"negative_slope", "a"}}), "negative_slope is \"a\""));
  BOOST_TEST(refused(image, layer("ELU", {{"alpha", {1}}}), "alpha is [1]"));
  BOOST_TEST(refused(image, layer("Permute", {{"dims", {2, 1, 3}}}), "layers of this kind"));
}

BOOST_AUTO_TEST_SUITE_END()
