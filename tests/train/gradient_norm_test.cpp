#include <cmath>
#include <limits>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <daig/train/gradient_norm.hpp>

BOOST_AUTO_TEST_SUITE(gradient_norm_test)

using namespace daig;

namespace {

model::Layout with_statistics() {
  model::Layout layout;
  layout.add("kernel", {2});
  layout.add_statistic("mean", {2}, 0.9);
  layout.add("bias", {1});
  return layout;
}

}  // namespace

BOOST_AUTO_TEST_CASE(statistics_do_not_count) {
  const std::vector<float> gradient{3, 0, 1000, -1000, 4};
  BOOST_TEST(train::norm(gradient) > 1000);
  BOOST_TEST(train::norm(gradient, with_statistics()) == 5);
  BOOST_TEST(train::norm(gradient, {}) == train::norm(gradient));
}

BOOST_AUTO_TEST_CASE(what_is_not_finite_shows_wherever_it_is) {
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
        -std::numeric_limits<float>::infinity()}) {
    for (std::size_t i = 0; i < 5; ++i) {
      std::vector<float> gradient(5, 1);
      gradient[i] = bad;
      BOOST_TEST(!std::isfinite(train::norm(gradient, with_statistics())));
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
