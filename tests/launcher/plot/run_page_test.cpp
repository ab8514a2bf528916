#include "launcher/plot/run_page.hpp"

#include <cmath>
#include <fstream>
#include <iterator>
#include <sstream>

#include <boost/test/unit_test.hpp>
#include <support/temporary_folder.hpp>

#include <daig/core/error.hpp>
#include <daig/core/random.hpp>

#include "launcher/plot/printable.hpp"

BOOST_AUTO_TEST_SUITE(run_page_test)

using namespace daig;
using namespace daig::launcher::plot;

namespace {

/// Keeps what is drawn, and insists that all of it lies on the page.
class Sketch : public Canvas {
 public:
  explicit Sketch(double height) : height_(height) {}

  void line(std::span<const Point> ends, double width, Color /*color*/) override {
    BOOST_CHECK_GT(width, 0);
    look_at(ends);
  }
  void dots(std::span<const Point> centers, double radius, Color /*color*/) override {
    BOOST_CHECK_GT(radius, 0);
    look_at(centers);
  }
  void area(std::span<const Point> outline, Color /*color*/) override { look_at(outline); }
  void text(Point at, std::string_view text, const TextStyle& /*style*/) override {
    look_at({&at, 1});
    texts.emplace_back(text);
  }
  void begin_group(std::string_view name) override {
    ++open_;
    groups.emplace_back(name);
  }
  void end_group() override { --open_; }
  void save(const std::filesystem::path& /*path*/) const override {}

  bool is_closed() const { return open_ == 0; }
  bool has_text(std::string_view text) const {
    return std::ranges::any_of(
        texts, [&](const std::string& each) { return each.find(text) != std::string::npos; });
  }

  std::vector<std::string> texts;
  std::vector<std::string> groups;
  std::size_t points = 0;

 private:
  void look_at(std::span<const Point> seen) {
    points += seen.size();
    for (const Point& point : seen) {
      const bool inside =
          point.x >= 0 && point.x <= page_width && point.y >= 0 && point.y <= height_;
      BOOST_CHECK_MESSAGE(inside, point.x << ", " << point.y << " is not on the page");
    }
  }

