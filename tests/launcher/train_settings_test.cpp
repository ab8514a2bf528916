#include "launcher/train_settings.hpp"

#include <functional>
#include <string>
#include <type_traits>

#include <boost/test/unit_test.hpp>

#include <daig/core/error.hpp>

BOOST_AUTO_TEST_SUITE(train_settings_test)

namespace {

using daig::Rank;
using daig::launcher::check;
using daig::launcher::configuration_of;
using daig::launcher::settings_of;
using daig::launcher::TrainSettings;

TrainSettings unusual() {
  TrainSettings settings;
  settings.data = {"",
                   {"/d/x y.npy", "/d/z-*.npy"},
                   {"/d/y.npz:a"},
                   {"/d/tx.npy"},
                   {"/d/ty.npy"},
                   {"/d/vx.h5:/x"},
                   {"/d/vy.npy"},
                   0.1,
                   "1/255"};
  settings.model = "mlp:3-2";
  settings.snapshot_every = 17;
  settings.keep_snapshots = 3;
  settings.out = "/o/m.h5";
  daig::train::Options& options = settings.options;
  options.k = 9;
  options.batch_size = 11;
  options.epochs = 13;
  options.shards = 5;
  options.balance = 1.0 / 3;
  options.seed = 0xFFFFFFFFFFFFFFFF;
  options.shuffle_seed = 0;
  options.schedule = "step:every=10,factor=0.5";
  options.coordinator_trains = true;
  options.cache_bytes = 12345;
  options.nice = 7;
  options.silence_limit = std::chrono::milliseconds(2500);
  options.slowdown = {{Rank{1}, 1.5}, {Rank{3}, 20.0}};
  options.optimizer = {"adamw", 0.1, 0.9,  true, 0.8,  0.99,  1e-7, true, 0.01, true,
                       true,    0.7, true, 0.2,  true, 0.004, true, 0.5,  0.6,  0.7};
  settings.keras_state = true;
  return settings;
}

BOOST_AUTO_TEST_CASE(settings_survive_the_ledger) {
  for (const TrainSettings& settings : {TrainSettings{}, unusual()}) {
    const auto configuration = configuration_of(settings);
    const TrainSettings read = settings_of(configuration, "ledger");
    BOOST_CHECK(configuration_of(read) == configuration);
    BOOST_CHECK(read.options.digest(7) == settings.options.digest(7));
    BOOST_CHECK(read.options.slowdown == settings.options.slowdown);
    BOOST_CHECK(read.options.silence_limit == settings.options.silence_limit);
    BOOST_CHECK(read.data.data == settings.data.data);
    BOOST_CHECK(read.keep_snapshots == settings.keep_snapshots);
    BOOST_CHECK(read.data.scale == settings.data.scale);
    BOOST_TEST(read.data.validation_split == settings.data.validation_split);
    BOOST_CHECK(read.options.shuffle_seed == settings.options.shuffle_seed);
    BOOST_CHECK(read.keras_state == settings.keras_state);
  }
}

/// Each of them, changed alone, is kept, and tells the settings apart.
BOOST_AUTO_TEST_CASE(every_option_of_an_optimizer_counts) {
  const TrainSettings usual;
  std::size_t options = 0;
  daig::optim::OptimizerOptions shown;
  daig::optim::visit_options(shown, [&](const char*, auto&) { ++options; });
  BOOST_TEST(options == 20U);
  for (std::size_t changed = 0; changed < options; ++changed) {
    TrainSettings settings;
    std::size_t at = 0;
    std::string name;
    daig::optim::visit_options(settings.options.optimizer, [&](const char* option, auto& value) {
      if (at++ != changed) return;
      name = option;
      if constexpr (std::is_same_v<std::remove_cvref_t<decltype(value)>, std::string>) {
        value = "adam";
      } else if constexpr (std::is_same_v<std::remove_cvref_t<decltype(value)>, bool>) {
        value = !value;
      } else {
        value += 0.125;
      }
    });
    BOOST_TEST_CONTEXT(name) {
      BOOST_TEST(settings.options.digest(7) != usual.options.digest(7));
      const TrainSettings read = settings_of(configuration_of(settings), "ledger");
      BOOST_TEST(read.options.digest(7) == settings.options.digest(7));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_damaged_ledger_is_named) {
  const auto refused = [](const std::string& name, const std::string& value) {
    auto configuration = configuration_of(unusual());
    configuration[name] = value;
    if (value == "(gone)") configuration.erase(name);
    BOOST_CHECK_EXCEPTION(settings_of(configuration, "L"), daig::InputError,
                          [&](const daig::InputError& error) {
                            const std::string text = error.what();
                            return text.starts_with("L: ") && text.find(name) != std::string::npos;
                          });
  };
  refused("k", "(gone)");
  refused("k", "many");
  refused("k", "-1");
  refused("k", "99999999999999999999999");
  refused("learning_rate", "0.1x");
  refused("slow", "1:");
  refused("slow", "nonsense");
  refused("shuffle_seed", "some");
  refused("validation_split", "half");
}

BOOST_AUTO_TEST_CASE(settings_that_make_no_sense_by_themselves) {
  check(TrainSettings{});
  const auto refused = [](const char* mention, const std::function<void(TrainSettings&)>& spoil) {
    TrainSettings settings;
    spoil(settings);
    BOOST_CHECK_EXCEPTION(check(settings), daig::UsageError, [&](const daig::UsageError& error) {
      return std::string(error.what()).find(mention) != std::string::npos;
    });
  };
  refused("--k", [](auto& s) { s.options.k = 0; });
  refused("--batch-size", [](auto& s) { s.options.batch_size = 0; });
  refused("--epochs", [](auto& s) { s.options.epochs = 0; });
  refused("--epochs", [](auto& s) { s.options.epochs = std::uint64_t{1} << 33; });
  refused("--balance", [](auto& s) { s.options.balance = 1.5; });
  refused("--balance", [](auto& s) { s.options.balance = std::nan(""); });
  refused("--slow", [](auto& s) { s.options.slowdown[Rank{1}] = 0.5; });
  refused("--silence-limit", [](auto& s) { s.options.silence_limit = daig::Duration(1); });
  refused("--orphan-limit", [](auto& s) { s.options.orphan_limit = s.options.silence_limit; });
  refused("--norm-factor", [](auto& s) { s.options.norm_factor = 1; });
  refused("--scale", [](auto& s) { s.data.scale = "1/0"; });
  refused("schedule", [](auto& s) { s.options.schedule = "sometimes"; });
  refused("optimiser", [](auto& s) { s.options.optimizer.name = "best"; });
  refused("momentum", [](auto& s) { s.options.optimizer = {"adam", 0.1, 0.9}; });
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
