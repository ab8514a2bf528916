#include "run_page.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "printable.hpp"

namespace daig::launcher::plot {
namespace {

constexpr Color blue{59, 117, 175};
constexpr Color orange{226, 112, 24};
constexpr Color green{66, 142, 52};
constexpr Color red{197, 48, 44};
constexpr Color grey{120, 120, 120};

/// Neighbours in it are told apart by those, too, who do not see red and green as two.
constexpr Color palette[] = {{59, 117, 175},  {240, 150, 60},  {96, 170, 92},
                             {200, 72, 66},   {148, 112, 190}, {140, 100, 86},
                             {222, 140, 196}, {190, 188, 70},  {86, 186, 200}};
constexpr Color palette_of_others{176, 176, 176};

constexpr double top = 90;
constexpr double gap = 62;
constexpr double bottom = 58;
constexpr double left = 74;
constexpr double right = 204;
constexpr double chart_height = 230;

/// Whether values so far apart are better seen on a logarithmic axis.
Scale scale_for(double low, double high) {
  return low > 0 && high > 20 * low ? Scale::logarithmic : Scale::linear;
}

/// An axis with some room beyond the values, from 0 on where they come near it.
Axis axis_over(std::vector<double> values) {
  std::erase_if(values, [](double value) { return !std::isfinite(value); });
  if (values.empty()) return {Scale::linear, 0, 1};
  const auto [low, high] = std::ranges::minmax(values);
  if (const Scale scale = scale_for(low, high); scale == Scale::logarithmic) {
    return {scale, low / 1.2, high * 1.2};
  }
  const double room = 0.06 * (high - low);
  const bool from_0 = low >= 0 && low < 0.5 * high;
  return {Scale::linear, from_0 ? 0 : low - room, high + room};
}

Axis step_axis(const RunCurves& curves) {
  return {Scale::linear, 0, static_cast<double>(std::max<std::uint64_t>(curves.steps, 1))};
}

/// Where epochs begin: at most twenty of them.
std::vector<Guide> epoch_guides(const RunCurves& curves, bool labelled) {
  const double epochs = static_cast<double>(curves.steps) / curves.steps_per_epoch();
  const auto stride = static_cast<std::uint64_t>(std::ceil(std::max(epochs / 20, 1.0)));
  std::vector<Guide> guides;
  for (std::uint64_t epoch = stride; static_cast<double>(epoch) < epochs - 1e-9; epoch += stride) {
    const double step = static_cast<double>(epoch) * curves.steps_per_epoch();
    std::string label =
        labelled ? fmt::format("{}{}", guides.empty() ? "epoch " : "", epoch + 1) : std::string();
    guides.push_back({step, std::move(label)});
  }
  return guides;
}

bool each_step_is_seen(const RunCurves& curves) {
  return curves.steps <= CurveCollector::most_fine;
}

/// Every step as a dot, or where there are too many, the range in which they lie.
Series raw(const RunCurves& curves, Color color, double FineBin::*least, double FineBin::*most,
           double factor) {
  Series series{.name = each_step_is_seen(curves) ? "each step" : "range of all steps",
                .look = each_step_is_seen(curves) ? Look::dots : Look::band,
                .color = color.faded(each_step_is_seen(curves) ? 0.45 : 0.25),
                .points = {},
                .width = 1.4};
  for (const FineBin& bin : curves.fine) {
    series.points.push_back({bin.steps.middle(), factor * bin.*most});
    series.lower.push_back(factor * bin.*least);
  }
  return series;
}

Series of_epochs(const RunCurves& curves, const char* name, Color color,
                 double EpochQuality::*value) {
  Series series{.name = name, .look = Look::line_with_dots, .color = color, .points = {}};
  for (const EpochQuality& epoch : curves.epochs) {
    if (std::isfinite(epoch.*value)) series.points.push_back({epoch.step, epoch.*value});
  }
  return series;
}

/// The values that an axis has to show: of the raw ones, all but the outermost hundredths.
std::vector<double> shown_values(const Series& raw, const std::vector<Series>& others) {
  std::vector<double> low = raw.lower;
  std::vector<double> high;
  for (const Point& point : raw.points) high.push_back(point.y);
  for (auto* values : {&low, &high}) {
    std::erase_if(*values, [](double value) { return !std::isfinite(value); });
  }
  std::vector<double> shown{quantile_of(std::move(low), 0.01), quantile_of(std::move(high), 0.99)};
  for (const Series& series : others) {
    for (const Point& point : series.points) shown.push_back(point.y);
  }
  return shown;
}

Chart loss_chart(const RunCurves& curves) {
  Series smooth{.name = "training, smoothed", .color = blue, .points = {}, .width = 2};
  const std::vector<double> means = smoothed_loss(curves.fine);
  for (std::size_t i = 0; i < means.size(); ++i) {
    smooth.points.push_back({curves.fine[i].steps.middle(), means[i]});
  }
  std::vector<Series> series{std::move(smooth)};
  Series validation = of_epochs(curves, "validation", orange, &EpochQuality::val_loss);
  if (!validation.points.empty()) series.push_back(std::move(validation));
  Series steps = raw(curves, blue, &FineBin::least_loss, &FineBin::most_loss, 1);
  const Axis y = axis_over(shown_values(steps, series));
  series.insert(series.begin(), std::move(steps));
  return {.title = "Loss",
          .unit = y.scale() == Scale::logarithmic ? "mean over samples, log scale"
                                                  : "mean over samples",
          .x = step_axis(curves),
          .y = y,
          .guides = epoch_guides(curves, true),
          .series = std::move(series)};
}

/// Nothing where the run knows of no accuracy.
std::vector<Chart> accuracy_charts(const RunCurves& curves) {
  std::vector<Series> series;
  std::vector<double> values;
  for (Series& each :
       std::vector<Series>{of_epochs(curves, "training, each epoch", blue, &EpochQuality::accuracy),
                           of_epochs(curves, "validation", orange, &EpochQuality::val_accuracy)}) {
    if (each.points.empty()) continue;
    for (const Point& point : each.points) values.push_back(point.y);
    series.push_back(std::move(each));
  }
  if (series.empty()) return {};
  const auto [low, high] = std::ranges::minmax(values);
  const double room = std::max(0.1 * (high - low), 0.005);
  return {{.title = "Accuracy",
           .unit = "right, of all samples",
           .x = step_axis(curves),
           .y = {Scale::linear, std::max(low - room, std::min(low, 0.0)),
                 std::min(high + room, std::max(high, 1.0))},
           .percent = true,
           .guides = epoch_guides(curves, false),
           .series = std::move(series)}};
}

Chart time_chart(const RunCurves& curves) {
  double longest = 0;
  for (const CoarseBin& bin : curves.coarse) {
    if (std::isfinite(bin.high_s)) longest = std::max(longest, bin.high_s);
  }
  const bool short_ones = longest < 1;
  const double factor = short_ones ? 1000 : 1;
  Series median{.name = "median", .color = green, .points = {}, .width = 2};
  Series high{.name = fmt::format("{:.0f}% took no longer", 100 * CurveCollector::high_quantile),
              .color = red.faded(0.8),
              .points = {}};
  for (const CoarseBin& bin : curves.coarse) {
    median.points.push_back({bin.steps.middle(), factor * bin.median_s});
    high.points.push_back({bin.steps.middle(), factor * bin.high_s});
  }
  std::vector<Series> series{std::move(high), std::move(median)};
  Series steps = raw(curves, green, &FineBin::least_s, &FineBin::most_s, factor);
  std::vector<double> shown;
  for (const Series& each : series) {
    for (const Point& point : each.points) shown.push_back(point.y);
  }
  const Axis y = axis_over(std::move(shown));
  if (each_step_is_seen(curves)) series.insert(series.begin(), std::move(steps));
  const std::string unit = short_ones ? "milliseconds" : "seconds";
  return {.title = "Step time",
          .unit = y.scale() == Scale::logarithmic ? unit + ", log scale" : unit,
          .x = step_axis(curves),
          .y = y,
          .guides = epoch_guides(curves, false),
          .series = std::move(series)};
}

/// The volunteers that are shown one by one, those who did most, in the order of their ranks.
std::vector<Rank> most_active(const RunCurves& curves) {
  std::vector<std::pair<std::uint64_t, Rank>> counts;
  for (const auto& [rank, batches] : curves.batches) counts.emplace_back(batches, rank);
  std::ranges::stable_sort(counts, [](const auto& a, const auto& b) { return a.first > b.first; });
  constexpr std::size_t most = std::size(palette);
  std::vector<Rank> ranks;
  for (const auto& [batches, rank] : counts) {
    if (ranks.size() < most) ranks.push_back(rank);
  }
  std::ranges::sort(ranks);
  return ranks;
}

std::uint64_t sum_of(const std::map<Rank, std::uint64_t>& batches) {
  std::uint64_t sum = 0;
  for (const auto& [rank, count] : batches) sum += count;
  return sum;
}

/// Bands of steps, the first on top; `others` is what is not shown one by one.
std::vector<Series> share_series(const RunCurves& curves) {
  const std::vector<Rank> ranks = most_active(curves);
  const double total = static_cast<double>(std::max<std::uint64_t>(sum_of(curves.batches), 1));
  std::vector<double> lower(curves.coarse.size(), 1);  // where the next band's upper edge is
  std::vector<Series> series;
  const auto add = [&](std::string name, Color color, auto&& part_of) {
    Series band{.name = std::move(name), .look = Look::band, .color = color, .points = {}};
    for (std::size_t i = 0; i < curves.coarse.size(); ++i) {
      const CoarseBin& bin = curves.coarse[i];
      const double upper = lower[i];
      lower[i] = std::max(upper - part_of(bin, upper), 0.0);
      for (const std::uint64_t step : {bin.steps.first, bin.steps.end}) {
        band.points.push_back({static_cast<double>(step), upper});
        band.lower.push_back(lower[i]);
      }
    }
    series.push_back(std::move(band));
  };
  std::uint64_t shown = 0;
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    const std::uint64_t batches = curves.batches.at(ranks[i]);
    shown += batches;
    add(fmt::format("rank {}: {:.1f}%", ranks[i].value(),
                    100 * static_cast<double>(batches) / total),
        palette[i], [&](const CoarseBin& bin, double /*left*/) {
          const auto found = bin.batches.find(ranks[i]);
          if (found == bin.batches.end()) return 0.0;
          return static_cast<double>(found->second) / static_cast<double>(sum_of(bin.batches));
        });
  }
  if (curves.batches.size() > ranks.size()) {
    const auto rest = static_cast<double>(sum_of(curves.batches) - shown);
    add(fmt::format("{} others: {:.1f}%", curves.batches.size() - ranks.size(), 100 * rest / total),
        palette_of_others, [](const CoarseBin&, double left_over) { return left_over; });
  }
  return series;
}

std::vector<Marks> change_marks(const RunCurves& curves) {
  struct Kind {
    const char* name = "";
    Change change = Change::joined;
    Marks::Sign sign = Marks::Sign::up;
    Color color;
  };
  constexpr Kind kinds[] = {
      {"joined", Change::joined, Marks::Sign::up, {0, 0, 0}},
      {"left", Change::left, Marks::Sign::down, {90, 90, 90}},
      {"lost", Change::lost, Marks::Sign::cross, {0, 0, 0}},
      {"gradient refused", Change::refused, Marks::Sign::down, {150, 0, 0}},
  };
  std::vector<Marks> marks;
  for (const Kind& kind : kinds) {
    const RunCurves::Changes& changed = curves.changed[static_cast<std::size_t>(kind.change)];
    if (changed.count == 0) continue;
    marks.push_back(
        {fmt::format("{}: {}", kind.name, changed.count), kind.sign, kind.color, changed.steps});
  }
  return marks;
}

Chart share_chart(const RunCurves& curves) {
  return {.title = "Who computed the batches",
          .unit = "share of the batches",
          .x = step_axis(curves),
          .y = {Scale::linear, 0, 1},
          .x_label = "step",
          .percent = true,
          .guides = {},
          .series = share_series(curves),
          .marks = change_marks(curves)};
}

}  // namespace

std::vector<Chart> charts_of(const RunCurves& curves) {
  std::vector<Chart> charts{loss_chart(curves)};
  for (Chart& chart : accuracy_charts(curves)) charts.push_back(std::move(chart));
  charts.push_back(time_chart(curves));
  charts.push_back(share_chart(curves));
  return charts;
}

double page_height(const std::vector<Chart>& charts) {
  const auto count = static_cast<double>(charts.size());
  return top + count * chart_height + (count - 1) * gap + bottom;
}

void draw_page(Canvas& canvas, const PageHeader& header, const std::vector<Chart>& charts) {
  canvas.text({left, 26}, printable(header.title, 90),
              {.size = 16, .color = {30, 30, 30}, .bold = true});
  canvas.text({left, 44}, printable(header.subtitle, 150), {.size = 11, .color = grey});
  double y = top;
  for (const Chart& chart : charts) {
    draw(canvas, chart, {left, y, page_width - right, y + chart_height});
    y += chart_height + gap;
  }
}

}  // namespace daig::launcher::plot
