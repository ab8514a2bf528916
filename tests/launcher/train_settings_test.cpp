#define BOOST_TEST_MODULE launcher_train_settings
#include "launcher/train_settings.hpp"

#include <functional>

#include <boost/test/unit_test.hpp>

#include <daig/core/error.hpp>

namespace {

using daig::Rank;
using daig::launcher::check;
using daig::launcher::configuration_of;
using daig::launcher::settings_of;
using daig::launcher::TrainSettings;

TrainSettings unusual() {
  TrainSettings settings;
  settings.data = {"", "/d/x y.npy", "/d/y.npy", "/d/tx.npy", "/d/ty.npy"};
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
  options.schedule = "step:every=10,factor=0.5";
  options.coordinator_trains = true;
  options.cache_bytes = 12345;
  options.silence_limit = std::chrono::milliseconds(2500);
  options.slowdown = {{Rank{1}, 1.5}, {Rank{3}, 20.0}};
  options.optimizer = {"adamw", 0.1, 0.9, true, 0.8, 0.99, 1e-7, true, 0.01};
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
  refused("schedule", [](auto& s) { s.options.schedule = "sometimes"; });
  refused("optimiser", [](auto& s) { s.options.optimizer.name = "best"; });
  refused("momentum", [](auto& s) { s.options.optimizer = {"adam", 0.1, 0.9}; });
}

}  // namespace
