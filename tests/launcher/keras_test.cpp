// A Keras file in, a Keras file out.

#include <cstdint>
#include <functional>
#include <numeric>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include <daig/core/random.hpp>
#include <daig/store/keras_file.hpp>

#include "launcher/training_place.hpp"
#include "store/keras_sample.hpp"

BOOST_AUTO_TEST_SUITE(keras_test)

namespace {

using namespace daig::test;
using nlohmann::json;
namespace fs = std::filesystem;
namespace store = daig::store;

json layer(const char* kind, const char* name, json config = json::object()) {
  config["name"] = name;
  return {{"class_name", kind}, {"config", std::move(config)}};
}

/// A small CNN for the samples, as images of 2 x 4.
json small_cnn() {
  return {{"class_name", "Sequential"},
          {"config",
           {{"name", "small"},
            {"layers",
             {layer("InputLayer", "in", {{"batch_input_shape", {nullptr, 2, 4, 1}}}),
              layer("Conv2D", "conv",
                    {{"filters", 6},
                     {"kernel_size", {2, 2}},
                     {"padding", "same"},
                     {"activation", "relu"}}),
              layer("MaxPooling2D", "pool", {{"pool_size", {2, 1}}}), layer("Flatten", "flat"),
              layer("Dropout", "drop", {{"rate", 0.25}}),
              layer("Dense", "out", {{"units", 3}, {"activation", "softmax"}})}}}}};
}

const json adam{
    {"loss", "sparse_categorical_crossentropy"},
    {"optimizer_config",
     {{"class_name", "Adam"}, {"config", {{"name", "Adam"}, {"learning_rate", 0.02}}}}}};

struct Array {
  const char* layer;
  const char* name;
  std::vector<hsize_t> shape;
};

/// Writes the model with random weights.
void write_keras(const fs::path& path, const json& model, const json& training) {
  const std::vector<Array> arrays{{"conv", "conv/kernel:0", {2, 2, 1, 6}},
                                  {"conv", "conv/bias:0", {6}},
                                  {"out", "out/kernel:0", {24, 3}},
                                  {"out", "out/bias:0", {3}}};
  const hid_t file = keras::good(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
  const auto text = [](hid_t object, const char* name, const std::vector<std::string>& list) {
    keras::write_texts(object, name, list, keras::Texts::variable, list.size() == 1);
  };
  text(file, "model_config", {model.dump()});
  text(file, "training_config", {training.dump()});
  daig::Random random(3, daig::Stream::test);
  for (const Array& array : arrays) {
    const std::string name = fmt::format("/model_weights/{}/{}", array.layer, array.name);
    keras::create_array(file, name, H5T_IEEE_F32LE, array.shape, H5P_DEFAULT);
    const hid_t data = keras::good(H5Dopen2(file, name.c_str(), H5P_DEFAULT));
    std::vector<float> values(std::accumulate(array.shape.begin(), array.shape.end(),
                                              std::size_t{1}, std::multiplies<>()));
    for (float& value : values) value = static_cast<float>(random.uniform(-0.4, 0.4));
    keras::good(H5Dwrite(data, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()));
    H5Dclose(data);
  }
  for (const char* name : {"conv", "out"}) {
    const hid_t group =
        keras::good(H5Gopen2(file, (std::string("/model_weights/") + name).c_str(), H5P_DEFAULT));
    text(group, "weight_names", {name + std::string("/kernel:0"), name + std::string("/bias:0")});
    H5Gclose(group);
  }
  const hid_t weights = keras::good(H5Gopen2(file, "/model_weights", H5P_DEFAULT));
  text(weights, "layer_names", {"conv", "out"});
  H5Gclose(weights);
  H5Fclose(file);
}

const std::vector<Array> adam_state{{"", "adam/iteration", {}},
                                    {"", "adam/conv_kernel_momentum", {2, 2, 1, 6}},
                                    {"", "adam/conv_kernel_velocity", {2, 2, 1, 6}},
                                    {"", "adam/conv_bias_momentum", {6}},
                                    {"", "adam/conv_bias_velocity", {6}},
                                    {"", "adam/out_kernel_momentum", {24, 3}},
                                    {"", "adam/out_kernel_velocity", {24, 3}},
                                    {"", "adam/out_bias_momentum", {3}},
                                    {"", "adam/out_bias_velocity", {3}}};

/// Adds what the optimiser remembers, as if of 5 steps.
void add_state(const fs::path& path, const std::vector<Array>& arrays) {
  const hid_t file = keras::good(H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT));
  std::vector<std::string> names;
  for (const Array& array : arrays) {
    names.emplace_back(array.name);
    const std::string name = std::string("/optimizer_weights/") + array.name;
    const bool counter = array.shape.empty();
    keras::create_array(file, name, counter ? H5T_STD_I32LE : H5T_IEEE_F32LE, array.shape,
                        H5P_DEFAULT);
    const hid_t data = keras::good(H5Dopen2(file, name.c_str(), H5P_DEFAULT));
    std::vector<float> values(std::accumulate(array.shape.begin(), array.shape.end(),
                                              std::size_t{1}, std::multiplies<>()),
                              counter ? 5.0F : 0.25F);
    keras::good(H5Dwrite(data, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()));
    H5Dclose(data);
  }
  const hid_t group = keras::good(H5Gopen2(file, "/optimizer_weights", H5P_DEFAULT));
  keras::write_texts(group, "weight_names", names, keras::Texts::variable, false);
  H5Gclose(group);
  H5Fclose(file);
}

struct KerasPlace : TrainingPlace {
  KerasPlace() { write_keras(path() / "cnn.h5", small_cnn(), adam); }

