#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <iterator>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <fmt/format.h>
#include <support/temporary_folder.hpp>
#include <unistd.h>

#include <daig/core/error.hpp>
#include <daig/core/random.hpp>
#include <daig/store/keras_file.hpp>
#include <daig/store/model_file.hpp>

#include "file_bytes.hpp"
#include "file_checks.hpp"
#include "keras_sample.hpp"
#include "sample_model.hpp"
#include "support/sanitized.hpp"

BOOST_AUTO_TEST_SUITE(keras_file_test)

/// Before it looks whether a file has as much, HDF5 asks for as much memory as the file claims; it
/// takes a refusal well.
extern "C" const char* __asan_default_options();  // NOLINT(bugprone-reserved-identifier)
extern "C" const char* __asan_default_options() {
  return "allocator_may_return_null=1";
}  // NOLINT
extern "C" const char* __tsan_default_options();  // NOLINT(bugprone-reserved-identifier)
extern "C" const char* __tsan_default_options() {
  return "allocator_may_return_null=1";
}  // NOLINT

namespace fs = std::filesystem;
namespace keras = daig::test::keras;
using namespace daig;
using test::files_in;
using test::says;
using test::TemporaryFolder;

namespace {

/// Before HDF5's first call: its closing goes round in circles after a damaged file.
[[maybe_unused]] const herr_t no_exit_handler = H5dont_atexit();

std::vector<std::string> names_of(const std::vector<store::KerasArray>& arrays) {
  std::vector<std::string> names;
  for (const store::KerasArray& array : arrays) names.push_back(array.layer + "|" + array.name);
  return names;
}

bool same_file(const store::KerasFile& left, const store::KerasFile& right) {
  return left.model_config == right.model_config && left.training_config == right.training_config &&
         left.keras_version == right.keras_version && left.backend == right.backend &&
         left.weights == right.weights && left.optimizer_weights == right.optimizer_weights &&
         left.iterations == right.iterations;
}

/// Other values, which every number type holds exactly.
void change(std::vector<store::KerasArray>& arrays) {
  float value = 1;
  for (store::KerasArray& array : arrays) {
    for (float& element : array.values) element = value < 1000 ? ++value : value = 1;
  }
}

/// Reads a file that may be damaged: it is refused as input, or read. Anything else fails.
void read_or_refuse(const fs::path& path) {
  try {
    store::read_keras_file(path);
  } catch (const InputError& error) {
    BOOST_TEST(std::string(error.what()).find(path.string()) == 0U);
  }
  store::is_keras_file(path);
}

/// The folder of real files, if this machine has it.
fs::path corpus() {
  const char* folder = std::getenv("DAIG_KERAS_CORPUS");
  return folder == nullptr ? fs::path(DAIG_KERAS_CORPUS) : fs::path(folder);
}

boost::test_tools::assertion_result has_corpus(boost::unit_test::test_unit_id /*test*/) {
  boost::test_tools::assertion_result has = fs::exists(corpus() / "cnn_keras2.6_adam.h5");
  if (!has) has.message() << "there are no real Keras files in " << corpus();
  return has;
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_way_to_write_a_model_is_read_the_same) {
  const TemporaryFolder folder;
  const fs::path path = folder / "model.h5";
  for (const keras::Texts texts : {keras::Texts::variable, keras::Texts::null_padded,
                                   keras::Texts::null_terminated, keras::Texts::space_padded}) {
    for (const keras::Storage storage :
         {keras::Storage::contiguous, keras::Storage::compact, keras::Storage::packed}) {
      for (const keras::Number number : {keras::Number::f16, keras::Number::f32, keras::Number::f64,
                                         keras::Number::f32_big, keras::Number::f64_big}) {
        BOOST_TEST_CONTEXT(
            fmt::format("texts {}, storage {}, number {}", int(texts), int(storage), int(number))) {
          keras::write(path, {.texts = texts, .storage = storage, .number = number});
          BOOST_TEST(store::is_keras_file(path));
          const store::KerasFile model = store::read_keras_file(path);
          BOOST_TEST(model.model_config == keras::model_config);
          BOOST_TEST(model.training_config == keras::training_config);
          BOOST_TEST(model.keras_version == "2.6.0");
          BOOST_TEST(model.backend == "tensorflow");
          BOOST_TEST(names_of(model.weights) ==
                         (std::vector<std::string>{"dense|dense/kernel:0", "dense|dense/bias:0"}),
                     boost::test_tools::per_element());
          BOOST_TEST((model.weights[0].shape == std::vector<std::size_t>{3, 2}));
          BOOST_TEST((model.weights[0].values == std::vector<float>{0, 0.25, 0.5, 0.75, 1, 1.25}));
          BOOST_TEST((model.weights[1].values == std::vector<float>{0, 0.25}));
          BOOST_TEST(model.weights[1].dataset == "/model_weights/dense/dense/bias:0");
          BOOST_TEST(names_of(model.optimizer_weights) ==
                         (std::vector<std::string>{"|Adam/iter:0", "|Adam/dense/kernel/m:0"}),
                     boost::test_tools::per_element());
          BOOST_TEST(model.optimizer_weights[0].shape.empty());
          BOOST_TEST((model.iterations == keras::iterations));
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_long_list_of_names_comes_in_pieces) {
  const TemporaryFolder folder;
  const fs::path path = folder / "model.h5";
  for (const keras::Texts texts : {keras::Texts::variable, keras::Texts::null_padded}) {
    keras::write(path, {.texts = texts, .pieces = true, .layers = 2000});
    const store::KerasFile model = store::read_keras_file(path);
    BOOST_TEST_REQUIRE(model.weights.size() == 4000U);
    BOOST_TEST(model.weights[3999].name == "dense_1999/bias:0");
    BOOST_TEST(model.weights[3999].layer == "dense_1999");
  }
}

BOOST_AUTO_TEST_CASE(what_is_optional_may_be_missing) {
  const TemporaryFolder folder;
  const fs::path path = folder / "model.h5";
  keras::write(path, {});
  keras::change(path, [](hid_t file) {
    H5Adelete(file, "training_config");
    H5Adelete(file, "keras_version");
    H5Adelete(file, "backend");
    H5Ldelete(file, "optimizer_weights", H5P_DEFAULT);
  });
  const store::KerasFile model = store::read_keras_file(path);
  BOOST_TEST(model.training_config.empty());
  BOOST_TEST(model.keras_version.empty());
  BOOST_TEST(model.optimizer_weights.empty());
  BOOST_TEST(!model.iterations.has_value());
  // And version 2.2 has it in another place.
  keras::change(path, [](hid_t file) {
    const hid_t group = H5Gopen2(file, "model_weights", H5P_DEFAULT);
    keras::write_texts(group, "keras_version", {"2.2.4"}, keras::Texts::null_padded, true);
    H5Gclose(group);
  });
  BOOST_TEST(store::read_keras_file(path).keras_version == "2.2.4");
}

BOOST_AUTO_TEST_CASE(texts_are_read_without_the_arrays) {
  const TemporaryFolder folder;
  const fs::path path = folder / "model.h5";
  keras::write(path, {});
  store::KerasFile whole = store::read_keras_file(path);
  whole.weights.clear();
  whole.optimizer_weights.clear();
  whole.iterations.reset();
  BOOST_CHECK(same_file(store::read_keras_texts(path), whole));
  // Whoever wants the texts alone does not come by the damage.
  keras::change(path, [](hid_t file) {
    const hid_t weights = H5Gopen2(file, "model_weights", H5P_DEFAULT);
    H5Adelete(weights, "layer_names");
    H5Gclose(weights);
  });
  BOOST_CHECK_THROW(store::read_keras_file(path), InputError);
  BOOST_CHECK(same_file(store::read_keras_texts(path), whole));
}

BOOST_AUTO_TEST_CASE(large_configurations_are_read_whole) {
  const TemporaryFolder folder;
  const fs::path path = folder / "model.h5";
  keras::write(path, {});
  const std::string large(10'000'000, 'x');
  keras::change(path, [&](hid_t file) {
    H5Adelete(file, "model_config");
    keras::write_texts(file, "model_config", {large}, keras::Texts::variable, true);
  });
  BOOST_TEST((store::read_keras_file(path).model_config == large));
  keras::change(path, [&](hid_t file) {
    H5Adelete(file, "model_config");
    keras::write_texts(file, "model_config", {std::string((64 << 20) + 1, 'x')},
                       keras::Texts::variable, true);
  });
  BOOST_CHECK_EXCEPTION(store::read_keras_file(path), InputError, says({"model_config", "longer"}));
}

BOOST_AUTO_TEST_CASE(optimizer_variables_without_a_list_are_found_in_their_groups) {
  const TemporaryFolder folder;
  const fs::path path = folder / "model.h5";
  keras::write(path, {});
  keras::change(path, [](hid_t file) {
    H5Adelete_by_name(file, "optimizer_weights", "weight_names", H5P_DEFAULT);
  });
  const store::KerasFile model = store::read_keras_file(path);
  BOOST_TEST(names_of(model.optimizer_weights) ==
                 (std::vector<std::string>{"|Adam/dense/kernel/m:0", "|Adam/iter:0"}),
             boost::test_tools::per_element());
  BOOST_TEST(model.optimizer_weights[1].dataset == "/optimizer_weights/Adam/iter:0");
  BOOST_TEST((model.iterations == keras::iterations));

  keras::change(path, [](hid_t file) {  // a group in itself
    H5Lcreate_hard(file, "optimizer_weights", file, "optimizer_weights/Adam/again", H5P_DEFAULT,
                   H5P_DEFAULT);
    H5Lcreate_hard(file, "optimizer_weights", file, "optimizer_weights/Adam/and_again", H5P_DEFAULT,
                   H5P_DEFAULT);
  });
  BOOST_CHECK_EXCEPTION(store::read_keras_file(path), InputError, says({"/optimizer_weights"}));
}

BOOST_AUTO_TEST_CASE(files_of_other_kinds_are_refused_with_advice) {
  const TemporaryFolder folder;
  const fs::path path = folder / "model.h5";
  BOOST_TEST(!store::is_keras_file(path));
  BOOST_CHECK_EXCEPTION(store::read_keras_file(path), InputError, says({path.string(), "no such"}));
  BOOST_TEST(!store::is_keras_file(folder.path()));
  BOOST_CHECK_EXCEPTION(store::read_keras_file(folder.path()), InputError, says({"folder"}));

  test::write_bytes(path, std::string("PK\3\4") + std::string(100, '\0'));
  BOOST_TEST(!store::is_keras_file(path));
  BOOST_CHECK_EXCEPTION(store::read_keras_file(path), InputError,
                        says({path.string(), "zipped", "model.save(\"model.h5\")"}));
  for (const std::string& bytes : {std::string(), std::string("P"), std::string(5000, 'x')}) {
    test::write_bytes(path, bytes);
    BOOST_TEST(!store::is_keras_file(path));
    BOOST_CHECK_EXCEPTION(store::read_keras_file(path), InputError, says({path.string(), "HDF5"}));
  }

  store::write_model(path, test::sample_model());
  BOOST_TEST(!store::is_keras_file(path));
  BOOST_CHECK_EXCEPTION(store::read_keras_file(path), InputError, says({path.string(), "DAIG's"}));

  keras::write(path, {});
  keras::change(path, [](hid_t file) { H5Adelete(file, "model_config"); });
  BOOST_TEST(!store::is_keras_file(path));
  BOOST_CHECK_THROW(store::read_keras_file(path), InputError);
  keras::change(path, [](hid_t file) {
    keras::write_texts(file, "layer_names", {"dense"}, keras::Texts::null_padded, false);
  });
  BOOST_TEST(store::is_keras_file(path));
  BOOST_CHECK_EXCEPTION(
      store::read_keras_file(path), InputError,
      says({path.string(), "weights only", "architecture is missing", "model.save(\"model.h5\")"}));
}

BOOST_AUTO_TEST_CASE(what_is_missing_or_wrong_is_named) {
  const TemporaryFolder folder;
  const fs::path path = folder / "model.h5";
  const std::string kernel = "/model_weights/dense/dense/kernel:0";
  const auto replaced = [&](const std::function<void(hid_t, const char*)>& with) {
    return [=](hid_t file) {
      H5Ldelete(file, kernel.c_str(), H5P_DEFAULT);
      with(file, kernel.c_str());
    };
  };
  const auto refused = [&](const std::vector<std::string>& parts,
                           const std::function<void(hid_t)>& spoil) {
    BOOST_TEST_CONTEXT("what should be said: " << parts.front()) {
      keras::write(path, {});
      keras::change(path, spoil);
      std::vector<std::string> all = parts;
      all.push_back(path.string());
      BOOST_CHECK_EXCEPTION(store::read_keras_file(path), InputError, says(all));
    }
  };
  refused({"/model_weights"}, [](hid_t file) { H5Ldelete(file, "model_weights", H5P_DEFAULT); });
  refused({"'layer_names' of /model_weights is missing"},
          [](hid_t file) { H5Adelete_by_name(file, "model_weights", "layer_names", H5P_DEFAULT); });
  refused({"'weight_names' of /model_weights/dense is missing"}, [](hid_t file) {
    H5Adelete_by_name(file, "model_weights/dense", "weight_names", H5P_DEFAULT);
  });
  refused({"/model_weights", "dense"},
          [](hid_t file) { H5Ldelete(file, "model_weights/dense", H5P_DEFAULT); });
  refused({"/model_weights/dense", "dense/kernel:0"}, replaced([](hid_t, const char*) {}));
  refused({kernel, "not an array"}, replaced([](hid_t file, const char* at) {
            H5Gclose(H5Gcreate2(file, at, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
          }));
  refused({"kernel:0"}, replaced([](hid_t file, const char* at) {
            H5Lcreate_external("other.h5", "/weights", file, at, H5P_DEFAULT, H5P_DEFAULT);
          }));
  refused({"kernel:0"}, replaced([](hid_t file, const char* at) {
            H5Lcreate_soft(at, file, at, H5P_DEFAULT, H5P_DEFAULT);
          }));
  refused({kernel, "neither floats"}, replaced([](hid_t file, const char* at) {
            const hid_t type = H5Tvlen_create(H5T_IEEE_F32LE);
            keras::create_array(file, at, type, {3, 2}, H5P_DEFAULT);
            H5Tclose(type);
          }));
  refused({kernel, "other file"}, replaced([](hid_t file, const char* at) {
            const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
            H5Pset_external(creation, "/dev/zero", 0, 24);
            keras::create_array(file, at, H5T_IEEE_F32LE, {3, 2}, creation);
            H5Pclose(creation);
          }));
  refused({kernel, "other file"}, replaced([](hid_t file, const char* at) {
            const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
            const hsize_t extent = 6;
            const hid_t space = H5Screate_simple(1, &extent, nullptr);
            H5Pset_virtual(creation, space, "other.h5", "/weights", space);
            keras::create_array(file, at, H5T_IEEE_F32LE, {6}, creation);
            H5Sclose(space);
            H5Pclose(creation);
          }));
  refused({kernel, "too few"}, replaced([](hid_t file, const char* at) {  // 4 EB, none written
            keras::create_array(file, at, H5T_IEEE_F32LE, {1UL << 30, 1UL << 30}, H5P_DEFAULT);
          }));
  refused({kernel, "too few"}, replaced([](hid_t file, const char* at) {
            const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
            const hsize_t chunk[] = {1024, 1024};
            H5Pset_chunk(creation, 2, chunk);
            H5Pset_deflate(creation, 9);
            keras::create_array(file, at, H5T_IEEE_F32LE, {1UL << 30, 1UL << 30}, creation);
            H5Pclose(creation);
          }));
  refused({kernel, "packed"}, replaced([](hid_t file, const char* at) {
            const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
            const hsize_t chunk[] = {3, 2};
            H5Pset_chunk(creation, 2, chunk);
            H5Pset_nbit(creation);
            keras::create_array(file, at, H5T_IEEE_F32LE, {3, 2}, creation, true);
            H5Pclose(creation);
          }));
  for (const std::string& name : {std::string(), std::string("/model_weights"), std::string("a//b"),
                                  std::string("."), std::string("..")}) {
    refused({"/model_weights/dense"}, [&](hid_t file) {
      const hid_t group = H5Gopen2(file, "model_weights/dense", H5P_DEFAULT);
      H5Adelete(group, "weight_names");
      keras::write_texts(group, "weight_names", {name}, keras::Texts::variable, false);
      H5Gclose(group);
    });
  }
  refused({"claims more bytes"}, [](hid_t file) {  // the same array again and again
    const hid_t group = H5Gopen2(file, "model_weights/dense", H5P_DEFAULT);
    H5Adelete(group, "weight_names");
    keras::write_texts(group, "weight_names", std::vector<std::string>(4000, "dense/kernel:0"),
                       keras::Texts::null_padded, false);
    H5Gclose(group);
  });
}

BOOST_AUTO_TEST_CASE(other_values_are_written_into_a_copy) {
  const TemporaryFolder folder;
  const fs::path path = folder / "model.h5";
  const fs::path target = folder / "trained.h5";
  for (const keras::Storage storage :
       {keras::Storage::contiguous, keras::Storage::compact, keras::Storage::packed}) {
    for (const keras::Number number :
         {keras::Number::f16, keras::Number::f32, keras::Number::f64_big}) {
      keras::write(path, {.storage = storage, .number = number});
      const std::string before = test::read_bytes(path);
      fs::permissions(path, fs::perms::owner_read);
      store::KerasFile model = store::read_keras_file(path);
      change(model.weights);
      change(model.optimizer_weights);
      model.iterations = (1UL << 60) + 1;
      model.optimizer_weights[0].values[0] = std::ldexp(1.0F, 60);  // as a float has it
      store::write_keras_file(path, target, model.weights, model.optimizer_weights,
                              model.iterations);
      BOOST_TEST(same_file(store::read_keras_file(target), model));
      BOOST_TEST((test::read_bytes(path) == before));
      BOOST_TEST(files_in(folder.path()) == 2U);
      if (storage == keras::Storage::contiguous) {
        // Nothing but the 2 * 6 + 2 values and the counter has changed.
        const std::string after = test::read_bytes(target);
        BOOST_TEST_REQUIRE(after.size() == before.size());
        std::size_t changed = 0;
        for (std::size_t i = 0; i < after.size(); ++i) changed += after[i] != before[i] ? 1 : 0;
        BOOST_TEST(changed <= 15U * 8);
      }
      fs::remove(path);
    }
  }
}

BOOST_AUTO_TEST_CASE(what_has_not_changed_is_not_touched) {
  const TemporaryFolder folder;
  const fs::path path = folder / "model.h5";
  keras::write(path, {.number = keras::Number::f64});
  const double fine = 1 + 1e-12;  // more than a float holds
  keras::change(path, [&](hid_t file) {
    const hid_t array = H5Dopen2(file, "/model_weights/dense/dense/bias:0", H5P_DEFAULT);
    const double values[] = {fine, -fine};
    H5Dwrite(array, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
    H5Dclose(array);
  });
  const std::string before = test::read_bytes(path);
  store::KerasFile model = store::read_keras_file(path);
  store::write_keras_file(path, path, model.weights, model.optimizer_weights, model.iterations);
  BOOST_TEST((test::read_bytes(path) == before));  // onto itself, too

  change(model.weights);  // the optimiser keeps what it has
  store::write_keras_file(path, path, model.weights);
  BOOST_TEST(same_file(store::read_keras_file(path), model));
  model.iterations = 7;
  model.optimizer_weights[0].values = {7};
  store::write_keras_file(path, path, model.weights, {}, 7);
  BOOST_TEST(same_file(store::read_keras_file(path), model));
  BOOST_TEST(files_in(folder.path()) == 1U);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_written_leaves_nothing_behind) {
  const TemporaryFolder folder;
  const fs::path path = folder / "model.h5";
  keras::write(path, {});
  const store::KerasFile model = store::read_keras_file(path);
  const std::string before = test::read_bytes(path);
  const fs::path nowhere = folder / "missing" / "model.h5";
  BOOST_CHECK_EXCEPTION(store::write_keras_file(path, nowhere, model.weights), IoError,
                        says({nowhere.string()}));
  BOOST_CHECK_THROW(store::write_keras_file(path, folder.path(), model.weights), IoError);
  BOOST_CHECK_THROW(store::write_keras_file(folder / "no.h5", path, model.weights), InputError);

  const auto refused = [&](const std::function<void(store::KerasFile&)>& spoil) {
    store::KerasFile other = model;
    spoil(other);
    BOOST_CHECK_EXCEPTION(
        store::write_keras_file(path, path, other.weights, other.optimizer_weights), InputError,
        says({path.string(), "not those"}));
  };
  refused([](auto& other) { other.weights.pop_back(); });
  refused([](auto& other) { other.weights.push_back(other.weights.back()); });
  refused([](auto& other) { std::swap(other.weights[0], other.weights[1]); });
  refused([](auto& other) { other.weights[0].shape = {2, 3}; });
  refused([](auto& other) { other.optimizer_weights.pop_back(); });
  store::KerasFile other = model;
  other.weights[0].values.pop_back();
  BOOST_CHECK_THROW(store::write_keras_file(path, path, other.weights), ContractViolation);
  BOOST_TEST((test::read_bytes(path) == before));

  keras::change(path, [](hid_t file) { H5Ldelete(file, "optimizer_weights", H5P_DEFAULT); });
  BOOST_CHECK_EXCEPTION(store::write_keras_file(path, path, model.weights, {}, 7), InputError,
                        says({path.string(), "step counter"}));
  BOOST_TEST(files_in(folder.path()) == 1U);
}

BOOST_AUTO_TEST_CASE(a_truncated_file_is_refused) {
  const TemporaryFolder folder;
  const fs::path path = folder / "model.h5";
  keras::write(path, {});
  const std::string whole = test::read_bytes(path);
  for (std::size_t fiftieth = 0; fiftieth < 50; ++fiftieth) {
    const std::size_t length = whole.size() * fiftieth / 50;
    BOOST_TEST_CONTEXT("length " << length << " of " << whole.size()) {
      test::write_bytes(path, whole.substr(0, length));
      BOOST_CHECK_EXCEPTION(store::read_keras_file(path), InputError, says({path.string()}));
      BOOST_TEST(!store::is_keras_file(path));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_changed_bit_is_refused_or_read) {
  const TemporaryFolder folder;
  const fs::path path = folder / "model.h5";
  const std::uint32_t seeds = test::sanitized ? 200 : 1000;
  for (const keras::Storage storage : {keras::Storage::contiguous, keras::Storage::packed}) {
    keras::write(path, {.storage = storage});
    const std::string whole = test::read_bytes(path);
    for (std::uint32_t seed = 0; seed < seeds; ++seed) {
      BOOST_TEST_CONTEXT("seed " << seed << " of " << whole.size() << " bytes") {
        Random random(seed, Stream::test);
        std::string changed = whole;
        const std::size_t at = random.below(whole.size());
        changed[at] = static_cast<char>(changed[at] ^ (1 << random.below(8)));
        test::write_bytes(path, changed);
        read_or_refuse(path);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(threads_may_use_files_at_the_same_time) {
  const TemporaryFolder folder;
  std::vector<int> good(4, 0);
  for (std::size_t i = 0; i < good.size(); ++i) keras::write(folder / fmt::format("{}.h5", i), {});
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < good.size(); ++i) {
      threads.emplace_back([&, i] {
        const fs::path path = folder / fmt::format("{}.h5", i);
        store::KerasFile model = store::read_keras_file(path);
        for (int round = 0; round < 10; ++round) {
          model.weights[0].values[0] += static_cast<float>(i) + 1;
          store::write_keras_file(path, path, model.weights);
          good[i] += same_file(store::read_keras_file(path), model) ? 1 : 0;
        }
      });
    }
  }
  for (const int rounds : good) BOOST_TEST(rounds == 10);
}

BOOST_AUTO_TEST_CASE(real_files, *boost::unit_test::precondition(has_corpus)) {
  const store::KerasFile cnn = store::read_keras_file(corpus() / "cnn_keras2.6_adam.h5");
  BOOST_TEST(cnn.keras_version == "2.6.0");
  BOOST_TEST(cnn.backend == "tensorflow");
  BOOST_TEST(cnn.model_config.starts_with("{\"class_name\": \"Sequential\""));
  BOOST_TEST(cnn.model_config.back() == '}');
  BOOST_TEST(cnn.training_config.find("categorical_crossentropy") != std::string::npos);
  BOOST_TEST(names_of(cnn.weights) ==
                 (std::vector<std::string>{"conv2d|conv2d/kernel:0", "conv2d|conv2d/bias:0",
                                           "conv2d_1|conv2d_1/kernel:0", "conv2d_1|conv2d_1/bias:0",
                                           "dense|dense/kernel:0", "dense|dense/bias:0"}),
             boost::test_tools::per_element());
  BOOST_TEST((cnn.weights[0].shape == std::vector<std::size_t>{3, 3, 1, 32}));
  BOOST_TEST((cnn.weights[4].shape == std::vector<std::size_t>{1600, 10}));
  BOOST_TEST(cnn.optimizer_weights.size() == 13U);
  BOOST_TEST(cnn.optimizer_weights[1].name == "Adam/conv2d/kernel/m:0");
  BOOST_TEST(cnn.iterations.value_or(0) > 0U);

  const store::KerasFile mlp = store::read_keras_file(corpus() / "mlp_keras2.5_sgd.h5");
  BOOST_TEST(mlp.weights.size() == 6U);
  BOOST_TEST((mlp.weights[0].shape == std::vector<std::size_t>{784, 300}));
  BOOST_TEST(mlp.optimizer_weights.size() == 1U);

  const fs::path weights_only = corpus() / "weights_only_keras2.4.h5";
  BOOST_TEST(store::is_keras_file(weights_only));
  BOOST_CHECK_EXCEPTION(store::read_keras_file(weights_only), InputError,
                        says({weights_only.string(), "weights only"}));
}

BOOST_AUTO_TEST_CASE(real_files_are_written_back, *boost::unit_test::precondition(has_corpus)) {
  const TemporaryFolder folder;
  const fs::path target = folder / "trained.h5";
  for (const char* name : {"cnn_keras2.6_adam.h5", "mlp_keras2.5_sgd.h5"}) {
    const fs::path path = corpus() / name;
    const std::string before = test::read_bytes(path);
    store::KerasFile model = store::read_keras_file(path);
    store::write_keras_file(path, target, model.weights, model.optimizer_weights, model.iterations);
    BOOST_TEST((test::read_bytes(target) == before));
    change(model.weights);
    change(model.optimizer_weights);
    model.iterations = 12345;
    model.optimizer_weights[0].values = {12345};
    store::write_keras_file(path, target, model.weights, model.optimizer_weights, model.iterations);
    BOOST_TEST(same_file(store::read_keras_file(target), model));
    BOOST_TEST((test::read_bytes(path) == before));
    BOOST_TEST(test::read_bytes(target).size() == before.size());
  }
}

BOOST_AUTO_TEST_CASE(real_files_with_changed_bits, *boost::unit_test::precondition(has_corpus)) {
  const TemporaryFolder folder;
  const fs::path path = folder / "model.h5";
  const std::string whole = test::read_bytes(corpus() / "cnn_keras2.6_adam.h5");
  for (std::uint32_t seed = 0; seed < 200; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      Random random(seed, Stream::test);
      std::string changed = whole;
      // Most of the file is weights; what describes them is at the beginning of every part.
      for (int i = 0; i < 20; ++i) {
        const std::size_t at = random.below(i < 10 ? 20'000 : whole.size());
        changed[at] = static_cast<char>(changed[at] ^ (1 << random.below(8)));
      }
      test::write_bytes(path, changed);
      read_or_refuse(path);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
