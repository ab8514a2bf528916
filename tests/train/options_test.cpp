#define BOOST_TEST_MODULE options
#include <boost/test/unit_test.hpp>

#include <daig/train/options.hpp>

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
