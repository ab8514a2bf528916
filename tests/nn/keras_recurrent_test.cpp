// Recurrent layers and embeddings as Keras writes them: before 3 without modules and with a
// batch_input_shape, since 3 with more options and in another order.

#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include <daig/core/error.hpp>
#include <daig/nn/keras_spec.hpp>
#include <daig/nn/network.hpp>

#include "layers/naive_recurrent.hpp"
#include "numeric_gradient.hpp"

BOOST_AUTO_TEST_SUITE(keras_recurrent_test)

namespace {

using namespace daig::nn;
using daig::UsageError;
using nlohmann::json;

json layer(const std::string& kind, json config) {
  config["name"] = config.value("name", kind + "_1");
  return {{"class_name", kind}, {"config", std::move(config)}};
}

/// As Keras 2.2 writes a layer with gates.
json keras_2(const std::string& kind, const json& more = json::object()) {
  const json initializer{{"class_name", "VarianceScaling"}, {"config", {{"scale", 1.0}}}};
  json config{
      {"trainable", true},
      {"dtype", "float32"},
      {"return_sequences", false},
      {"return_state", false},
      {"go_backwards", false},
      {"stateful", false},
      {"unroll", false},
      {"units", 2},
      {"activation", "tanh"},
      {"recurrent_activation", "hard_sigmoid"},
      {"use_bias", true},
      {"kernel_initializer", initializer},
      {"recurrent_initializer", {{"class_name", "Orthogonal"}, {"config", {{"gain", 1.0}}}}},
      {"bias_initializer", {{"class_name", "Zeros"}, {"config", json::object()}}},
      {"kernel_regularizer", nullptr},
      {"recurrent_regularizer", nullptr},
      {"bias_regularizer", nullptr},
      {"activity_regularizer", nullptr},
      {"kernel_constraint", nullptr},
      {"recurrent_constraint", nullptr},
      {"bias_constraint", nullptr},
      {"dropout", 0.0},
      {"recurrent_dropout", 0.0},
      {"implementation", 1}};
  if (kind == "LSTM") config["unit_forget_bias"] = true;
  if (kind == "GRU") config["reset_after"] = false;
  config.update(more);
  return layer(kind, config);
}

/// As Keras 3 does.
json keras_3(const std::string& kind, const json& more = json::object()) {
  json made = keras_2(kind, {{"zero_output_for_mask", false}, {"seed", nullptr}});
  made["config"]["dtype"] = {{"module", "keras"},
                             {"class_name", "DTypePolicy"},
                             {"config", {{"name", "float32"}}},
                             {"registered_name", nullptr}};
  made["config"].erase("implementation");
  if (kind == "GRU") made["config"]["reset_after"] = true;
  made["config"].update(more);
  return made;
}

json embedding(const json& more = json::object()) {
  json config{{"batch_input_shape", {nullptr, 4}},
              {"dtype", "float32"},
              {"input_dim", 9},
              {"output_dim", 3},
              {"embeddings_initializer", {{"class_name", "RandomUniform"}}},
              {"embeddings_regularizer", nullptr},
              {"activity_regularizer", nullptr},
              {"embeddings_constraint", nullptr},
              {"mask_zero", false},
              {"input_length", 4}};
  config.update(more);
  return layer("Embedding", config);
}

json sequence() {
  return layer("InputLayer", {{"batch_input_shape", {nullptr, 4, 3}}, {"name", "in"}});
}

json sequential(std::vector<json> layers) {
  return {{"class_name", "Sequential"},
          {"config", {{"name", "small"}, {"layers", std::move(layers)}}}};
}

json bidirectional(const json& wrapped, const json& more = json::object()) {
  json config{{"trainable", true}, {"merge_mode", "concat"}, {"layer", wrapped}};
  config.update(more);
  return layer("Bidirectional", config);
}

const json mse{{"loss", "mse"}};

Network<double> network(const json& model) {
  return Network<double>(keras_spec(model.dump(), mse.dump()));
}

std::string refusal(const json& model) {
  try {
    network(model);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "nothing was thrown";
}

bool refused(const json& described, const std::string& what) {
  const std::string said = refusal(sequential({sequence(), described}));
  BOOST_TEST_INFO(said);
  return said.find(what) != said.npos;
}

/// What the network of one such layer gives, less what the formulas give.
double difference(const json& described, const test::NaiveStep& step, std::size_t gates,
                  const CellActivations& functions, Reset reset = Reset::after_product) {
  Network<double> made = network(sequential({sequence(), described}));
  const std::vector<double> weights = test::random_values(made.layout().size(), 1);
  const std::vector<double> inputs = test::random_values(std::size_t{2} * 12, 2);
  std::vector<double> outputs(2 * made.output_size());
  made.predict(weights, inputs, outputs);
  const bool all = described.at("config").at("return_sequences").get<bool>();
  const bool back = described.at("config").at("go_backwards").get<bool>();
  const std::vector<double> expected =
      test::naive_recurrent({weights, 3, 2, gates, true, functions, reset}, step, inputs, 4,
                            back ? TimeOrder::backward : TimeOrder::forward,
                            all ? Returned::all_states : Returned::last_state);
  BOOST_TEST_REQUIRE(outputs.size() == expected.size());
  double worst = 0;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    worst = std::max(worst, std::abs(outputs[i] - expected[i]));
  }
  return worst;
}

constexpr CellActivations of_keras_2{CellActivation::tanh, CellActivation::hard_sigmoid_5};
constexpr CellActivations of_keras_3{CellActivation::tanh, CellActivation::hard_sigmoid_6};

}  // namespace