  double height_;
  int open_ = 0;
};

/// A run of `volunteers` ranks whose loss sinks, with validation, losses of members and outliers.
RunCurves curves_of(std::uint64_t steps, int volunteers) {
  CurveCollector collector({data::ShardPlan(1000, 10, 4), steps / 25 + 1, 4}, steps);
  Random random(3, Stream::test);
  for (std::uint64_t i = 0; i < steps; ++i) {
    metrics::StepRecord step;
    step.step = StepId{i};
    step.committed_s = random.uniform(0.01, 0.02) + (i % 50 == 7 ? 100 : 0);
    for (int j = 0; j < 4; ++j) {
      const double loss = 3 * std::exp(-5.0 * static_cast<double>(i) / static_cast<double>(steps)) +
                          random.uniform(0, 0.1);
      const auto rank = static_cast<int>(1 + (i + static_cast<std::uint64_t>(j)) %
                                                 static_cast<std::uint64_t>(volunteers));
      step.batches.push_back({Epoch{0}, BatchId{0}, Rank{rank}, 10, 10 * loss, 0.01});
    }
    collector.add(step);
  }
  for (std::int64_t epoch = 0; epoch < static_cast<std::int64_t>(steps / 25); ++epoch) {
    collector.add({0, {"epoch", {{"epoch", epoch}, {"accuracy", 0.5}, {"val_loss", 1.0}}}});
  }
  if (steps > 0) {
    collector.add({0, {"member_lost", {{"step", static_cast<std::int64_t>(steps / 2)}}}});
  }
  return collector.finish();
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_page_names_what_it_shows) {
  const RunCurves curves = curves_of(100, 3);
  const std::vector<Chart> charts = charts_of(curves);
  Sketch sketch(page_height(charts));
  draw_page(sketch, {"the run", "its facts"}, charts);
  BOOST_CHECK(sketch.is_closed());
  for (const char* text :
       {"the run", "its facts", "Loss", "Accuracy", "Step time", "Who computed the batches",
        "each step", "training, smoothed", "validation", "median", "95% took no longer",
        "rank 1: 3", "rank 2: 3", "rank 3: 3", "lost: 1", "epoch 2", "step"}) {
    BOOST_CHECK_MESSAGE(sketch.has_text(text), "nothing says: " << text);
  }
  BOOST_CHECK(!sketch.has_text("joined"));
  BOOST_CHECK(!sketch.has_text("others"));
}

BOOST_AUTO_TEST_CASE(a_run_of_any_length_fits_the_page) {
  for (const std::uint64_t steps : {0U, 1U, 2U, 30U, 1000U, 1001U, 100'000U}) {
    BOOST_TEST_CONTEXT(steps << " steps") {
      const RunCurves curves = curves_of(steps, 40);
      const std::vector<Chart> charts = charts_of(curves);
      BOOST_CHECK_EQUAL(charts.size(), steps < 25 ? 3U : 4U);
      Sketch sketch(page_height(charts));
      draw_page(sketch, {"", ""}, charts);
      BOOST_CHECK(sketch.is_closed());
      BOOST_CHECK_LT(sketch.points, 20'000U);
      BOOST_CHECK_EQUAL(sketch.has_text("others: "), steps > 2);
    }
  }
}

BOOST_AUTO_TEST_CASE(shares_fill_their_chart) {
  const RunCurves curves = curves_of(400, 20);
  const std::vector<Chart> charts = charts_of(curves);
  const Chart& shares = charts.back();
  BOOST_REQUIRE_EQUAL(shares.series.size(), 10U);
  for (std::size_t i = 0; i < shares.series.front().points.size(); ++i) {
    BOOST_CHECK_EQUAL(shares.series.front().points[i].y, 1);
    BOOST_CHECK_SMALL(shares.series.back().lower[i], 1e-9);
    for (std::size_t j = 1; j < shares.series.size(); ++j) {
      BOOST_CHECK_EQUAL(shares.series[j].points[i].y, shares.series[j - 1].lower[i]);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_loss_that_sinks_far_is_shown_on_a_logarithmic_axis) {
  CurveCollector sinks({data::ShardPlan(100, 10, 2), 1, 1}, 10);
  CurveCollector stays({data::ShardPlan(100, 10, 2), 1, 1}, 10);
  for (std::uint64_t i = 0; i < 10; ++i) {
    metrics::StepRecord step;
    step.step = StepId{i};
    step.batches.push_back({Epoch{0}, BatchId{i}, Rank{1}, 10, std::pow(0.3, i), 0.1});
    sinks.add(step);
    step.batches[0].loss_sum = 1 + 0.1 * static_cast<double>(i);
    stays.add(step);
  }
  BOOST_CHECK(charts_of(sinks.finish())[0].y.scale() == Scale::logarithmic);
  BOOST_CHECK(charts_of(stays.finish())[0].y.scale() == Scale::linear);
}

BOOST_AUTO_TEST_CASE(svg_says_what_was_drawn) {
  const test::TemporaryFolder folder;
  const std::unique_ptr<Canvas> canvas = make_svg_canvas(100, 50);
  canvas->begin_group("a & b");
  const Point corners[] = {{0, 0}, {10.04, 5.26}, {-0.001, 7}};
  canvas->line(corners, 1.5, {255, 0, 16});
  canvas->area(corners, {1, 2, 3, 0.5});
  canvas->dots(corners, 2, {0, 0, 0});
  canvas->text({1, 2}, "<\"x\">\x01 \xFF", {.size = 12, .color = {}, .anchor = Anchor::end});
  canvas->text({3, 4}, "up", {.color = {}, .direction = Direction::upwards});
  canvas->end_group();
  canvas->save(folder / "a.svg");
  std::ifstream file(folder / "a.svg");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  for (const char* part :
       {"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"100\" height=\"50\"",
        "<g><title>a &amp; b</title>", "d=\"M0 0L10 5.3L0 7\" fill=\"none\" stroke=\"#ff0010\"",
        "Z\" fill=\"#010203\" fill-opacity=\"0.5\"", "M0 0h0M10 5.3h0M0 7h0",
        "text-anchor=\"end\" fill=\"#000000\">&lt;&quot;x&quot;&gt;? ?</text>",
        "transform=\"rotate(-90 3 4)\">up</text>", "</g>\n</svg>\n"}) {
    BOOST_CHECK_MESSAGE(text.find(part) != std::string::npos, part << " is not in " << text);
  }
  BOOST_CHECK_THROW(canvas->save(folder / "none" / "a.svg"), IoError);
}

BOOST_AUTO_TEST_CASE(texts_are_made_printable) {
  BOOST_CHECK_EQUAL(printable("größe, 数"), "größe, 数");
  BOOST_CHECK_EQUAL(printable("a\tb\x7F-\n"), "a?b?-?");
  BOOST_CHECK_EQUAL(printable("\xC3"), "?");                 // cut short
  BOOST_CHECK_EQUAL(printable("\xC0\xAF"), "??");            // longer than it need be
  BOOST_CHECK_EQUAL(printable("\xED\xA0\x80"), "???");       // a surrogate
  BOOST_CHECK_EQUAL(printable("\xEF\xBF\xBF"), "???");       // U+FFFF
  BOOST_CHECK_EQUAL(printable("\xF4\x90\x80\x80"), "????");  // beyond Unicode
  BOOST_CHECK_EQUAL(printable("\xF0\x9F\x8E\x89"), "\xF0\x9F\x8E\x89");
  BOOST_CHECK_EQUAL(printable("abc", 3), "abc");
  BOOST_CHECK_EQUAL(printable("abcd", 3), "abc…");
  BOOST_CHECK_EQUAL(printable("aößd", 4), "aö…");
}

BOOST_AUTO_TEST_SUITE_END()
