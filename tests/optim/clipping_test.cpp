#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <daig/optim/adam.hpp>
#include <daig/optim/clipping.hpp>
#include <daig/optim/make_optimizer.hpp>
#include <daig/optim/sgd.hpp>

#include "optimizer_check.hpp"

BOOST_AUTO_TEST_SUITE(clipping_test)

namespace {

using namespace daig::optim;
using daig::UsageError;

static_assert(Optimizer<Clipping>);

Clipping clipped_sgd(const ClippingOptions& options, std::vector<Range> arrays, std::size_t size) {
  return Clipping(options, std::move(arrays), size, AnyOptimizer(Sgd({}, size)));
}

/// What SGD at rate 1 is given: the clipped gradient.
std::vector<float> clip(const ClippingOptions& options, std::vector<Range> arrays,
                        const std::vector<float>& gradient_sum, float scale) {
  std::vector<float> weights(gradient_sum.size());
  clipped_sgd(options, std::move(arrays), weights.size())
      .update(weights, gradient_sum, scale, 1, weights);
  for (float& weight : weights) weight = -weight;
  return weights;
}

BOOST_AUTO_TEST_CASE(by_hand) {
  // The mean gradient is (3, 4 | 0, 6, 8 | 12): norms 5, 10, 12; of the first two together
  // sqrt(125), of all sqrt(269). All values are exact in binary.
  const std::vector<float> sum{6, 8, 0, 12, 16, 24};
  const std::vector<Range> arrays{{0, 2}, {2, 3}, {5, 1}};
  const std::vector<float> mean{3, 4, 0, 6, 8, 12};
  BOOST_TEST(clip({.value = 5}, arrays, sum, 0.5F) == (std::vector<float>{3, 4, 0, 5, 5, 5}));
  BOOST_TEST(clip({.value = 5}, arrays, {-16, 2, 0, 0, -10, 9}, 0.5F) ==
             (std::vector<float>{-5, 1, 0, 0, -5, 4.5F}));
  BOOST_TEST(clip({.norm = 5}, arrays, sum, 0.5F) == (std::vector<float>{3, 4, 0, 3, 4, 5}));
  BOOST_TEST(clip({.norm = 12}, arrays, sum, 0.5F) == mean);
  BOOST_TEST(clip({.global_norm = 17}, arrays, sum, 0.5F) == mean);
  const std::vector<float> global = clip({.global_norm = 1}, arrays, sum, 0.5F);
  for (std::size_t i = 0; i < mean.size(); ++i) {
    BOOST_TEST(std::abs(global[i] - mean[i] / std::sqrt(269.0)) < 1e-6);
  }
}

BOOST_AUTO_TEST_CASE(what_is_in_no_array_is_neither_clipped_nor_counted) {
  const std::vector<float> gradient{100, 3, 4, 100};
  for (const ClippingOptions& options : {ClippingOptions{.norm = 5}, {.global_norm = 5}}) {
    BOOST_TEST(clip(options, {{1, 2}}, gradient, 1) == gradient);
  }
  BOOST_TEST(clip({.value = 1}, {{1, 2}}, gradient, 1) == (std::vector<float>{100, 1, 1, 100}));
  BOOST_TEST(clip({.global_norm = 2.5}, {{1, 2}}, gradient, 1) ==
             (std::vector<float>{100, 1.5F, 2, 100}));
}

BOOST_AUTO_TEST_CASE(norms_agree_with_a_naive_sum) {
  for (const std::size_t size : {0U, 1U, 7U, 8U, 9U, 1001U}) {
    const std::vector<float> values = test::random_values(size, 3);
    double naive = 0;
    for (const float value : values)
      naive += static_cast<double>(value) * static_cast<double>(value);
    BOOST_TEST(std::abs(detail::squared_norm(values) - naive) <= 1e-12 * naive);
  }
  // Beyond what a float's square can hold.
  BOOST_TEST(detail::squared_norm(std::vector<float>{1e30F, 1e30F}) > 1.9e60);
}

BOOST_AUTO_TEST_CASE(no_number_stays_none) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const ClippingOptions& options :
       {ClippingOptions{.value = 1}, {.norm = 1}, {.global_norm = 1}}) {
    BOOST_TEST(std::isnan(clip(options, {{0, 2}}, {nan, 1}, 1)[0]));
  }
}

BOOST_AUTO_TEST_CASE(in_place_restore_lengths) {
  for (const ClippingOptions& options :
       {ClippingOptions{.value = 0.1}, {.norm = 0.2}, {.global_norm = 0.2}}) {
    const auto make = [&](std::size_t size) {
      return Clipping(options, {{0, size / 2}, {size / 2, size - size / 2}}, size,
                      AnyOptimizer(Adam({}, size)));
    };
    test::check_in_place(make);
    test::check_restore(make, true);
    test::check_contract(make);
  }
}

BOOST_AUTO_TEST_CASE(is_made_for_the_arrays_of_a_layout) {
  daig::model::Layout layout;
  layout.add("a/kernel", {1, 2});
  layout.add("a/bias", {3});
  const std::vector<float> gradient{3, 4, 0, 6, 8};
  const auto made = [&](const OptimizerOptions& options) {
    std::vector<float> weights(5);
    make_optimizer(options, layout).update(weights, gradient, 1, 1, weights);
    return weights;
  };
  BOOST_TEST(made({.clip_norm = 2.5}) == (std::vector<float>{-1.5F, -2, 0, -1.5F, -2}));
  BOOST_TEST(made({.clip_value = 5}) == (std::vector<float>{-3, -4, 0, -5, -5}));
  std::vector<float> weights(5);
  make_optimizer({.global_clip_norm = 1}, layout).update(weights, gradient, 1, 1, weights);
  BOOST_TEST(std::abs(detail::squared_norm(weights) - 1) < 1e-6);
}

BOOST_AUTO_TEST_CASE(nonsense_is_refused_by_name) {
  const auto refused = [](const ClippingOptions& options, const std::string& named) {
    BOOST_CHECK_EXCEPTION(clipped_sgd(options, {}, 1), UsageError, [&](const UsageError& error) {
      return std::string(error.what()).find(named) != std::string::npos;
    });
  };
  refused({.value = -1}, "clip value -1");
  refused({.norm = std::numeric_limits<double>::quiet_NaN()}, "clip norm nan");
  refused({.global_norm = std::numeric_limits<double>::infinity()}, "global clip norm inf");
  refused({.value = 1, .norm = 1}, "exclude each other");
  BOOST_CHECK_THROW(clipped_sgd({.value = 1}, {{1, 3}}, 3), daig::ContractViolation);
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
