#include "run_curves.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include <daig/core/error.hpp>

namespace daig::launcher::plot {
namespace {

constexpr const char* epoch_kind = "epoch";

struct ChangeKind {
  std::string_view event;
  Change change;
};
constexpr std::array<ChangeKind, changes> change_kinds{{{"member_joined", Change::joined},
                                                        {"member_left", Change::left},
                                                        {"member_lost", Change::lost},
                                                        {"gradient_refused", Change::refused}}};

/// All steps, shared out evenly.
template <class Bin>
std::vector<Bin> make_bins(std::uint64_t steps, std::uint64_t count) {
  std::vector<Bin> bins(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    bins[i].steps = {i * steps / count, (i + 1) * steps / count};
  }
  return bins;
}

/// NaN takes no part.
void widen(double& least, double& most, double value) {
  if (!std::isfinite(value)) return;
  least = std::isnan(least) ? value : std::min(least, value);
  most = std::isnan(most) ? value : std::max(most, value);
}

}  // namespace

CurveCollector::CurveCollector(const store::RunPlan& plan, std::uint64_t steps)
    : curves_{.plan = plan, .steps = steps} {
  curves_.fine = make_bins<FineBin>(steps, std::min(steps, most_fine));
  const std::uint64_t coarse =
      std::min((steps + steps_of_coarse - 1) / steps_of_coarse, most_coarse);
  curves_.coarse = make_bins<CoarseBin>(steps, coarse);
}

void CurveCollector::add(const metrics::StepRecord& step) {
  const std::uint64_t number = step.step.value();
  expects(number < curves_.steps, "no more steps than were announced");
  if (number == curves_.fine[fine_].steps.end) ++fine_;
  if (number == curves_.coarse[coarse_].steps.end) ++coarse_;
  FineBin& fine = curves_.fine[fine_];
  const double loss_sum = step.loss_sum();
  const auto samples = static_cast<double>(step.samples());
  if (std::isfinite(loss_sum)) {
    fine.loss_sum += loss_sum;
    fine.samples += samples;
    widen(fine.least_loss, fine.most_loss, loss_sum / samples);
  }
  const double step_s = step.committed_s - step.opened_s;
  widen(fine.least_s, fine.most_s, step_s);

  CoarseBin& coarse = curves_.coarse[coarse_];
  for (const metrics::BatchRecord& batch : step.batches) {
    ++coarse.batches[batch.volunteer];
    ++curves_.batches[batch.volunteer];
  }
  if (std::isfinite(step_s)) times_.push_back(step_s);
  if (number + 1 == coarse.steps.end) close_bin(coarse);
}

void CurveCollector::close_bin(CoarseBin& bin) {
  bin.median_s = quantile_of(times_, 0.5);
  bin.high_s = quantile_of(std::move(times_), high_quantile);
  times_ = {};
}

void CurveCollector::add(const store::LoggedEvent& event) {
  if (event.event.kind == epoch_kind) return add_epoch(event);
  const auto kind = std::ranges::find(change_kinds, event.event.kind, &ChangeKind::event);
  const double step = event.number("step");
  if (kind == change_kinds.end() || !(step >= 0)) return;
  if (kind->change == Change::joined && step == 0) return;  // whom the run began with
  RunCurves::Changes& changed = curves_.changed[static_cast<std::size_t>(kind->change)];
  ++changed.count;
  // Signs on top of each other are one.
  const auto steps = static_cast<double>(curves_.steps);
  const double cell = std::max(steps / 250, 1.0);
  const double place = std::min(std::floor(step / cell) * cell, steps);
  const auto at = std::ranges::lower_bound(changed.steps, place);
  if (at == changed.steps.end() || *at != place) changed.steps.insert(at, place);
}

/// Epochs are counted from where the first event counts from: 0 or 1.
void CurveCollector::add_epoch(const store::LoggedEvent& event) {
  const double number = event.number("epoch");
  if (!(number >= 0 && number <= 1e9)) return;
  if (std::isnan(first_epoch_)) first_epoch_ = number >= 1 ? 1 : 0;
  const auto epoch = static_cast<std::uint64_t>(std::max(number - first_epoch_, 0.0));
  // Of very many, some are kept.
  const std::uint64_t stride = curves_.plan.epochs / most_fine + 1;
  if (epoch >= curves_.plan.epochs || epoch % stride != 0) return;
  const double end = static_cast<double>(epoch + 1) * curves_.steps_per_epoch();
  epochs_[epoch] = {std::min(end, static_cast<double>(curves_.steps)), event.number("accuracy"),
                    event.number("val_loss"), event.number("val_accuracy")};
}

RunCurves CurveCollector::finish() {
  for (const auto& [epoch, quality] : epochs_) curves_.epochs.push_back(quality);
  return std::move(curves_);
}

std::vector<std::string> CurveCollector::event_kinds() {
  std::vector<std::string> kinds{epoch_kind};
  for (const ChangeKind& kind : change_kinds) kinds.emplace_back(kind.event);
  return kinds;
}

std::vector<double> smoothed_loss(std::span<const FineBin> bins) {
  const std::size_t half = std::max<std::size_t>(bins.size() / 50, bins.size() >= 10 ? 1 : 0);
  std::vector<double> means;
  for (std::size_t i = 0; i < bins.size(); ++i) {
    const std::size_t first = i - std::min(i, half);
    const std::size_t end = std::min(i + half + 1, bins.size());
    double loss_sum = 0;
    double samples = 0;
    for (const FineBin& bin : bins.subspan(first, end - first)) {
      loss_sum += bin.loss_sum;
      samples += bin.samples;
    }
    means.push_back(samples > 0 ? loss_sum / samples : no_number);
  }
  return means;
}

double quantile_of(std::vector<double> values, double quantile) {
  if (values.empty()) return no_number;
  const auto rank = std::ceil(quantile * static_cast<double>(values.size()));
  const auto place = static_cast<std::ptrdiff_t>(
      std::clamp(rank - 1, 0.0, static_cast<double>(values.size() - 1)));
  std::ranges::nth_element(values, values.begin() + place);
  return values[static_cast<std::size_t>(place)];
}

}  // namespace daig::launcher::plot
