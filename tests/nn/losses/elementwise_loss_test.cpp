#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <daig/nn/losses/elementwise_loss.hpp>

#include "loss_check.hpp"

BOOST_AUTO_TEST_SUITE(elementwise_loss_test)

namespace {

using namespace daig::nn;
using test::close;
using Kind = ElementLoss::Kind;

test::Computed compute(const ElementLoss& loss, const std::vector<double>& outputs,
                       std::size_t columns, const std::vector<double>& targets) {
  return test::compute(ElementwiseLoss<double>(loss), outputs, columns, {{}, targets});
}

/// Of one output.
double loss_of(const ElementLoss& loss, double output, double target) {
  return compute(loss, {output}, 1, {target}).loss.loss_sum;
}

double slope_of(const ElementLoss& loss, double output, double target) {
  return compute(loss, {output}, 1, {target}).delta[0];
}

}  // namespace

BOOST_AUTO_TEST_CASE(derivatives_agree_with_differences) {
  const std::vector<double> any = test::random_values(15, 1);
  for (const ElementLoss& loss :
       {ElementLoss{Kind::squared_error}, ElementLoss{Kind::absolute_error},
        ElementLoss{Kind::absolute_percentage_error}, ElementLoss{Kind::huber, 0.7},
        ElementLoss{Kind::log_cosh}, ElementLoss{Kind::hinge}, ElementLoss{Kind::squared_hinge}}) {
    BOOST_TEST_CONTEXT(name(loss.kind)) {
      test::check_derivative(ElementwiseLoss<double>(loss), test::random_values(15, 2), 3,
                             {{}, any});
    }
  }
  const std::vector<double> positive = test::random_probabilities(15, 3);
  for (const Kind kind : {Kind::squared_logarithmic_error, Kind::poisson, Kind::kl_divergence}) {
    BOOST_TEST_CONTEXT(name(kind)) {
      test::check_derivative(ElementwiseLoss<double>({kind}), test::random_probabilities(15, 4), 3,
                             {{}, positive});
    }
  }
}

BOOST_AUTO_TEST_CASE(means_over_outputs_and_sums_over_samples) {
  const auto [loss, delta] = compute({}, {1, 2, 3, 4}, 2, {0, 4, 3, 3});
  BOOST_TEST(loss.loss_sum == 3);  // (1 + 4) / 2 + (0 + 1) / 2
  BOOST_TEST(loss.correct == 0U);
  BOOST_TEST(delta == (std::vector<double>{1, -2, 0, 1}));
}

BOOST_AUTO_TEST_CASE(values_by_hand) {
  BOOST_TEST(loss_of({Kind::absolute_error}, 1, 4) == 3);
  BOOST_TEST(loss_of({Kind::absolute_percentage_error}, 3, -4) == 175);
  BOOST_TEST(close(loss_of({Kind::squared_logarithmic_error}, 3, 1), std::pow(std::log(2), 2)));
  BOOST_TEST(loss_of({Kind::huber, 2}, 5, 4) == 0.5);
  BOOST_TEST(loss_of({Kind::huber, 2}, 9, 4) == 8);  // 2 (5 - 1)
  BOOST_TEST(close(loss_of({Kind::log_cosh}, 1, 3), std::log(std::cosh(2.0))));
  BOOST_TEST(close(loss_of({Kind::poisson}, 2, 3), 2 - 3 * std::log(2 + 1e-7)));
  BOOST_TEST(loss_of({Kind::hinge}, 0.25, 1) == 0.75);
  BOOST_TEST(loss_of({Kind::hinge}, 2, 1) == 0);
  BOOST_TEST(loss_of({Kind::squared_hinge}, 3, -1) == 16);
}

BOOST_AUTO_TEST_CASE(a_hinge_reads_the_target_0_as_the_other_side) {
  for (const Kind kind : {Kind::hinge, Kind::squared_hinge}) {
    BOOST_TEST(loss_of({kind}, 0.5, 0) == loss_of({kind}, 0.5, -1));
  }
}

BOOST_AUTO_TEST_CASE(the_divergence_sums_over_outputs_and_clips) {
  const auto [loss, delta] = compute({Kind::kl_divergence}, {0.25, 0.75, 0, 2}, 2, {1, 0, 0.5, 1});
  const double clipped = 1e-7 * std::log(1e-7 / 0.75);
  BOOST_TEST(close(loss.loss_sum, std::log(4) + clipped + 0.5 * std::log(0.5 / 1e-7)));
  BOOST_TEST(close(delta[0], -4));
  BOOST_TEST(delta[2] == 0);  // below what an output is clipped to
  BOOST_TEST(delta[3] == 0);
}

BOOST_AUTO_TEST_CASE(what_is_not_smooth_has_the_slope_0_in_the_middle) {
  for (const Kind kind : {Kind::absolute_error, Kind::absolute_percentage_error}) {
    BOOST_TEST(slope_of({kind}, 2, 2) == 0);
  }
  BOOST_TEST(slope_of({Kind::squared_logarithmic_error}, -1, 2) == 0);
}

BOOST_AUTO_TEST_CASE(large_errors_do_not_overflow) {
  BOOST_TEST(close(loss_of({Kind::log_cosh}, 1000, 0), 1000 - std::log(2)));
  BOOST_TEST(slope_of({Kind::log_cosh}, 1000, 0) == 1);
}

BOOST_AUTO_TEST_CASE(what_is_no_number_is_not_hidden) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const auto& [kind, its_name] : detail::element_loss_names) {
    BOOST_TEST_CONTEXT(its_name) {
      BOOST_TEST(std::isnan(loss_of({kind}, nan, 0.5)));
    }
  }
}

BOOST_AUTO_TEST_CASE(targets_of_another_size_are_refused) {
  BOOST_CHECK_THROW(compute({}, {1, 2, 3, 4}, 2, {0, 4}), daig::ContractViolation);
}

BOOST_AUTO_TEST_CASE(it_takes_targets_and_judges_distributions_alone) {
  for (const auto& [kind, its_name] : detail::element_loss_names) {
    const ElementwiseLoss<double> loss({kind});
    BOOST_TEST(loss.name() == its_name);
    BOOST_TEST(loss.takes(LabelKind::targets));
    BOOST_TEST(!loss.takes(LabelKind::classes));
    BOOST_TEST((loss.accuracy() == Accuracy::categorical) == (kind == Kind::kl_divergence));
  }
}

BOOST_AUTO_TEST_SUITE_END()
