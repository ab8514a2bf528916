#include "launcher/keras_state.hpp"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <daig/optim/make_optimizer.hpp>

BOOST_AUTO_TEST_SUITE(keras_state_test)

namespace {

using daig::launcher::find_state;
using daig::launcher::FoundState;
using daig::optim::OptimizerOptions;
using daig::store::KerasArray;
using daig::store::KerasFile;

/// A model of one dense layer, as a file has it, and as we have it.
struct Sample {
  KerasFile file;
  daig::model::Layout layout;
  std::vector<const KerasArray*> arrays;

  explicit Sample(const std::string& kernel, const std::string& bias) {
    layout.add("dense/kernel", {2, 2});
    layout.add("dense/bias", {2});
    file.weights = {{"dense", kernel, "", {2, 2}, {}}, {"dense", bias, "", {2}, {}}};
    for (const KerasArray& array : file.weights) arrays.push_back(&array);
    file.iterations = 3;
  }
  Sample(const Sample&) = delete;

  /// With values that are all different.
  void add(const std::string& name, const std::vector<std::size_t>& shape) {
    KerasArray array{"", name, "", shape, {}};
    std::size_t size = 1;
    for (const std::size_t extent : shape) size *= extent;
    for (std::size_t i = 0; i < size; ++i) array.values.push_back(next_ += 0.0625F);
    file.optimizer_weights.push_back(array);
  }
  FoundState find(const OptimizerOptions& options) const {
    return find_state(file, arrays, options);
  }