BOOST_AUTO_TEST_CASE(hard_sigmoid_is_that_of_the_keras_that_wrote_the_file) {
  BOOST_TEST(difference(keras_2("LSTM"), test::naive_lstm, 4, of_keras_2) < 1e-12);
  BOOST_TEST(difference(keras_3("LSTM"), test::naive_lstm, 4, of_keras_3) < 1e-12);
  BOOST_TEST(difference(keras_2("GRU"), test::naive_gru, 3, of_keras_2, Reset::before_product) <
             1e-12);
  BOOST_TEST(difference(keras_3("GRU"), test::naive_gru, 3, of_keras_3) < 1e-12);
  json neither = keras_3("LSTM");
  neither["config"].erase("zero_output_for_mask");
  BOOST_TEST(refused(neither, "recurrent_activation is hard_sigmoid, and nothing tells which"));
  neither["config"]["recurrent_activation"] = "sigmoid";
  BOOST_TEST(refused(neither, "nothing was thrown"));
}

BOOST_AUTO_TEST_CASE(options_mean_what_they_say) {
  json simple = keras_2("SimpleRNN");
  simple["config"].erase("recurrent_activation");
  BOOST_TEST(difference(simple, test::naive_simple, 1, {}) < 1e-12);
  const json all{{"return_sequences", true}, {"go_backwards", true}};
  BOOST_TEST(difference(keras_2("LSTM", all), test::naive_lstm, 4, of_keras_2) < 1e-12);
  const json functions{{"activation", "relu"}, {"recurrent_activation", "sigmoid"}};
  BOOST_TEST(difference(keras_3("GRU", functions), test::naive_gru, 3,
                        {CellActivation::relu, CellActivation::sigmoid}) < 1e-12);
  json old = keras_2("GRU");
  old["config"].erase("reset_after");
  BOOST_TEST(difference(old, test::naive_gru, 3, of_keras_2, Reset::before_product) < 1e-12);
  const Network<double> unbiased =
      network(sequential({sequence(), keras_2("LSTM", {{"use_bias", false}})}));
  BOOST_TEST(unbiased.layout().parameters().size() == 2U);
}

BOOST_AUTO_TEST_CASE(parameters_go_by_the_layers_names) {
  const auto names = [](const json& model) {
    std::vector<std::string> all;
    const Network<double> made = network(model);
    for (const auto& parameter : made.layout().parameters()) {
      all.push_back(parameter.name);
    }
    return all;
  };
  const json inner = keras_2("LSTM", {{"name", "inner"}});
  BOOST_TEST(
      names(sequential({embedding(), bidirectional(inner), layer("Dense", {{"units", 1}})})) ==
          (std::vector<std::string>{
              "Embedding_1/embeddings", "Bidirectional_1/forward/kernel",
              "Bidirectional_1/forward/recurrent_kernel", "Bidirectional_1/forward/bias",
              "Bidirectional_1/backward/kernel", "Bidirectional_1/backward/recurrent_kernel",
              "Bidirectional_1/backward/bias", "Dense_1/kernel", "Dense_1/bias"}),
      boost::test_tools::per_element());
  const json clash = keras_2("LSTM", {{"name", "Bidirectional_1/forward"}});
  BOOST_TEST(
      refusal(sequential({sequence(), bidirectional(keras_2("LSTM", {{"return_sequences", true}})),
                          clash}))
          .find("layer 'Bidirectional_1/forward' (LSTM): another layer has an array") == 0U);
}

