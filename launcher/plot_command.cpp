#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <daig/core/error.hpp>
#include <daig/store/event_reader.hpp>
#include <daig/store/ledger_reader.hpp>
#include <daig/store/model_file.hpp>
#include <daig/store/run_directory.hpp>
#include <daig/store/whole_file.hpp>

#include "command.hpp"
#include "json.hpp"
#include "outcome.hpp"
#include "plot/run_page.hpp"

namespace daig::launcher {
namespace {

namespace fs = std::filesystem;

struct PlotSettings {
  fs::path run;
  fs::path out;
  bool json = false;
};

using MakeCanvas = std::unique_ptr<plot::Canvas> (*)(double width, double height);

/// What draws files of this kind.
MakeCanvas format_of(const fs::path& out) {
  if (out.extension() == ".svg") return plot::make_svg_canvas;
  if (out.extension() == ".png") return plot::make_png_canvas;
  throw UsageError(
      fmt::format("--out {}: the name says the format: let it end in .svg or .png", out.string()));
}

plot::PageHeader header_of(const PlotSettings& settings, const store::LedgerReader& ledger,
                           const plot::RunCurves& curves) {
  const auto fact = [&](const char* name) {
    const auto found = ledger.configuration().find(name);
    return found == ledger.configuration().end() ? std::string("?") : found->second;
  };
  std::error_code unknown;
  const bool finished = fs::exists(settings.run / store::RunDirectory::model_name, unknown);
  const store::RunPlan& plan = ledger.plan();
  return {fmt::format("{}: {} of {} steps{}",
                      fs::weakly_canonical(settings.run, unknown).filename().string(), curves.steps,
                      curves.planned_steps(), finished ? ", finished" : " so far"),
          fmt::format("{}, {}; {} epochs of {} samples, batches of {}, K = {}", fact("model"),
                      fact("optimizer"), plan.epochs, plan.data.samples(), plan.data.batch_size(),
                      plan.k)};
}

int plot_run(const PlotSettings& settings) {
  const MakeCanvas make_canvas = format_of(settings.out);
  store::LedgerReader ledger(settings.run / store::RunDirectory::ledger_name);
  store::check_writable(settings.out);
  plot::CurveCollector collector(ledger.plan(), ledger.steps());
  while (const auto step = ledger.next()) collector.add(*step);
  const fs::path events_path = settings.run / store::RunDirectory::events_name;
  store::EventReader events(events_path, plot::CurveCollector::event_kinds());
  while (const auto event = events.next()) collector.add(*event);
  const plot::RunCurves curves = collector.finish();

  const std::vector<plot::Chart> charts = plot::charts_of(curves);
  const double height = plot::page_height(charts);
  const std::unique_ptr<plot::Canvas> canvas = make_canvas(plot::page_width, height);
  plot::draw_page(*canvas, header_of(settings, ledger, curves), charts);
  store::write_whole(settings.out, [&](const fs::path& temporary) { canvas->save(temporary); });

  if (events.damaged() > 0) {
    warn(fmt::format("{}: {} damaged line{} left out", events_path.string(), events.damaged(),
                     events.damaged() == 1 ? " is" : "s are"));
  }
  if (settings.json) {
    say(JsonObject()
            .add("out", settings.out.string())
            .add("steps", curves.steps)
            .add("planned_steps", curves.planned_steps())
            .add("volunteers", curves.batches.size())
            .add("charts", charts.size())
            .add("damaged_events", events.damaged())
            .text() +
        "\n");
  } else {
    say(fmt::format("{}: {} of {} steps, {} volunteers\n", settings.out.string(), curves.steps,
                    curves.planned_steps(), curves.batches.size()));
  }
  return 0;
}

}  // namespace

void add_plot_command(CLI::App& app, Action& action) {
  auto settings = std::make_shared<PlotSettings>();
  CLI::App* command = app.add_subcommand(
      "plot", "One page of a run: loss, accuracy, step times, and who contributed what");
  command->add_option("run", settings->run, "the run's folder")->required()->type_name("FOLDER");
  command->add_option("--out", settings->out, "where to draw it; the ending says how")
      ->required()
      ->type_name("FILE.svg|FILE.png");
  command->add_flag("--json", settings->json, "one JSON object on stdout");
  command->footer(
      "The run may be under way, finished, stopped or resumed. Examples:\n"
      "  daig plot runs/20250101-120000 --out run.svg\n"
      "  daig plot runs/20250101-120000 --out run.png");
  command->callback([settings, &action] { action = [settings] { return plot_run(*settings); }; });
}

}  // namespace daig::launcher
