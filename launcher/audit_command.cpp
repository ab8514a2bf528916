#include <memory>

#include <CLI/CLI.hpp>

#include <daig/core/error.hpp>
#include <daig/store/audit.hpp>

#include "command.hpp"
#include "json.hpp"
#include "outcome.hpp"

namespace daig::launcher {
namespace {

struct AuditSettings {
  std::string run;
  bool unfinished = false;
  bool json = false;
};

std::string_view name_of(store::Fault fault) {
  switch (fault) {
    case store::Fault::damaged:
      return "damaged";
    case store::Fault::missing:
      return "missing";
    case store::Fault::repeated:
      return "repeated";
    case store::Fault::unplanned:
      return "unplanned";
    case store::Fault::wrong_samples:
      return "wrong_samples";
    case store::Fault::wrong_size:
      return "wrong_size";
    case store::Fault::broken_order:
      return "broken_order";
    case store::Fault::wrong_totals:
      return "wrong_totals";
    case store::Fault::foreign_worker:
      return "foreign_worker";
  }
  return "unknown";
}

std::string json_of(const store::AuditReport& report) {
  std::vector<JsonObject> findings;
  for (const store::Finding& finding : report.findings) {
    JsonObject object;
    object.add("fault", name_of(finding.fault)).add("count", finding.count);
    std::vector<JsonObject> examples;
    for (const std::string& example : finding.examples) {
      examples.emplace_back().add("what", example);
    }
    findings.push_back(object.add("examples", examples));
  }
  std::vector<JsonObject> shares;
  for (const store::VolunteerShare& share : report.shares) {
    shares.emplace_back()
        .add("volunteer", share.volunteer.value())
        .add("batches", share.batches)
        .add("samples", share.samples)
        .add("fraction", share.fraction)
        .add("mean_service_s", share.mean_service_s)
        .add("busy_s", share.busy_s)
        .add("redone_batches", share.redone_batches)
        .add("redone_samples", share.redone_samples)
        .add("redone_busy_s", share.redone_busy_s);
  }
  return JsonObject()
      .add("clean", report.clean())
      .add("attempts", report.attempts)
      .add("steps", report.steps)
      .add("batches", report.batches)
      .add("planned_batches", report.plan.batches())
      .add("superseded_steps", report.superseded_steps)
      .add("superseded_batches", report.superseded_batches)
      .add("findings", findings)
      .add("volunteers", shares)
      .text();
}

int audit(const AuditSettings& settings) {
  const store::AuditReport report =
      store::audit(settings.run, settings.unfinished ? store::Unfinished::is_accepted
                                                     : store::Unfinished::is_a_finding);
  std::string text = settings.json ? json_of(report) : store::to_text(report);
  if (!text.ends_with('\n')) text += '\n';
  say(text);
  return static_cast<int>(report.clean() ? ExitCode::success : ExitCode::finding);
}

}  // namespace

void add_audit_command(CLI::App& app, Action& action) {
  auto settings = std::make_shared<AuditSettings>();
  CLI::App* command =
      app.add_subcommand("audit", "Prove from a run's ledger that every batch counts exactly once");
  command->add_option("run", settings->run, "the run's folder")->required()->type_name("FOLDER");
  command->add_flag("--unfinished", settings->unfinished,
                    "the run still goes on or was stopped: work that is left is no finding");
  command->add_flag("--json", settings->json, "one JSON object on stdout");
  command->footer(
      "The exit code is 6 when something is wrong, and the report names the rows. Example:\n"
      "  daig audit runs/20250101-120000");
  command->callback([settings, &action] { action = [settings] { return audit(*settings); }; });
}

}  // namespace daig::launcher