BOOST_AUTO_TEST_CASE(a_layer_is_made_bidirectional) {
  const json all =
      keras_2("GRU", {{"return_sequences", true}, {"recurrent_activation", "sigmoid"}});
  for (const auto& [mode, size] :
       {std::pair{"concat", 16U}, {"sum", 8U}, {"mul", 8U}, {"ave", 8U}}) {
    const json described = bidirectional(all, {{"merge_mode", mode}});
    BOOST_TEST(network(sequential({sequence(), described})).output_size() == size);
  }
  // With the same weights in both directions, a sequence that is the same in both is read alike.
  Network<double> made = network(sequential({sequence(), bidirectional(all)}));
  std::vector<double> weights = test::random_values(made.layout().size() / 2, 1);
  weights.reserve(2 * weights.size());
  for (std::size_t i = 0, half = weights.size(); i < half; ++i) weights.push_back(weights[i]);
  const std::vector<double> palindrome{1, 2, 3, -1, 0, 1, -1, 0, 1, 1, 2, 3};
  std::vector<double> outputs(16);
  made.predict(weights, palindrome, outputs);
  for (std::size_t t = 0; t < 4; ++t) {
    for (std::size_t u = 0; u < 2; ++u) {
      BOOST_TEST(outputs[t * 4 + u] == outputs[(3 - t) * 4 + 2 + u]);
    }
  }
  BOOST_TEST(outputs[0] != outputs[4]);

  json other = keras_3("LSTM", {{"go_backwards", true}, {"activation", "relu"}});
  BOOST_TEST(
      network(sequential({sequence(), bidirectional(keras_3("LSTM"), {{"backward_layer", other}})}))
          .output_size() == 4U);
  other["config"]["go_backwards"] = false;
  BOOST_TEST(refused(bidirectional(keras_3("LSTM"), {{"backward_layer", other}}),
                     "layer 'Bidirectional_1' (Bidirectional): both layers read in the same"));
  other["config"]["go_backwards"] = true;
  other["config"]["units"] = 3;
  BOOST_TEST(refused(bidirectional(keras_3("LSTM"), {{"backward_layer", other}}),
                     "the two directions differ"));
  BOOST_TEST(refused(bidirectional(keras_2("LSTM"), {{"merge_mode", nullptr}}), "merge_mode is"));
  BOOST_TEST(refused(bidirectional(layer("Dense", {{"units", 3}})),
                     "layer 'Dense_1' (Dense): of layers of this kind nothing bidirectional"));
  BOOST_TEST(refused(bidirectional(json(7)), "layer is 7, and no object"));
  BOOST_TEST(refused(bidirectional(keras_2("LSTM", {{"stateful", true}})),
                     "layer 'LSTM_1' (LSTM): stateful is true"));
  BOOST_TEST(refused(bidirectional(keras_2("LSTM", {{"brand_new", 1}})), "brand_new"));
  BOOST_TEST(refused(bidirectional(keras_2("LSTM", {{"trainable", false}})), "freeze all of it"));
}

BOOST_AUTO_TEST_CASE(regularisers_reach_the_arrays_of_both_directions) {
  const json l2{{"class_name", "L2"}, {"config", {{"l2", 0.25}}}};
  const json described =
      keras_3("LSTM", {{"recurrent_regularizer", l2}, {"kernel_regularizer", l2}});
  std::size_t regularized = 0;
  const Network<double> made = network(sequential({sequence(), bidirectional(described)}));
  for (const auto& parameter : made.layout().parameters()) {
    if (parameter.name.ends_with("kernel")) {
      BOOST_TEST(parameter.regularizer.l2 == 0.25, parameter.name);
      ++regularized;
    } else {
      BOOST_TEST(!parameter.regularizer.any(), parameter.name);
    }
  }
  BOOST_TEST(regularized == 4U);

  json other = keras_3("LSTM", {{"go_backwards", true}, {"kernel_regularizer", l2}});
  BOOST_TEST(refused(bidirectional(described, {{"backward_layer", other}}),
                     "have different regularizers"));
}