 private:
  float next_ = 0;
};

const OptimizerOptions adam{.name = "adam", .beta1 = 0.5, .beta2 = 0.25};

/// The names of an Adam's arrays, in the order of the file: kernel's m, v; bias's m, v.
void check_adam(const Sample& sample, const std::vector<float>& mean,
                const std::vector<float>& square) {
  const FoundState found = sample.find(adam);
  BOOST_TEST_REQUIRE(found.state.has_value());
  BOOST_TEST(!found.is_strange);
  BOOST_TEST(found.state->iterations() == 3U);
  const auto state = found.state->read(sample.file, sample.layout, adam);
  BOOST_TEST(state.arrays.at("adam_m") == mean);
  BOOST_TEST(state.arrays.at("adam_v") == square);
  BOOST_TEST(state.scalars.at("adam_beta1_power") == 0.125);
  BOOST_TEST(state.scalars.at("adam_beta2_power") == 1.0 / 64);
  auto optimizer = daig::optim::make_optimizer(adam, sample.layout);
  daig::train::restore(state, optimizer.state());

  KerasFile written = sample.file;
  for (KerasArray& array : written.optimizer_weights) {
    if (!array.shape.empty()) array.values.assign(array.values.size(), 0);
  }
  found.state->write(state, sample.layout, written);
  BOOST_CHECK(written.optimizer_weights == sample.file.optimizer_weights);
}

BOOST_AUTO_TEST_CASE(keras_3_goes_variable_by_variable) {
  Sample sample("sequential/dense/kernel", "sequential/dense/bias");
  sample.add("adam/iteration", {});
  sample.add("adam/learning_rate", {});
  sample.add("adam/sequential_dense_kernel_momentum", {2, 2});
  sample.add("adam/sequential_dense_kernel_velocity", {2, 2});
  sample.add("adam/sequential_dense_bias_momentum", {2});
  sample.add("adam/sequential_dense_bias_velocity", {2});
  check_adam(sample, {0.1875F, 0.25F, 0.3125F, 0.375F, 0.6875F, 0.75F},
             {0.4375F, 0.5F, 0.5625F, 0.625F, 0.8125F, 0.875F});
}

BOOST_AUTO_TEST_CASE(keras_2_11_puts_the_slot_in_front) {
  Sample sample("dense/kernel:0", "dense/bias:0");
  sample.add("Adam/iteration:0", {});
  sample.add("Adam/m/dense/kernel:0", {2, 2});
  sample.add("Adam/v/dense/kernel:0", {2, 2});
  sample.add("Adam/m/dense/bias:0", {2});
  sample.add("Adam/v/dense/bias:0", {2});
  check_adam(sample, {0.125F, 0.1875F, 0.25F, 0.3125F, 0.625F, 0.6875F},
             {0.375F, 0.4375F, 0.5F, 0.5625F, 0.75F, 0.8125F});
}

BOOST_AUTO_TEST_CASE(keras_2_4_goes_slot_by_slot) {
  Sample sample("dense/kernel:0", "dense/bias:0");
  sample.add("Adam/iter:0", {});
  sample.add("Adam/dense/kernel/m:0", {2, 2});
  sample.add("Adam/dense/bias/m:0", {2});
  sample.add("Adam/dense/kernel/v:0", {2, 2});
  sample.add("Adam/dense/bias/v:0", {2});
  check_adam(sample, {0.125F, 0.1875F, 0.25F, 0.3125F, 0.375F, 0.4375F},
             {0.5F, 0.5625F, 0.625F, 0.6875F, 0.75F, 0.8125F});
}

// As real files of Keras 2.3.1 have it: by number, and an array of one 0 for what is not used.
BOOST_AUTO_TEST_CASE(keras_2_3_counts_the_arrays) {
  Sample sample("dense_1/kernel:0", "dense_1/bias:0");
  sample.add("Adam/iterations:0", {});
  for (const char* slot : {"m", "v"}) {
    sample.add(std::string(slot) + "_0:0", {2, 2});
    sample.add(std::string(slot) + "_1:0", {2});
  }
  for (const char* unused : {"vhat_0:0", "vhat_1:0"}) {
    sample.add(unused, {1});
    sample.file.optimizer_weights.back().values = {0};
  }
  check_adam(sample, {0.125F, 0.1875F, 0.25F, 0.3125F, 0.375F, 0.4375F},
             {0.5F, 0.5625F, 0.625F, 0.6875F, 0.75F, 0.8125F});
  // Numbers go to what is trained.
  Sample frozen("dense_1/kernel:0", "dense_1/bias:0");
  frozen.arrays.front() = nullptr;
  frozen.add("Adam/iterations:0", {});
  frozen.add("m_0:0", {2});
  frozen.add("v_0:0", {2});
  check_adam(frozen, {0, 0, 0, 0, 0.125F, 0.1875F}, {0, 0, 0, 0, 0.25F, 0.3125F});
}

BOOST_AUTO_TEST_CASE(every_optimizer_of_keras_2_3_has_its_state) {
  struct Case {
    OptimizerOptions options;
    std::vector<std::string> slots;
  };
  for (const Case& c : {Case{{.momentum = 0.5, .momentum_of_steps = true}, {"moment"}},
                        {{.momentum_of_steps = true}, {"moment"}},
                        {{.name = "adam", .amsgrad = true}, {"m", "v", "vhat"}},
                        {{.name = "nadam"}, {"m", "v"}},
                        {{.name = "adamax"}, {"m", "u"}},
                        {{.name = "adagrad"}, {"accumulator"}},
                        {{.name = "rmsprop"}, {"accumulator"}}}) {
    BOOST_TEST_CONTEXT(c.options.name) {
      Sample sample("dense_1/kernel:0", "dense_1/bias:0");
      sample.add("Name/iterations:0", {});
      if (c.options.name == "nadam") sample.add("Nadam/m_schedule:0", {});
      for (const std::string& slot : c.slots) {
        sample.add(slot + "_0:0", {2, 2});
        sample.add(slot + "_1:0", {2});
      }
      const FoundState found = sample.find(c.options);
      BOOST_TEST_REQUIRE(found.state.has_value());
      const auto state = found.state->read(sample.file, sample.layout, c.options);
      auto optimizer = daig::optim::make_optimizer(c.options, sample.layout);
      daig::train::restore(state, optimizer.state());  // all that it has, and no more
    }
  }
}

BOOST_AUTO_TEST_CASE(keras_adds_the_steps_of_a_momentum) {
  Sample sample("dense/kernel", "dense/bias");
  sample.add("sgd/iteration", {});
  sample.add("sgd/dense_kernel_momentum", {2, 2});
  sample.add("sgd/dense_bias_momentum", {2});
  const OptimizerOptions sgd{.momentum = 0.5, .momentum_of_steps = true};
  const FoundState found = sample.find(sgd);
  BOOST_TEST_REQUIRE(found.state.has_value());
  const auto state = found.state->read(sample.file, sample.layout, sgd);
  BOOST_TEST(state.arrays.at("momentum_steps") ==
             (std::vector<float>{-0.125F, -0.1875F, -0.25F, -0.3125F, -0.375F, -0.4375F}));
  KerasFile written = sample.file;
  found.state->write(state, sample.layout, written);
  BOOST_CHECK(written.optimizer_weights == sample.file.optimizer_weights);
  // Without momentum, what there is of it does not matter; the steps count.
  BOOST_TEST_REQUIRE(sample.find({}).state.has_value());
  BOOST_TEST(sample.find({}).state->read(sample.file, sample.layout, {}).empty());
}

BOOST_AUTO_TEST_CASE(every_optimizer_has_its_state) {
  struct Case {
    OptimizerOptions options;
    std::vector<std::string> slots;
  };
  for (const Case& c :
       {Case{{.name = "adamw"}, {"momentum", "velocity"}},
        {{.name = "adam", .amsgrad = true}, {"momentum", "velocity", "velocity_hat"}},
        {{.name = "nadam"}, {"momentum", "velocity"}},
        {{.name = "adamax"}, {"momentum", "norm"}},
        {{.name = "adagrad"}, {"accumulator"}},
        {{.name = "rmsprop"}, {"velocity"}},
        {{.name = "rmsprop", .momentum = 0.5}, {"velocity", "momentum"}},
        {{.name = "rmsprop", .centered = true}, {"velocity", "average_gradient"}}}) {
    BOOST_TEST_CONTEXT(c.options.name) {
      Sample sample("dense/kernel", "dense/bias");
      sample.add("o/iteration", {});
      for (const std::string& slot : c.slots) {
        sample.add("o/dense_kernel_" + slot, {2, 2});
        sample.add("o/dense_bias_" + slot, {2});
      }
      if (c.options.name == "nadam") {
        sample.add("variable_7", {});
        sample.file.optimizer_weights.back().values = {0.25F};
      }
      const FoundState found = sample.find(c.options);
      BOOST_TEST_REQUIRE(found.state.has_value());
      const auto state = found.state->read(sample.file, sample.layout, c.options);
      auto optimizer = daig::optim::make_optimizer(c.options, sample.layout);
      daig::train::restore(state, optimizer.state());  // all that it has, and no more
      // After one step of it the file is another, and reads as what was written.
      std::vector<float> weights(6, 1);
      optimizer.update(weights, std::vector<float>(6, 0.5F), 1, 0.5F, weights);
      const auto stepped = daig::train::save(optimizer.state());
      KerasFile written = sample.file;
      found.state->write(stepped, sample.layout, written);
      BOOST_CHECK(written.optimizer_weights != sample.file.optimizer_weights);
      const auto again = found.state->read(written, sample.layout, c.options);
      BOOST_CHECK(again.arrays == stepped.arrays);
    }
  }
}

BOOST_AUTO_TEST_CASE(of_what_is_not_trained_nothing_is_remembered) {
  Sample sample("dense/kernel", "dense/bias");
  sample.add("adam/iteration", {});
  sample.add("adam/dense_bias_momentum", {2});
  sample.add("adam/dense_bias_velocity", {2});
  BOOST_TEST(sample.find(adam).is_strange);
  sample.arrays.front() = nullptr;
  check_adam(sample, {0, 0, 0, 0, 0.125F, 0.1875F}, {0, 0, 0, 0, 0.25F, 0.3125F});
}

BOOST_AUTO_TEST_CASE(nadam_knows_its_schedule) {
  Sample sample("dense/kernel:0", "dense/bias:0");
  sample.add("Nadam/iter:0", {});
  sample.add("Nadam/momentum_cache:0", {});
  for (const char* name : {"kernel/m:0", "kernel/v:0"}) {
    sample.add(std::string("Nadam/dense/") + name, {2, 2});
  }
  for (const char* name : {"bias/m:0", "bias/v:0"}) {
    sample.add(std::string("Nadam/dense/") + name, {2});
  }
  const OptimizerOptions nadam{.name = "nadam", .schedule_decay = 0.5};
  const FoundState found = sample.find(nadam);
  BOOST_TEST_REQUIRE(found.state.has_value());
  auto state = found.state->read(sample.file, sample.layout, nadam);
  BOOST_TEST(state.scalars.at("nadam_momentum_product") == 0.125);
  BOOST_TEST(std::abs(state.scalars.at("nadam_base_power") - std::pow(0.96, 1.5)) < 1e-15);
  state.scalars["nadam_momentum_product"] = 0.0625;
  found.state->write(state, sample.layout, sample.file);
  BOOST_TEST(sample.file.optimizer_weights[1].values.front() == 0.0625F);
}

// As real files of Keras 2.14 have it.
BOOST_AUTO_TEST_CASE(nadam_may_have_forgotten_its_product) {
  Sample sample("dense/kernel:0", "dense/bias:0");
  sample.add("iteration:0", {});
  for (const char* slot : {"m", "v"}) {
    sample.add(std::string("Nadam/") + slot + "/dense/kernel:0", {2, 2});
    sample.add(std::string("Nadam/") + slot + "/dense/bias:0", {2});
  }
  const OptimizerOptions nadam{.name = "nadam"};
  const FoundState found = sample.find(nadam);
  BOOST_TEST_REQUIRE(found.state.has_value());
  const auto state = found.state->read(sample.file, sample.layout, nadam);
  double product = 1;
  for (int step = 1; step <= 3; ++step) product *= 0.9 * (1 - std::pow(0.96, step) / 2);
  BOOST_TEST(std::abs(state.scalars.at("nadam_momentum_product") - product) < 1e-15);
  KerasFile written = sample.file;
  found.state->write(state, sample.layout, written);
  BOOST_CHECK(written.optimizer_weights == sample.file.optimizer_weights);
}

BOOST_AUTO_TEST_CASE(a_counter_may_say_anything) {
  Sample sample("dense/kernel", "dense/bias");
  sample.file.iterations = std::numeric_limits<std::uint64_t>::max();
  for (const char* slot : {"momentum", "velocity"}) {
    sample.add(std::string("adam/dense_kernel_") + slot, {2, 2});
    sample.add(std::string("adam/dense_bias_") + slot, {2});
  }
  const FoundState found = sample.find(adam);
  BOOST_TEST_REQUIRE(found.state.has_value());
  BOOST_TEST(found.state->read(sample.file, sample.layout, adam).scalars.at("adam_beta1_power") ==
             0);
}

BOOST_AUTO_TEST_CASE(half_a_state_is_none) {
  const auto complete = [](Sample& sample) {
    for (const char* slot : {"momentum", "velocity"}) {
      sample.add(std::string("adam/dense_kernel_") + slot, {2, 2});
      sample.add(std::string("adam/dense_bias_") + slot, {2});
    }
  };
  const auto check = [&](const char* what, bool strange, auto&& change) {
    BOOST_TEST_CONTEXT(what) {
      Sample sample("dense/kernel", "dense/bias");
      change(sample);
      const FoundState found = sample.find(adam);
      BOOST_TEST(!found.state.has_value());
      BOOST_TEST(found.is_strange == strange);
    }
  };
  check("none", false, [](Sample&) {});
  check("never trained", false, [](Sample& sample) {
    sample.add("adam/iteration", {});
    sample.add("adam/learning_rate", {});
  });
  check("no counter", true, [&](Sample& sample) {
    complete(sample);
    sample.file.iterations.reset();
  });
  check("one is missing", true, [&](Sample& sample) {
    complete(sample);
    sample.file.optimizer_weights.pop_back();
  });
  check("one too many", true, [&](Sample& sample) {
    complete(sample);
    sample.add("adam/dense_kernel_average", {2, 2});
  });
  check("twice the same", true, [&](Sample& sample) {
    complete(sample);
    sample.add("adam/dense_kernel_momentum", {2, 2});
  });
  check("another shape", true, [&](Sample& sample) {
    complete(sample);
    sample.file.optimizer_weights.front().shape = {4};
  });
  check("another layer's", true, [&](Sample& sample) {
    complete(sample);
    sample.file.optimizer_weights.front().name = "adam/dense_1_kernel_momentum";
  });
  check("no number", true, [&](Sample& sample) {
    complete(sample);
    sample.file.optimizer_weights.front().values.front() = std::numeric_limits<float>::quiet_NaN();
  });
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
