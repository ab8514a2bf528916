#include "launcher/plot/run_curves.hpp"

#include <cmath>
#include <numeric>

#include <boost/test/unit_test.hpp>

#include <daig/core/error.hpp>
#include <daig/core/random.hpp>

BOOST_AUTO_TEST_SUITE(run_curves_test)

using namespace daig;
using namespace daig::launcher::plot;

namespace {

/// One batch of ten samples a step, ten batches an epoch.
store::RunPlan plan_of(std::uint64_t epochs) {
  return {data::ShardPlan(100, 10, 2), epochs, 1};
}

metrics::StepRecord step_of(std::uint64_t number, double mean_loss, double step_s, int rank = 1) {
  metrics::StepRecord step;
  step.step = StepId{number};
  step.opened_s = static_cast<double>(number);
  step.committed_s = step.opened_s + step_s;
  step.batches.push_back({Epoch{static_cast<Epoch::rep>(number / 10)}, BatchId{number % 10},
                          Rank{rank}, 10, 10 * mean_loss, step_s});
  return step;
}

store::LoggedEvent event_of(const char* kind, metrics::Fields fields) {
  return {0, {kind, std::move(fields)}};
}

template <class Bins>
void check_cover(const Bins& bins, std::uint64_t steps) {
  std::uint64_t next = 0;
  for (const auto& bin : bins) {
    BOOST_CHECK_EQUAL(bin.steps.first, next);
    BOOST_CHECK_LT(bin.steps.first, bin.steps.end);
    next = bin.steps.end;
  }
  BOOST_CHECK_EQUAL(next, steps);
}

}  // namespace

