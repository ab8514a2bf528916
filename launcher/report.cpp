#include "report.hpp"

#include <vector>

#include <fmt/format.h>

#include "json.hpp"
#include "quality_text.hpp"

namespace daig::launcher {

namespace {

std::string text_of(const char* part, const std::optional<train::Quality>& quality) {
  if (!quality) return "";
  return fmt::format("{}: loss {:.4f}{} ({} samples)\n", part, quality->loss,
                     judgements_of(*quality), quality->samples);
}

}  // namespace

std::string text_of(const TrainReport& report) {
  std::string text = text_of("validation", report.validation) + text_of("test", report.test);
  if (report.best_epoch != 0) {
    text += fmt::format("best: epoch {}{}\n", report.best_epoch,
                        report.audit.ended_early ? "; ended early, as it got no better" : "");
  }
  text +=
      fmt::format("trained: {} samples in {:.2f} s, {:.0f} samples/s; {} steps in all\n",
                  report.samples, report.seconds, report.samples_per_second(), report.audit.steps);
  text +=
      fmt::format("{:>10} {:>10} {:>7} {:>15}\n", "volunteer", "batches", "share", "mean service");
  for (const store::VolunteerShare& share : report.audit.shares) {
    text += fmt::format("{:>10} {:>10} {:>6.1f}% {:>12.3f} ms\n", share.volunteer.value(),
                        share.batches, 100 * share.fraction, 1e3 * share.mean_service_s);
  }
  text += fmt::format("audit: {}\n", report.audit.clean() ? "clean" : "NOT clean");
  text += fmt::format("model: {}\n", report.out.string());
  return text + fmt::format("run:   {}\n", report.run_dir.string());
}

std::string json_of(const TrainReport& report) {
  JsonObject json;
  if (report.validation) {
    add_judgements(json, *report.validation, "validation_");
    json.add("validation_loss", report.validation->loss);
  }
  if (report.test) {
    add_judgements(json, *report.test, "test_");
    json.add("test_loss", report.test->loss);
  }
  if (report.best_epoch != 0) json.add("best_epoch", report.best_epoch);
  json.add("ended_early", report.audit.ended_early);
  std::vector<JsonObject> volunteers;
  for (const store::VolunteerShare& share : report.audit.shares) {
    volunteers.emplace_back()
        .add("volunteer", share.volunteer.value())
        .add("batches", share.batches)
        .add("fraction", share.fraction)
        .add("mean_service_s", share.mean_service_s);
  }
  return json.add("steps", report.audit.steps)
      .add("samples", report.samples)
      .add("seconds", report.seconds)
      .add("samples_per_second", report.samples_per_second())
      .add("volunteers", volunteers)
      .add("audit_clean", report.audit.clean())
      .add("run_dir", report.run_dir.string())
      .add("model", report.model.string())
      .add("out", report.out.string())
      .text();
}

}  // namespace daig::launcher
