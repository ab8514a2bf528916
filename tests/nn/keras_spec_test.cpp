// What Keras writes as JSON, of several versions, as networks; and what is refused, by name.

#include <string>
#include <vector>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include <daig/core/error.hpp>
#include <daig/nn/keras_spec.hpp>
#include <daig/nn/network.hpp>

BOOST_AUTO_TEST_SUITE(keras_spec_test)

namespace {

using namespace daig::nn;
using daig::UsageError;
using nlohmann::json;

json layer(const std::string& kind, json config) {
  config["name"] = config.value("name", kind + "_1");
  return {{"class_name", kind}, {"config", std::move(config)}};
}

json input(const json& shape) {
  return layer("InputLayer", {{"batch_input_shape", shape}, {"dtype", "float32"}, {"name", "in"}});
}

json dense(int units, const char* activation, const char* name = "dense") {
  return layer("Dense", {{"units", units}, {"activation", activation}, {"name", name}});
}

json conv(json more = json::object()) {
  json config{{"filters", 4}, {"kernel_size", {3, 3}}, {"activation", "relu"}};
  config.update(more);
  return layer("Conv2D", config);
}

json sequential(std::vector<json> layers) {
  return {{"class_name", "Sequential"},
          {"config", {{"name", "small"}, {"layers", std::move(layers)}}}};
}

const json sparse{{"loss", "sparse_categorical_crossentropy"}};

Network<double> network(const json& model, const json& training = sparse) {
  return Network<double>(keras_spec(model.dump(), training.dump()));
}

std::string refusal(const json& model, const json& training = sparse) {
  try {
    network(model, training);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "nothing was thrown";
}

/// Whether a refusal of this layer, between an image and a softmax, says this.
bool refused(const json& described, const std::string& what) {
  const std::string said =
      refusal(sequential({input({nullptr, 8, 8, 3}), described, layer("Flatten", json::object()),
                          dense(2, "softmax")}));
  BOOST_TEST_INFO(said);
  return said.find(what) != said.npos;
}

const json image_chain = sequential(
    {input({nullptr, 8, 8, 3}), conv({{"strides", {1, 1}}, {"padding", "same"}}),
     layer("MaxPooling2D", {{"pool_size", {2, 2}}, {"strides", {2, 2}}, {"padding", "valid"}}),
     layer("Flatten", json::object()), layer("Dropout", {{"rate", 0.5}}), dense(5, "softmax")});

}  // namespace

BOOST_AUTO_TEST_CASE(a_sequential_model_is_a_network_with_keras_names) {
  const Network<double> made = network(image_chain);
  BOOST_TEST(made.input_size() == 8U * 8U * 3U);
  BOOST_TEST(made.output_size() == 5U);
  std::vector<std::string> names;
  for (const auto& parameter : made.layout().parameters()) names.push_back(parameter.name);
  BOOST_TEST(names == (std::vector<std::string>{"Conv2D_1/kernel", "Conv2D_1/bias", "dense/kernel",
                                                "dense/bias"}),
             boost::test_tools::per_element());
  BOOST_TEST((made.layout().parameters()[0].shape == Shape{3, 3, 3, 4}));
  BOOST_TEST((made.layout().parameters()[2].shape == Shape{64, 5}));
  BOOST_TEST(made.title() == "Keras model 'small'");
  BOOST_TEST(Network<double>(made.spec()).spec() == made.spec());
}

BOOST_AUTO_TEST_CASE(the_list_of_layers_may_stand_in_the_place_of_the_configuration) {
  json old = image_chain;
  old["config"] = json(image_chain.at("config").at("layers"));
  BOOST_TEST(network(old).output_size() == 5U);
}

BOOST_AUTO_TEST_CASE(the_first_layer_may_say_the_shape_of_a_sample) {
  json first = dense(3, "relu");
  first["config"]["batch_input_shape"] = {nullptr, 7};
  BOOST_TEST(network(sequential({first, dense(2, "softmax", "out")})).input_size() == 7U);
  BOOST_TEST(refusal(sequential({dense(2, "softmax")})).find("what shape a sample has") !=
             std::string::npos);
}

BOOST_AUTO_TEST_CASE(keras_3_writes_types_and_shapes_in_another_way) {
  const json dtype{{"module", "keras"},
                   {"class_name", "DTypePolicy"},
                   {"config", {{"name", "float32"}}},
                   {"registered_name", nullptr}};
  json out = dense(2, "softmax");
  out["config"]["dtype"] = dtype;
  out["module"] = "keras.layers";
  out["build_config"] = {{"input_shape", {nullptr, 6}}};
  out["config"]["quantization_config"] = nullptr;
  json model = sequential(
      {layer("InputLayer", {{"batch_shape", {nullptr, 6}}, {"dtype", "float32"}, {"name", "in"}}),
       out});
  BOOST_TEST(network(model).input_size() == 6U);
  out["config"]["dtype"]["config"]["name"] = "mixed_float16";
  model = sequential({out});
  BOOST_TEST(refusal(model).find("layer 'dense' (Dense): dtype is") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_functional_chain_is_followed_whatever_the_order_of_its_layers) {
  const auto calls = [](json described, const json& inbound, const char* name) {
    described["name"] = name;
    described["inbound_nodes"] = inbound;
    return described;
  };
  const json tensor{{"class_name", "__keras_tensor__"},
                    {"config", {{"shape", {nullptr, 4}}, {"keras_history", {"a", 0, 0}}}}};
  for (const json& of_b : {json{{{"a", 0, 0, json::object()}}},                        // Keras 2
                           json{{{"args", {tensor}}, {"kwargs", json::object()}}}}) {  // Keras 3
    const json last = calls(dense(3, "softmax", "b"), of_b, "b");
    const json first = calls(dense(4, "relu", "a"), {{{"in", 0, 0, json::object()}}}, "a");
    json model{{"class_name", "Functional"},
               {"config",
                {{"name", "chain"},
                 {"layers", {last, calls(input({nullptr, 9}), json::array(), "in"), first}},
                 {"input_layers", {{"in", 0, 0}}},
                 {"output_layers", {{"b", 0, 0}}}}}};
    const Network<double> made = network(model);
    BOOST_TEST(made.input_size() == 9U);
    BOOST_TEST(made.layout().parameters()[0].name == "a/kernel");
    json branched = model;
    branched["config"]["layers"].push_back(calls(dense(3, "relu", "c"), of_b, "c"));
    BOOST_TEST(refusal(branched).find("layer 'a' has several outputs") != std::string::npos);
    json circle = model;
    circle["config"]["output_layers"] = {{"nobody", 0, 0}};
    BOOST_TEST(refusal(circle).find("layer 'b' leads nowhere") != std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(predictions_are_what_keras_gives) {
  for (const bool logits : {false, true}) {
    const json training{
        {"loss",
         {{"class_name", "SparseCategoricalCrossentropy"}, {"config", {{"from_logits", logits}}}}}};
    Network<double> made = network(
        sequential({input({nullptr, 1}), dense(2, logits ? "linear" : "softmax")}), training);
    const std::vector<double> weights{1, 1, 0, 1};
    std::vector<double> outputs(2);
    made.predict(weights, std::vector<double>{3}, outputs);
    BOOST_TEST(outputs[0] == (logits ? 3 : 1 / (1 + std::exp(1.0))),
               boost::test_tools::tolerance(1e-12));
  }
}

BOOST_AUTO_TEST_CASE(what_is_not_known_is_refused_by_layer_and_option) {
  BOOST_TEST(refused(conv({{"groups", 3}}), "layer 'Conv2D_1' (Conv2D): groups is 3"));
  BOOST_TEST(refused(conv({{"data_format", "channels_first"}}), "data_format is"));
  BOOST_TEST(refused(conv({{"activation", "glu"}}), "activation is \"glu\""));
  BOOST_TEST(refused(conv({{"kernel_regularizer", {{"class_name", "L2"}}}}), "kernel_regularizer"));
  BOOST_TEST(refused(conv({{"kernel_size", {9, 9}}}), "layer 'Conv2D_1' (Conv2D)"));
  BOOST_TEST(refused(conv({{"kernel_size", {-1, 3}}}), "kernel_size is [-1,3]"));
  BOOST_TEST(refused(conv({{"kernel_size", 1e300}}), "kernel_size"));
  BOOST_TEST(refused(conv({{"filters", std::uint64_t{1} << 60}}), "filters is"));
  BOOST_TEST(refused(conv({{"trainable", 3}}), "trainable is 3, neither true nor false"));
  BOOST_TEST(refused(conv({{"brand_new", 1}}), "the option brand_new (1) is not known"));
  BOOST_TEST(refused(layer("Dropout", {{"rate", 1.0}}), "a dropout rate of 1"));
  BOOST_TEST(refused(layer("ConvLSTM2D", {{"units", 3}}), "(ConvLSTM2D): layers of this kind"));
  BOOST_TEST(refused(conv({{"name", "a/../b"}}), "its name cannot be"));
  BOOST_TEST(refused(conv({{"name", "dense"}}), "layer 'dense' (Dense): another layer"));
  BOOST_TEST(refused(conv({{"filters", std::uint64_t{1} << 30}}), "absurdly large"));
  BOOST_TEST(refused(json(3), "a layer without a class_name"));
}

namespace {

json normalisation(json more = json::object(), const char* kind = "BatchNormalization") {
  json config{{"momentum", 0.5}, {"epsilon", 0.01}, {"center", true}, {"scale", true}};
  if (std::string(kind) != "BatchNormalization") config.erase("momentum");
  config.update(more);
  return layer(kind, config);
}

/// Of an image, the layer, and a softmax.
Network<double> network_with(const json& described) {
  return network(sequential({input({nullptr, 8, 8, 3}), described, layer("Flatten", json::object()),
                             dense(2, "softmax")}));
}

json regularizer(const char* kind, json config) {
  return {{"class_name", kind}, {"config", std::move(config)}};
}

/// Of the kernel of a convolution.
daig::model::Regularizer read_regularizer(const json& written) {
  return network_with(conv({{"kernel_regularizer", written}})).layout().parameters()[0].regularizer;
}

}  // namespace

BOOST_AUTO_TEST_CASE(normalisations_have_keras_parameters_and_roles) {
  using daig::model::Role;
  const json old_axis{{"axis", {3}}};  // as Keras 2 writes it
  for (const json& axis : {json::object(), json{{"axis", -1}}, json{{"axis", 3}}, old_axis}) {
    const Network<double> made = network_with(normalisation(axis));
    const auto& parameters = made.layout().parameters();
    BOOST_TEST_REQUIRE(parameters.size() == 6U);
    BOOST_TEST(parameters[0].name == "BatchNormalization_1/gamma");
    BOOST_TEST(parameters[3].name == "BatchNormalization_1/moving_variance");
    BOOST_TEST((parameters[3].shape == Shape{3}));
    BOOST_CHECK(parameters[2].role == Role::statistic && parameters[3].role == Role::statistic);
    BOOST_TEST(parameters[2].momentum == 0.5);
    BOOST_CHECK(parameters[1].role == Role::trained && parameters[4].role == Role::trained);
    const Network<double> other = network_with(normalisation(axis, "LayerNormalization"));
    BOOST_TEST(other.layout().parameters()[1].name == "LayerNormalization_1/beta");
  }
  BOOST_TEST(network_with(normalisation({{"scale", false}})).layout().parameters()[0].name ==
             "BatchNormalization_1/beta");
  json usual = normalisation();
  usual["config"].erase("momentum");
  BOOST_TEST(network_with(usual).layout().parameters()[2].momentum == 0.99);

  BOOST_TEST(refused(normalisation({{"axis", 1}}), "axis is 1: of axes, the last one"));
  BOOST_TEST(
      refused(normalisation({{"axis", {1, 2, 3}}}, "LayerNormalization"), "axis is [1,2,3]"));
  BOOST_TEST(refused(normalisation({{"axis", "last"}}), "axis is \"last\""));
  BOOST_TEST(refused(normalisation({{"renorm", true}}), "renorm is true"));
  BOOST_TEST(refused(normalisation({{"synchronized", true}}), "synchronized is true"));
  BOOST_TEST(refused(normalisation({{"rms_scaling", true}}, "LayerNormalization"), "rms_scaling"));
  BOOST_TEST(refused(normalisation({{"gamma_constraint", "max_norm"}}), "gamma_constraint is"));
  BOOST_TEST(refused(normalisation({{"momentum", 2}}), "momentum 2 makes no sense"));
  BOOST_TEST(refused(normalisation({{"epsilon", 0}}), "epsilon 0 makes no sense"));
}

BOOST_AUTO_TEST_CASE(layers_and_models_may_be_frozen) {
  using daig::model::Role;
  const auto roles = [](const json& model) {
    const Network<double> made = network(model);
    std::string text;
    for (const auto& parameter : made.layout().parameters()) {
      text += parameter.role == Role::trained ? 't' : parameter.role == Role::frozen ? 'f' : 's';
    }
    return text;
  };
  const auto model = [](bool frozen_dense, bool frozen_normalisation) {
    json first = dense(3, "relu", "first");
    first["config"]["trainable"] = !frozen_dense;
    return sequential({input({nullptr, 4}), first,
                       normalisation({{"trainable", !frozen_normalisation}}), dense(2, "softmax")});
  };
  BOOST_TEST(roles(model(false, false)) == "ttttsstt");
  BOOST_TEST(roles(model(true, false)) == "ffttsstt");
  BOOST_TEST(roles(model(false, true)) == "ttfffftt");
  json whole = model(false, false);
  whole["config"]["trainable"] = true;
  BOOST_TEST(roles(whole) == "ttttsstt");
  whole["config"]["trainable"] = false;
  BOOST_TEST(roles(whole) == "ffffffff");
  whole["config"]["trainable"] = "no";
  BOOST_TEST(refusal(whole).find("trainable is neither true nor false") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(regularisers_are_read_as_keras_2_and_3_write_them) {
  using daig::model::Regularizer;
  const json l2 = regularizer("L2", {{"l2", 0.25}});
  BOOST_CHECK(read_regularizer(nullptr) == Regularizer());
  BOOST_CHECK((read_regularizer(l2) == Regularizer{0, 0.25}));
  BOOST_CHECK((read_regularizer(regularizer("L1", {{"l1", 0.5}})) == Regularizer{0.5, 0}));
  BOOST_CHECK((read_regularizer(regularizer("L1L2", {{"l1", 0.5}, {"l2", 0.25}})) ==
               Regularizer{0.5, 0.25}));
  BOOST_CHECK((read_regularizer("l2") == Regularizer{0, 0.01}));
  BOOST_CHECK((read_regularizer("L1") == Regularizer{0.01, 0}));
  json keras_3 = l2;
  keras_3["module"] = "keras.regularizers";
  keras_3["registered_name"] = nullptr;
  BOOST_CHECK((read_regularizer(keras_3) == Regularizer{0, 0.25}));

  const Network<double> biased = network_with(conv({{"bias_regularizer", l2}}));
  BOOST_CHECK((biased.layout().parameters()[1].regularizer == Regularizer{0, 0.25}));
  const Network<double> unbiased =
      network_with(conv({{"bias_regularizer", l2}, {"use_bias", false}}));
  BOOST_CHECK(!unbiased.layout().parameters()[0].regularizer.any());
  const Network<double> scaled = network_with(
      normalisation({{"gamma_regularizer", l2}, {"beta_regularizer", l2}, {"center", false}}));
  BOOST_CHECK((scaled.layout().parameters()[0].regularizer == Regularizer{0, 0.25}));
  BOOST_CHECK(!scaled.layout().parameters()[1].regularizer.any());

  for (const json& strange :
       {json("orthogonal"), json(3), regularizer("Orthogonal", {{"factor", 0.1}}),
        regularizer("L2", {{"l2", -1}}), regularizer("L2", {{"l2", "much"}}),
        regularizer("L2", {{"l3", 1}}), regularizer("L2", 3)}) {
    BOOST_TEST(refused(conv({{"kernel_regularizer", strange}}),
                       "kernel_regularizer is " + strange.dump() + ": there are L1, L2 and L1L2"));
  }
  BOOST_TEST(refused(conv({{"activity_regularizer", l2}}), "activity_regularizer is"));
}

BOOST_AUTO_TEST_CASE(absurd_sizes_are_refused) {
  constexpr std::uint64_t most = std::uint64_t{1} << 31;
  const auto big = [](std::uint64_t units, const char* name) {
    return layer("Dense", {{"units", units}, {"name", name}});
  };
  BOOST_TEST(refusal(sequential({input({nullptr, most, most, most}), dense(3, "softmax")}))
                 .find("a sample is absurdly large") != std::string::npos);
  BOOST_TEST(refusal(sequential({input({nullptr, most / 2 - 1}), big(most / 2, "a"),
                                 big(most / 2, "b"), dense(3, "softmax")}))
                 .find("layer 'a' (Dense): the model has absurdly many weights") !=
             std::string::npos);
}

BOOST_AUTO_TEST_CASE(text_that_is_no_model_is_refused) {
  const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
  for (const std::string& text :
       {std::string(), std::string("{"), std::string("[]"), std::string("{}"), std::string("null"),
        std::string(R"({"class_name": "Sequential"})"),
        std::string(R"({"class_name": "Sequential", "config": {"layers": [1, 2]}})"), deep}) {
    BOOST_CHECK_THROW(keras_spec(text, sparse.dump()), UsageError);
    BOOST_CHECK_THROW(keras_spec(image_chain.dump(), text), UsageError);
  }
}

BOOST_AUTO_TEST_SUITE_END()