  static Words train_keras(const Words& more) {
    Words words{DAIG_COMMAND, "train",     "--dataset", "data",   "--model",      "cnn.h5", "--k",
                "4",          "--run-dir", "run",       "--json", "--batch-size", "10"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  /// The trained file differs from the first in its weights alone.
  void check_trained(const fs::path& trained) const {
    const store::KerasFile before = store::read_keras_file(path() / "cnn.h5");
    const store::KerasFile after = store::read_keras_file(path() / trained);
    BOOST_TEST(after.model_config == before.model_config);
    BOOST_TEST(after.training_config == before.training_config);
    BOOST_TEST_REQUIRE(after.weights.size() == before.weights.size());
    for (std::size_t i = 0; i < before.weights.size(); ++i) {
      BOOST_TEST(after.weights[i].dataset == before.weights[i].dataset);
      BOOST_TEST((after.weights[i].shape == before.weights[i].shape));
      BOOST_TEST((after.weights[i].values != before.weights[i].values));
    }
  }
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_compiled_model_is_trained_and_comes_back_as_the_same_file) {
  for (const Words& manner :
       {Words{"-n", "3"}, Words{"-n", "3", "--in-process"}, Words{"-n", "1"}}) {
    const KerasPlace place;
    Words words = KerasPlace::train_keras({"--epochs", "8", "--out", "trained.h5"});
    words.insert(words.end(), manner.begin(), manner.end());
    const Ended ended = run(words, place.path());
    place.check_whole(ended);  // the replay draws the same dropouts
    const json report = json::parse(ended.last_line());
    BOOST_TEST(report.at("test_accuracy").get<double>() > 0.85);
    BOOST_TEST(report.at("out").get<std::string>() == "trained.h5");
    place.check_trained("trained.h5");
    const json quality = json::parse(
        run({DAIG_COMMAND, "eval", "--model", "trained.h5", "--dataset", "data", "--json"},
            place.path())
            .last_line());
    BOOST_TEST(quality.at("accuracy") == report.at("test_accuracy"));
    BOOST_TEST(quality.at("loss") == report.at("test_loss"));
  }
}

BOOST_AUTO_TEST_CASE(targets_in_bytes_are_judged_by_the_metrics_of_the_model) {
  const KerasPlace place;
  const auto one_hot = [&](const char* name, const Samples& samples) {
    std::vector<std::uint8_t> rows(3 * samples.classes.size());
    for (std::size_t i = 0; i < samples.classes.size(); ++i) {
      rows[3 * i + static_cast<std::size_t>(samples.classes[i])] = 1;
    }
    write_file(place.path() / "data" / name,
               npy("|u1", fmt::format("({}, 3)", samples.classes.size()), raw(rows)));
  };
  one_hot("y_train.npy", draw_samples(300, 1));
  one_hot("y_test.npy", draw_samples(90, 2));
  json training = adam;
  training["loss"] = {{"class_name", "CategoricalCrossentropy"},
                      {"config", {{"label_smoothing", 0.1}}}};
  training["metrics"] = {"accuracy", "mae", "AUC"};
  write_keras(place.path() / "cnn.h5", small_cnn(), training);
  const Words words =
      KerasPlace::train_keras({"--epochs", "6", "--out", "trained.h5", "-n", "2", "--in-process"});
  const Ended ended = run(words, place.path());
  place.check_whole(ended);
  const std::string warning = "daig: warning: cnn.h5: metrics that are not computed here: AUC\n";
  BOOST_TEST(contains(ended.error, warning), ended.error);
  BOOST_TEST(ended.error.find("AUC") == ended.error.rfind("AUC"), ended.error);
  const json report = json::parse(ended.last_line());
  BOOST_TEST(report.at("test_accuracy").get<double>() > 0.85);
  BOOST_TEST(report.at("test_mae").get<double>() > 0);
  BOOST_TEST(report.at("test_mae").get<double>() < 0.25);
  BOOST_TEST(!report.contains("test_mse"));
  // DAIG's own file of it is judged alike, and so is whoever reads the words.
  for (const char* model : {"trained.h5", "run/model.h5"}) {
    const Words eval{DAIG_COMMAND, "eval", "--model", model, "--dataset", "data"};
    Words in_json = eval;
    in_json.emplace_back("--json");
    const json quality = json::parse(run(in_json, place.path()).last_line());
    BOOST_TEST(quality.at("accuracy") == report.at("test_accuracy"));
    BOOST_TEST(quality.at("mae") == report.at("test_mae"));
    const Ended told = run(eval, place.path());
    BOOST_TEST(contains(told.out, ", accuracy 0."), told.out);
    BOOST_TEST(contains(told.out, ", mae 0."), told.out);
  }

  training["loss"] = "mean_squared_error";
  training.erase("metrics");
  write_keras(place.path() / "cnn.h5", small_cnn(), training);
  const json numbers = json::parse(
      run({DAIG_COMMAND, "eval", "--model", "cnn.h5", "--dataset", "data", "--json"}, place.path())
          .last_line());
  BOOST_TEST(numbers.at("loss").get<double>() > 0);
  BOOST_TEST(!numbers.contains("accuracy"));
}

BOOST_AUTO_TEST_CASE(a_run_that_was_stopped_goes_on_to_the_same_file) {
  const KerasPlace place;
  const Words words = KerasPlace::train_keras(
      {"--epochs", "40", "--out", "whole.h5", "-n", "2", "--snapshot-every", "10"});
  place.check_whole(run(words, place.path()));
  fs::rename(place.run_folder(), place.path() / "first");
  Words dying = words;
  dying.insert(dying.end(), {"--die", "0:recorded:25"});
  dying[static_cast<std::size_t>(std::ranges::find(dying, "whole.h5") - dying.begin())] =
      "resumed.h5";
  place.check_whole(run(dying, place.path()));  // started again from a snapshot
  place.check_trained("resumed.h5");
  BOOST_TEST((store::read_keras_file(place.path() / "resumed.h5").weights ==
              store::read_keras_file(place.path() / "whole.h5").weights));
}

BOOST_AUTO_TEST_CASE(an_optimizer_goes_on_from_its_state_in_the_file_and_leaves_its_own) {
  const KerasPlace place;
  json decaying = adam;
  decaying["optimizer_config"]["config"]["decay"] = 0.1;
  write_keras(place.path() / "cnn.h5", small_cnn(), decaying);
  const Words words =
      KerasPlace::train_keras({"--epochs", "2", "--out", "trained.h5", "-n", "2", "--in-process"});
  place.check_whole(run(words, place.path()));
  BOOST_TEST(!store::read_keras_file(place.path() / "trained.h5").iterations.has_value());
  const auto fresh = store::read_keras_file(place.path() / "trained.h5").weights;
  fs::remove_all(place.run_folder());

  add_state(place.path() / "cnn.h5", adam_state);
  const Ended ended = run(words, place.path());
  place.check_whole(ended);  // the replay goes on from the state, too
  BOOST_TEST(ended.error.find("afresh") == std::string::npos, ended.error);
  place.check_trained("trained.h5");
  const store::KerasFile before = store::read_keras_file(place.path() / "cnn.h5");
  const store::KerasFile after = store::read_keras_file(place.path() / "trained.h5");
  BOOST_TEST((after.weights != fresh));
  BOOST_TEST(after.iterations.value() > 5U);
  for (std::size_t i = 1; i < before.optimizer_weights.size(); ++i) {
    BOOST_TEST((after.optimizer_weights[i].values != before.optimizer_weights[i].values));
  }
  const auto configuration = json::parse(ended.last_line());
  BOOST_TEST(configuration.at("steps").get<std::uint64_t>() + 5 == after.iterations.value());
  fs::remove_all(place.run_folder());

  // Another optimiser has no use for it.
  Words other = words;
  other.insert(other.end(), {"--optimizer", "sgd"});
  place.check_whole(run(other, place.path()));
  BOOST_TEST((store::read_keras_file(place.path() / "trained.h5").optimizer_weights ==
              before.optimizer_weights));
  fs::remove_all(place.run_folder());

  write_keras(place.path() / "cnn.h5", small_cnn(), decaying);
  add_state(place.path() / "cnn.h5", {adam_state.begin(), adam_state.end() - 1});
  const Ended half = run(words, place.path());
  BOOST_TEST(contains(half.error, "the optimizer starts afresh"), half.error);
  BOOST_TEST((store::read_keras_file(place.path() / "trained.h5").weights == fresh));
}

BOOST_AUTO_TEST_CASE(the_file_says_what_is_in_it_and_what_is_not_supported) {
  const KerasPlace place;
  const Ended told = run({DAIG_COMMAND, "inspect", "cnn.h5"}, place.path());
  BOOST_TEST(told.code == 0);
  BOOST_TEST(contains(told.out, "Keras model 'small'"), told.out);
  BOOST_TEST(contains(told.out, "conv/kernel (2, 2, 1, 6)"), told.out);

  json lstm = small_cnn();
  lstm["config"]["layers"][1]["class_name"] = "LSTM";
  write_keras(place.path() / "cnn.h5", lstm, adam);
  const Ended refused = run(KerasPlace::train_keras({}), place.path());
  BOOST_TEST(refused.code == 3);
  BOOST_TEST(contains(refused.error, "daig: error: cnn.h5: layer 'conv' (LSTM): "), refused.error);
  BOOST_TEST(!fs::exists(place.run_folder()));

  json ftrl = adam;
  ftrl["optimizer_config"]["class_name"] = "Ftrl";
  write_keras(place.path() / "cnn.h5", small_cnn(), ftrl);
  const Ended unknown = run(KerasPlace::train_keras({}), place.path());
  BOOST_TEST(unknown.code == 3);
  BOOST_TEST(contains(unknown.error, "its optimizer Ftrl is not supported"), unknown.error);
  const Words other = KerasPlace::train_keras({"--optimizer", "sgd", "--in-process", "-n", "2"});
  place.check_whole(run(other, place.path()));
}

BOOST_AUTO_TEST_CASE(a_run_from_a_keras_file_is_exported_as_one) {
  const KerasPlace place;
  const auto export_run = [&](const Words& more) {
    Words words{DAIG_COMMAND, "export", "run", "--out", "exported.h5", "--json"};
    words.insert(words.end(), more.begin(), more.end());
    const Ended ended = run(words, place.path());
    BOOST_REQUIRE_MESSAGE(ended.code == 0, ended.error);
    const json report = json::parse(ended.last_line());
    BOOST_TEST(report.at("format") == "keras");
    return report;
  };
  Command command(KerasPlace::train_keras({"--epochs", "100000", "-n", "2"}), place.path(),
                  place.environment());
  command.read_until(is_under_way);
  BOOST_TEST(export_run({"--now"}).at("step") > 0);
  place.check_trained("exported.h5");
  place.check_stopped(command);
  // The weights before the first step are those that Keras gave.
  BOOST_TEST(export_run({"--step", "0"}).at("source") == "run/snapshot-0.h5");
  BOOST_TEST((store::read_keras_file(place.path() / "exported.h5").weights ==
              store::read_keras_file(place.path() / "cnn.h5").weights));

  fs::remove_all(place.run_folder());
  place.check_whole(run(
      KerasPlace::train_keras({"--epochs", "8", "--out", "trained.h5", "-n", "2", "--in-process"}),
      place.path()));
  export_run({});
  BOOST_TEST((read_file(place.path() / "exported.h5") == read_file(place.path() / "trained.h5")));

  // A model is written into the file that it came from, and into no other.
  fs::remove_all(place.run_folder());
  BOOST_REQUIRE(
      run(TrainingPlace::train({"--epochs", "1", "-n", "2", "--in-process"}), place.path()).code ==
      0);
  fs::copy_file(place.path() / "cnn.h5", place.run_folder() / "original.h5");
  const Ended refused = run({DAIG_COMMAND, "export", "run", "--out", "exported.h5"}, place.path());
  BOOST_TEST(refused.code == 3);
  BOOST_TEST(contains(refused.error, "run/original.h5: is not the model that run/model.h5"),
             refused.error);
}

BOOST_AUTO_TEST_SUITE_END()
