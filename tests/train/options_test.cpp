#include <functional>

#include <boost/test/unit_test.hpp>

#include <daig/train/options.hpp>

BOOST_AUTO_TEST_SUITE(options_test)

using namespace daig;
using namespace std::chrono_literals;
using train::Options;

BOOST_AUTO_TEST_CASE(heartbeats_fit_into_any_silence_limit) {
  Options options;
  BOOST_TEST((options.heartbeat() == 250ms));
  for (const Duration limit : {Duration(1ms), Duration(1s), Duration(8s), Duration(1min)}) {
    options.silence_limit = limit;
    BOOST_TEST((options.heartbeat() == std::min<Duration>(limit / 8, 1s)));
    BOOST_CHECK_NO_THROW(options.rules(10).check());
  }
}

BOOST_AUTO_TEST_CASE(the_digest_tells_settings_apart_that_ranks_must_share) {
  const Options options;
  BOOST_TEST(options.digest(10) == Options().digest(10));
  BOOST_TEST(options.digest(10) != options.digest(11));
  Options other = options;
  other.k = 5;
  BOOST_TEST(options.digest(10) != other.digest(10));
  other = options;
  other.optimizer.momentum = 0.25;
  BOOST_TEST(options.digest(10) != other.digest(10));
  other = options;
  other.cache_bytes = 1;  // each rank's own affair
  BOOST_TEST(options.digest(10) == other.digest(10));
}

/// Ranks that do not mean the same parameters to be trained must not train together.
BOOST_AUTO_TEST_CASE(what_is_trained_is_a_setting_that_ranks_share) {
  const auto digest_with = [](const std::function<void(model::Layout&)>& change) {
    Options options;
    options.layout.add("kernel", {4});
    options.layout.add("bias", {2});
    change(options.layout);
    return options.digest(options.layout.size());
  };
  const auto as_it_is = digest_with([](model::Layout&) {});
  Options without;
  BOOST_TEST(as_it_is == without.digest(6));
  const auto frozen = digest_with([](model::Layout& layout) { layout.freeze(0); });
  const auto other = digest_with([](model::Layout& layout) { layout.freeze(1); });
  const auto regularised = digest_with([](model::Layout& layout) {
    layout.regularize(0, {0, 0.5});
  });
  BOOST_TEST(frozen != as_it_is);
  BOOST_TEST(frozen != other);
  BOOST_TEST(regularised != as_it_is);
  const auto statistic = [](double kept) {
    Options options;
    options.layout.add_statistic("mean", {6}, kept);
    return options.digest(6);
  };
  BOOST_TEST(statistic(0.5) != statistic(0.75));
}

BOOST_AUTO_TEST_SUITE_END()
