// Whatever the data comes in, the same samples train the same model; and what was said of them goes
// with the run.

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "data/zip_files.hpp"
#include "launcher/command.hpp"
#include "launcher/sample_data.hpp"
#include "support/temporary_folder.hpp"

BOOST_AUTO_TEST_SUITE(data_sources_test)

namespace {

using namespace daig::test;
using nlohmann::json;
namespace fs = std::filesystem;

Words operator+(Words left, const Words& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

/// The samples of the three clouds as bytes, and as floats that are those bytes / 255.
struct Place {
  Place() {
    const Samples samples = draw_samples(120, 1);
    std::vector<float> divided;
    for (const float feature : samples.features) {
      bytes.push_back(static_cast<std::uint8_t>(std::clamp(128 + 30 * feature, 0.0F, 255.0F)));
      divided.push_back(static_cast<float>(bytes.back()) / 255.0F);
    }
    classes = samples.classes;
    write_file(folder / "x.npy", byte_array(0, 120));
    write_file(folder / "floats.npy", features_npy(divided));
    write_file(folder / "y.npy", label_array(0, 120));
    write_file(folder / "all.npz",
               zip({{"x.npy", byte_array(0, 120), true}, {"y.npy", label_array(0, 120), false}}));
    const std::vector<std::uint64_t> cuts{0, 50, 51, 120};
    const std::vector<std::string> names{"1", "2", "10"};
    for (std::size_t part = 0; part < names.size(); ++part) {
      write_file(folder / ("x-" + names[part] + ".npy"), byte_array(cuts[part], cuts[part + 1]));
      write_file(folder / ("y-" + names[part] + ".npy"), label_array(cuts[part], cuts[part + 1]));
    }
    write_file(folder / "last-x.npy", byte_array(90, 120));
    write_file(folder / "last-y.npy", label_array(90, 120));
  }

  Bytes byte_array(std::uint64_t first, std::uint64_t end) const {
    return npy("|u1", fmt::format("({}, {})", end - first, sample_size),
               raw(std::vector<std::uint8_t>(
                   bytes.begin() + static_cast<std::ptrdiff_t>(first * sample_size),
                   bytes.begin() + static_cast<std::ptrdiff_t>(end * sample_size))));
  }
  Bytes label_array(std::uint64_t first, std::uint64_t end) const {
    return classes_npy({classes.begin() + static_cast<std::ptrdiff_t>(first),
                        classes.begin() + static_cast<std::ptrdiff_t>(end)});
  }

  /// Alone, so that every bit of the outcome is decided; tested on the last samples.
  json train(const Words& data, const Words& more = {}) const {
    fs::remove_all(folder / "run");
    const Ended ended =
        run(Words{DAIG_COMMAND, "train", "--model", "mlp:8-6-3", "-n", "1", "--run-dir", "run",
                  "--batch-size", "10", "--epochs", "2", "--json", "--quiet", "--test-data",
                  "last-x.npy", "--test-labels", "last-y.npy"} +
                data + more,
            folder.path());
    BOOST_REQUIRE_MESSAGE(ended.code == 0, ended.error);
    return json::parse(ended.last_line());
  }
  double loss(const Words& data, const Words& more = {}) const {
    return train(data, more).at("test_loss").get<double>();
  }
  json answer(const Words& words, int code = 0) const {
    const Ended ended = run(Words{DAIG_COMMAND} + words, folder.path());
    BOOST_REQUIRE_MESSAGE(ended.code == code, ended.error);
    return json::parse(ended.last_line());
  }

  TemporaryFolder folder;
  std::vector<std::uint8_t> bytes;
  std::vector<std::int32_t> classes;
};

const Words plain{"--data", "x.npy", "--labels", "y.npy"};

BOOST_FIXTURE_TEST_CASE(the_same_samples_train_the_same_model, Place) {
  const double expected = loss(plain);
  BOOST_TEST(loss({"--data", "all.npz:x", "--labels", "all.npz:y"}) == expected);
  BOOST_TEST(loss({"--data", "x-*.npy", "--labels", "y-*.npy"}) == expected);
  BOOST_TEST(loss({"--data", "x-1.npy", "--data", "x-2.npy", "--data", "x-10.npy", "--labels",
                   "y-*.npy"}) == expected);
  BOOST_TEST(loss({"--data", "x-10.npy", "--data", "x-[12].npy", "--labels", "y.npy"}) != expected);
}

BOOST_FIXTURE_TEST_CASE(a_scale_is_what_numpy_makes_of_the_same_expression, Place) {
  const double expected = loss(plain);  // bytes are divided by 255 unless told otherwise
  BOOST_TEST(loss(plain, {"--scale", "1/255"}) == expected);
  BOOST_TEST(loss(plain, {"--scale", "1"}) != expected);
  BOOST_TEST(loss(plain, {"--scale", "1/128"}) != expected);
  const Words tested{"train",        "--model",  "mlp:8-6-3", "-n", "1",
                     "--batch-size", "10",       "--epochs",  "2",  "--json",
                     "--quiet",      "--labels", "y.npy"};
  const auto validated = [&](const char* data, const char* scale) {
    fs::remove_all(folder / "run");
    return answer(tested + Words{"--data", data, "--scale", scale, "--run-dir", "run",
                                 "--validation-split", "0.25"})
        .at("validation_loss")
        .get<double>();
  };
  BOOST_TEST(validated("floats.npy", "1") == validated("x.npy", "1/255"));
}

BOOST_FIXTURE_TEST_CASE(eval_and_predict_scale_too, Place) {
  const json trained = train(plain, {"--scale", "1/100", "--validation-split", "0.25"});
  BOOST_TEST(trained.at("validation_loss").get<double>() == trained.at("test_loss").get<double>());
  const Words eval{"eval",       "--model",  "run/model.h5", "--data",
                   "last-x.npy", "--labels", "last-y.npy",   "--json"};
  BOOST_TEST(answer(eval + Words{"--scale", "1/100"}).at("loss").get<double>() ==
             trained.at("test_loss").get<double>());
  BOOST_TEST(answer(eval).at("loss").get<double>() != trained.at("test_loss").get<double>());
  const auto predict = [&](const Words& more) {
    const Ended ended =
        run(Words{DAIG_COMMAND, "predict", "--model", "run/model.h5", "--out", "p.npy"} + more,
            folder.path());
    BOOST_REQUIRE_MESSAGE(ended.code == 0, ended.error);
    return read_file(folder / "p.npy");
  };
  const Bytes scaled = predict({"--data", "x.npy", "--scale", "1/255"});
  BOOST_CHECK(predict({"--data", "x.npy"}) == scaled);
  BOOST_CHECK(predict({"--data", "floats.npy"}) == scaled);
  BOOST_CHECK(predict({"--data", "x-*.npy"}) == scaled);
  BOOST_CHECK(predict({"--data", "x.npy", "--scale", "1"}) != scaled);
}

BOOST_FIXTURE_TEST_CASE(what_was_said_of_the_data_is_replayed, Place) {
  const Ended ended = run({DAIG_COMMAND,
                           "train",
                           "--in-process",
                           "-n",
                           "3",
                           "--model",
                           "mlp:8-6-3",
                           "--data",
                           "x-*.npy",
                           "--labels",
                           "all.npz:y",
                           "--scale",
                           "2/300",
                           "--validation-split",
                           "0.2",
                           "--shuffle-seed",
                           "77",
                           "--run-dir",
                           "run",
                           "--batch-size",
                           "8",
                           "--k",
                           "2",
                           "--quiet",
                           "--json"},
                          folder.path());
  BOOST_REQUIRE_MESSAGE(ended.code == 0, ended.error);
  BOOST_TEST(json::parse(ended.last_line()).at("samples").get<int>() == 5 * 96);
  BOOST_TEST(answer({"replay", "run", "--json"}).at("reproduced").get<bool>());
  const Words elsewhere{"replay", "run", "--json", "--data", "x.npy", "--labels", "y.npy"};
  BOOST_TEST(answer(elsewhere).at("reproduced").get<bool>());
  constexpr int finding = 6;
  const json other =
      answer({"replay", "run", "--json", "--data", "floats.npy", "--labels", "y.npy"}, finding);
  BOOST_TEST(!other.at("reproduced").get<bool>());
}

BOOST_FIXTURE_TEST_CASE(the_order_of_samples_has_a_seed_of_its_own, Place) {
  const double expected = loss(plain, {"--seed", "5"});
  BOOST_TEST(loss(plain, {"--seed", "5", "--shuffle-seed", "5"}) == expected);
  BOOST_TEST(loss(plain, {"--seed", "5", "--shuffle-seed", "6"}) != expected);
}

BOOST_FIXTURE_TEST_CASE(inspect_shows_every_source, Place) {
  const auto shown = [&](const std::string& name) {
    const Ended ended = run({DAIG_COMMAND, "inspect", name}, folder.path());
    BOOST_TEST(ended.code == 0, ended.error);
    return ended.out;
  };
  BOOST_TEST(contains(shown("all.npz"), "a .npz file of 2 arrays"));
  BOOST_TEST(contains(shown("all.npz"), "all.npz:x: 120 samples of shape (8,), u8"));
  BOOST_TEST(contains(shown("all.npz:y"), "all.npz:y: 120 samples of shape (), i32"));
  BOOST_TEST(contains(shown("x-*.npy"), "x-1.npy and 2 more: 120 samples of shape (8,)"));
  train(plain);
  BOOST_TEST(contains(shown("run/model.h5:/weights/dense_1/kernel"), "f32"));
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