BOOST_AUTO_TEST_CASE(bins_hold_what_their_steps_say) {
  for (const std::uint64_t steps : {0U, 1U, 2U, 4U, 5U, 6U, 999U, 1000U, 1001U, 2500U}) {
    BOOST_TEST_CONTEXT(steps << " steps") {
      CurveCollector collector(plan_of(300), steps);
      Random random(7, Stream::test);
      std::vector<double> losses;
      std::vector<double> times;
      for (std::uint64_t i = 0; i < steps; ++i) {
        losses.push_back(random.uniform(0, 3));
        times.push_back(random.uniform(0, 1));
        collector.add(step_of(i, losses.back(), times.back(), 1 + static_cast<int>(i % 3)));
      }
      const RunCurves curves = collector.finish();
      BOOST_CHECK_EQUAL(curves.steps, steps);
      BOOST_CHECK_LE(curves.fine.size(), CurveCollector::most_fine);
      BOOST_CHECK_LE(curves.coarse.size(), CurveCollector::most_coarse);
      check_cover(curves.fine, steps);
      check_cover(curves.coarse, steps);
      const auto part = [](const std::vector<double>& values, StepRange range) {
        return std::vector<double>(values.begin() + static_cast<std::ptrdiff_t>(range.first),
                                   values.begin() + static_cast<std::ptrdiff_t>(range.end));
      };
      for (const FineBin& bin : curves.fine) {
        const auto loss = part(losses, bin.steps);
        BOOST_CHECK_CLOSE(bin.loss_sum, 10 * std::reduce(loss.begin(), loss.end()), 1e-9);
        BOOST_CHECK_EQUAL(bin.samples, 10 * static_cast<double>(loss.size()));
        BOOST_CHECK_CLOSE(bin.least_loss, std::ranges::min(loss), 1e-9);
        BOOST_CHECK_CLOSE(bin.most_loss, std::ranges::max(loss), 1e-9);
        BOOST_CHECK_SMALL(bin.most_s - std::ranges::max(part(times, bin.steps)), 1e-9);
      }
      std::uint64_t batches = 0;
      for (const CoarseBin& bin : curves.coarse) {
        auto sorted = part(times, bin.steps);
        std::ranges::sort(sorted);
        BOOST_CHECK_SMALL(bin.median_s - sorted[(sorted.size() + 1) / 2 - 1], 1e-9);
        BOOST_CHECK_LE(bin.median_s, bin.high_s);
        for (const auto& [rank, count] : bin.batches) batches += count;
      }
      BOOST_CHECK_EQUAL(batches, steps);
      BOOST_CHECK_EQUAL(curves.batches.size(), std::min<std::uint64_t>(steps, 3));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_long_run_stays_small) {
  constexpr std::uint64_t steps = 1'000'000;
  CurveCollector collector(plan_of(steps / 10), steps);
  for (std::uint64_t i = 0; i < steps; ++i) collector.add(step_of(i, 1, 0.5));
  for (std::uint64_t i = 0; i < steps / 10; ++i) {
    collector.add(event_of("epoch", {{"epoch", static_cast<std::int64_t>(i)}, {"val_loss", 0.5}}));
    collector.add(event_of("member_lost", {{"step", static_cast<std::int64_t>(i)}}));
  }
  const RunCurves curves = collector.finish();
  BOOST_CHECK_EQUAL(curves.fine.size(), CurveCollector::most_fine);
  BOOST_CHECK_EQUAL(curves.coarse.size(), CurveCollector::most_coarse);
  BOOST_CHECK_LE(curves.epochs.size(), CurveCollector::most_fine);
  BOOST_CHECK_GE(curves.epochs.size(), CurveCollector::most_fine / 2);
  const auto& lost = curves.changed[static_cast<std::size_t>(Change::lost)];
  BOOST_CHECK_EQUAL(lost.count, steps / 10);
  BOOST_CHECK_LE(lost.steps.size(), 250U);
}

BOOST_AUTO_TEST_CASE(what_is_no_number_leaves_a_gap) {
  CurveCollector collector(plan_of(1), 3);
  const double nan = std::nan("");
  collector.add(step_of(0, 2, 0.25));
  collector.add(step_of(1, nan, nan));
  collector.add(step_of(2, 4, 0.75));
  const RunCurves curves = collector.finish();
  BOOST_REQUIRE_EQUAL(curves.fine.size(), 3U);
  BOOST_CHECK(std::isnan(curves.fine[1].least_loss));
  BOOST_CHECK(std::isnan(curves.fine[1].most_s));
  const std::vector<double> smooth = smoothed_loss(curves.fine);
  BOOST_CHECK_EQUAL(smooth[0], 2);
  BOOST_CHECK(std::isnan(smooth[1]));
  BOOST_CHECK_EQUAL(smooth[2], 4);
}

BOOST_AUTO_TEST_CASE(smoothing_weighs_samples_in_a_window) {
  std::vector<FineBin> bins(200);
  for (std::size_t i = 0; i < bins.size(); ++i) {
    bins[i].samples = static_cast<double>(1 + i % 3);
    bins[i].loss_sum = static_cast<double>(i * i % 17);
  }
  const std::vector<double> smooth = smoothed_loss(bins);
  BOOST_REQUIRE_EQUAL(smooth.size(), bins.size());
  for (std::size_t i = 0; i < bins.size(); ++i) {
    double sum = 0;
    double samples = 0;
    for (std::size_t j = 0; j < bins.size(); ++j) {
      if (j + 4 < i || j > i + 4) continue;  // a fiftieth on either side
      sum += bins[j].loss_sum;
      samples += bins[j].samples;
    }
    BOOST_CHECK_CLOSE(smooth[i], sum / samples, 1e-9);
  }
}

BOOST_AUTO_TEST_CASE(a_quantile_is_one_of_the_values) {
  BOOST_CHECK(std::isnan(quantile_of({}, 0.5)));
  BOOST_CHECK_EQUAL(quantile_of({3}, 0.95), 3);
  BOOST_CHECK_EQUAL(quantile_of({4, 1, 3, 2}, 0.5), 2);
  BOOST_CHECK_EQUAL(quantile_of({4, 1, 3, 2}, 0.75), 3);
  BOOST_CHECK_EQUAL(quantile_of({4, 1, 3, 2}, 0.76), 4);
  BOOST_CHECK_EQUAL(quantile_of({4, 1, 3, 2}, 1), 4);
  BOOST_CHECK_EQUAL(quantile_of({4, 1, 3, 2}, 0), 1);
}

BOOST_AUTO_TEST_CASE(epochs_are_counted_as_their_first_event_counts) {
  for (const std::int64_t first : {0, 1}) {
    CurveCollector collector(plan_of(3), 25);
    const auto add = [&](std::int64_t epoch, double val_loss) {
      collector.add(event_of("epoch", {{"epoch", first + epoch},
                                       {"accuracy", 0.5},
                                       {"val_loss", val_loss},
                                       {"val_accuracy", std::nan("")}}));
    };
    add(0, 3);
    add(1, 9);
    add(1, 2);  // done again, after a resume
    add(2, 1);
    add(3, 7);   // there is no such epoch
    add(-5, 7);  // nor such a one
    collector.add(event_of("epoch", {{"val_loss", 7.0}}));
    const RunCurves curves = collector.finish();
    BOOST_REQUIRE_EQUAL(curves.epochs.size(), 3U);
    for (std::size_t i = 0; i < 3; ++i) {
      BOOST_CHECK_EQUAL(curves.epochs[i].val_loss, 3 - static_cast<double>(i));
      BOOST_CHECK_EQUAL(curves.epochs[i].accuracy, 0.5);
      BOOST_CHECK(std::isnan(curves.epochs[i].val_accuracy));
    }
    BOOST_CHECK_EQUAL(curves.epochs[0].step, 10);
    BOOST_CHECK_EQUAL(curves.epochs[2].step, 25);  // the ledger does not know of more
  }
}

BOOST_AUTO_TEST_CASE(changes_lie_at_their_steps) {
  CurveCollector collector(plan_of(3), 20);
  for (const std::int64_t step : {7, 3, 7, 90}) {
    collector.add(event_of("member_lost", {{"step", step}}));
  }
  collector.add(event_of("member_joined", {{"step", std::int64_t{4}}}));
  collector.add(event_of("member_joined", {}));
  collector.add(event_of("member_joined", {{"step", std::int64_t{0}}}));  // at the start
  collector.add(event_of("something_else", {{"step", std::int64_t{4}}}));
  const RunCurves curves = collector.finish();
  const auto& lost = curves.changed[static_cast<std::size_t>(Change::lost)];
  BOOST_CHECK_EQUAL(lost.count, 4U);
  const std::vector<double> expected{3, 7, 20};
  BOOST_TEST(lost.steps == expected, boost::test_tools::per_element());
  BOOST_CHECK_EQUAL(curves.changed[static_cast<std::size_t>(Change::joined)].count, 1U);
  BOOST_CHECK_EQUAL(curves.changed[static_cast<std::size_t>(Change::left)].count, 0U);
}

BOOST_AUTO_TEST_CASE(more_steps_than_announced_are_a_bug) {
  CurveCollector collector(plan_of(1), 1);
  collector.add(step_of(0, 1, 1));
  BOOST_CHECK_THROW(collector.add(step_of(1, 1, 1)), ContractViolation);
}

BOOST_AUTO_TEST_SUITE_END()