BOOST_AUTO_TEST_CASE(the_two_directions_drop_by_themselves) {
  const json described = keras_2("SimpleRNN", {{"dropout", 0.5}, {"activation", "linear"}});
  json simple = described;
  simple["config"].erase("recurrent_activation");
  Network<double> made =
      network(sequential({sequence(), bidirectional(simple, {{"merge_mode", "concat"}})}));
  std::vector<double> weights(made.layout().size());
  for (const auto& parameter : made.layout().parameters()) {
    if (parameter.name.ends_with("/kernel")) {
      std::fill_n(weights.begin() + static_cast<std::ptrdiff_t>(parameter.offset), parameter.size(),
                  1);
    }
  }
  // Each output is the number of inputs that were kept, twice; the gradient of the loss tells it.
  std::vector<double> gradient(weights.size());
  const std::vector<double> features(12 * 8, 1);
  const std::vector<double> targets(4 * 8);
  Loss loss;
  BOOST_TEST(made.gradient(weights, {features, {}, targets, 5}, gradient, {}, loss));
  const std::span<const double> all(gradient);
  const std::vector<double> forward(all.begin(), all.begin() + 6);
  const std::vector<double> backward(all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2),
                                     all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2 + 6));
  BOOST_TEST(forward != backward);
}

BOOST_AUTO_TEST_CASE(an_embedding_is_the_first_layer) {
  const json stack = sequential({embedding(), keras_2("LSTM")});
  BOOST_TEST(network(stack).input_size() == 4U);
  BOOST_TEST(network(stack).output_size() == 2U);
  for (const char* type : {"int32", "int64", "float32"}) {
    json first =
        layer("InputLayer", {{"batch_shape", {nullptr, 4}}, {"dtype", type}, {"name", "in"}});
    BOOST_TEST(network(sequential({first, embedding(), keras_2("LSTM")})).input_size() == 4U);
  }
  BOOST_TEST(refused(embedding(), "nothing was thrown"));  // of a sequence of triples
  BOOST_TEST(refusal(sequential({embedding({{"mask_zero", true}})}))
                 .find("layer 'Embedding_1' (Embedding): mask_zero is true: masks are not") == 0U);
  BOOST_TEST(refusal(sequential({sequence(), layer("Flatten", json::object()), embedding()}))
                 .find("it is not the model's first layer") != std::string::npos);
  BOOST_TEST(refusal(sequential({embedding({{"input_dim", 1 << 30}})})).find("an embedding of") !=
             std::string::npos);
  BOOST_TEST(refusal(sequential({embedding({{"dtype", "int32"}})})).find("dtype is") !=
             std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_is_not_known_is_refused_by_layer_and_option) {
  for (const char* option : {"stateful", "return_state", "time_major"}) {
    BOOST_TEST(refused(keras_2("LSTM", {{option, true}}),
                       "layer 'LSTM_1' (LSTM): " + std::string(option) + " is true"));
    BOOST_TEST(refused(keras_2("LSTM", {{option, false}}), "nothing was thrown"));
  }
  BOOST_TEST(refused(keras_2("GRU", {{"unroll", true}}), "nothing was thrown"));
  BOOST_TEST(refused(keras_2("GRU", {{"recurrent_activation", "softmax"}}),
                     "layer 'GRU_1' (GRU): recurrent_activation is 'softmax'"));
  BOOST_TEST(refused(keras_2("GRU", {{"activation", 3}}), "activation is 3"));
  BOOST_TEST(refused(keras_2("LSTM", {{"recurrent_regularizer", {{"class_name", "L2"}}}}),
                     "recurrent_regularizer"));
  BOOST_TEST(refused(keras_2("LSTM", {{"dropout", 1.0}}), "a dropout rate of 1"));
  BOOST_TEST(refused(keras_2("LSTM", {{"units", 0}}), "units is 0"));
  BOOST_TEST(refused(keras_2("LSTM", {{"units", 1 << 30}}), "layer 'LSTM_1' (LSTM)"));
  BOOST_TEST(refused(keras_2("LSTM", {{"brand_new", 1}}), "the option brand_new (1) is not known"));
  BOOST_TEST(refusal(sequential({sequence(), keras_2("LSTM"), keras_2("GRU")}))
                 .find("layer 'GRU_1' (GRU): a sample has 1 extents, not those of a sequence") ==
             0U);
}

BOOST_AUTO_TEST_SUITE_END()
