#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include <daig/store/audit.hpp>
#include <daig/store/run_directory.hpp>

#include "ledger_schema.hpp"
#include "sqlite.hpp"

namespace daig::store {

namespace {

constexpr std::size_t max_examples = 5;

/// Gathers findings: one a fault, with a bounded number of examples.
class Findings {
 public:
  template <class... Args>
  void add(Fault fault, std::uint64_t count, fmt::format_string<Args...> format, Args&&... args) {
    const auto same = [&](const Finding& known) { return known.fault == fault; };
    auto found = std::find_if(findings_.begin(), findings_.end(), same);
    if (found == findings_.end()) found = findings_.insert(found, Finding{fault, 0, {}});
    found->count += count;
    if (found->examples.size() < max_examples) {
      found->examples.push_back(fmt::format(format, std::forward<Args>(args)...));
    }
  }

  std::vector<Finding> sorted() && {
    std::sort(findings_.begin(), findings_.end(),
              [](const Finding& a, const Finding& b) { return a.fault < b.fault; });
    return std::move(findings_);
  }

 private:
  std::vector<Finding> findings_;
};

/// Equal but for the order in which a sum was taken.
bool same_sum(double left, double right) {
  return left == right || std::abs(left - right) <= 1e-9 * (1 + std::abs(left));
}

class Auditor {
 public:
  explicit Auditor(const sqlite::Database& database)
      : database_(database),
        report_{run_plan(detail::read_configuration(database), database.path().string()),
                0,
                0,
                0,
                0,
                0,
                0,
                false,
                {},
                {}} {}

  AuditReport run(Unfinished unfinished) {
    check_database();
    report_.ended_early = is_ended_early();
    if (report_.ended_early) unfinished = Unfinished::is_accepted;
    walk_batches(unfinished);
    walk_steps();
    check_totals();
    check_orphans();
    check_workers();
    count();
    report_.findings = std::move(findings_).sorted();
    return std::move(report_);
  }

 private:
  void check_database() {
    sqlite::Statement rows(database_, "PRAGMA integrity_check(10)");
    while (rows.step()) {
      if (rows.text(0) != "ok") findings_.add(Fault::damaged, 1, "{}", rows.text(0));
    }
  }

  /// Whether the run was ended after just the steps that are there.
  bool is_ended_early() const {
    const Configuration configuration = detail::read_configuration(database_);
    const auto ended = configuration.find(detail::ended_early_key);
    return ended != configuration.end() &&
           ended->second == fmt::to_string(database_.integer(
                                "SELECT COUNT(*) FROM steps WHERE superseded_by IS NULL"));
  }

  /// Compares what is committed with what was planned, both in the order of (epoch, batch).
  void walk_batches(Unfinished unfinished) {
    const data::ShardPlan& data = report_.plan.data;
    const auto gap = [&](std::uint64_t from, std::uint64_t to) {  // planned places from ... to-1
      if (from == to || unfinished == Unfinished::is_accepted) return;
      const std::string more = to - from == 1 ? "" : fmt::format(" and {} after it", to - from - 1);
      findings_.add(Fault::missing, to - from, "epoch {} batch {}{}", from / data.batches(),
                    from % data.batches(), more);
    };
    std::uint64_t next = 0;  // the first planned place that was not met yet
    sqlite::Statement rows(database_,
                           "SELECT epoch, batch, step, volunteer, samples FROM batches "
                           "WHERE superseded_by IS NULL ORDER BY epoch, batch, step");
    while (rows.step()) {
      const std::int64_t epoch = rows.integer(0);
      const std::int64_t batch = rows.integer(1);
      const auto where = [&] {
        return fmt::format("epoch {} batch {} in step {}, by rank {}", epoch, batch,
                           rows.integer(2), rows.integer(3));
      };
      ++report_.batches;
      report_.samples += static_cast<std::uint64_t>(rows.integer(4));
      if (epoch < 0 || batch < 0 || std::cmp_greater_equal(epoch, report_.plan.epochs) ||
          std::cmp_greater_equal(batch, data.batches())) {
        findings_.add(Fault::unplanned, 1, "{}", where());
        continue;
      }
      const std::uint64_t planned = data.samples_in(BatchId{static_cast<std::uint64_t>(batch)});
      if (std::cmp_not_equal(rows.integer(4), planned)) {
        findings_.add(Fault::wrong_samples, 1, "{}: {} samples in place of {}", where(),
                      rows.integer(4), planned);
      }
      const std::uint64_t place =
          static_cast<std::uint64_t>(epoch) * data.batches() + static_cast<std::uint64_t>(batch);
      if (place < next) {
        findings_.add(Fault::repeated, 1, "{}", where());
        continue;
      }
      gap(next, place);
      next = place + 1;
    }
    gap(next, report_.plan.batches());
  }

  /// Order and size of the steps that count.
  void walk_steps() {
    std::uint64_t expected = 0;
    sqlite::Statement rows(
        database_,
        "SELECT s.step, s.attempt, COUNT(b.position) FROM steps s LEFT JOIN batches b "
        "USING (attempt, step) WHERE s.superseded_by IS NULL "
        "GROUP BY s.attempt, s.step ORDER BY s.step, s.attempt");
    while (rows.step()) {
      const auto step = static_cast<std::uint64_t>(rows.integer(0));
      const auto size = static_cast<std::uint64_t>(rows.integer(2));
      ++report_.steps;
      if (step < expected) {
        findings_.add(Fault::broken_order, 1, "step {} is there again, from attempt {}", step,
                      rows.integer(1));
      } else if (step > expected) {
        findings_.add(Fault::broken_order, step - expected, "step {} is there, step {} is not",
                      step, expected);
      }
      expected = std::max(expected, step + 1);
      const std::uint64_t planned = planned_size(step);
      if (planned == 0 || size != planned) {
        findings_.add(Fault::wrong_size, 1, "step {}: {} batches in place of {}", step, size,
                      planned);
      }
    }
  }

  /// K, but for the last step, which takes the rest; 0 for steps after it.
  std::uint64_t planned_size(std::uint64_t step) const {
    const std::uint64_t total = report_.plan.batches();
    if (step > total / report_.plan.k) return 0;
    return std::min(report_.plan.k, total - step * report_.plan.k);
  }

  /// Each step, superseded or not, against its own batches.
  void check_totals() {
    sqlite::Statement rows(
        database_,
        "SELECT s.step, s.attempt, s.batches, s.samples, s.loss_sum, COUNT(b.position), "
        "COALESCE(SUM(b.samples), 0), SUM(b.loss_sum), "
        "COALESCE(SUM(b.superseded_by IS NOT s.superseded_by), 0), "
        "COALESCE(SUM(b.loss_sum IS NULL), 0), COALESCE(MAX(b.position) + 1, 0) "
        "FROM steps s LEFT JOIN batches b USING (attempt, step) GROUP BY s.attempt, s.step");
    while (rows.step()) {
      const auto wrong = [&](const auto& what) {
        findings_.add(Fault::wrong_totals, 1, "step {} of attempt {}: {}", rows.integer(0),
                      rows.integer(1), what);
      };
      if (rows.integer(2) != rows.integer(5)) {
        wrong(
            fmt::format("{} batches are entered, {} are there", rows.integer(2), rows.integer(5)));
      } else if (rows.integer(10) != rows.integer(5)) {
        wrong("its batches are not numbered from 0 on");
      }
      if (rows.integer(3) != rows.integer(6)) {
        wrong(fmt::format("{} samples are entered, its batches hold {}", rows.integer(3),
                          rows.integer(6)));
      }
      // A batch's loss that is no number makes the step's none; so may infinities that cancel out.
      const bool loss_known = !rows.is_null(4);
      const bool losses_known = rows.integer(9) == 0;
      if (loss_known && (!losses_known || !same_sum(rows.real(4), rows.real(7)))) {
        wrong("its loss is not the sum of its batches' losses");
      }
      if (rows.integer(8) != 0) wrong("it and its batches disagree on being superseded");
    }
  }

  void check_orphans() {
    sqlite::Statement rows(
        database_,
        "SELECT b.epoch, b.batch, b.step, b.attempt FROM batches b LEFT JOIN steps s "
        "USING (attempt, step) WHERE s.batches IS NULL");
    while (rows.step()) {
      findings_.add(Fault::wrong_totals, 1,
                    "epoch {} batch {} belongs to step {} of attempt {}, which is not there",
                    rows.integer(0), rows.integer(1), rows.integer(2), rows.integer(3));
    }
  }

  void check_workers() {
    sqlite::Statement rows(
        database_,
        "SELECT b.epoch, b.batch, b.step, b.volunteer, s.view FROM batches b JOIN steps s "
        "USING (attempt, step) WHERE b.superseded_by IS NULL AND NOT EXISTS (SELECT 1 FROM views v "
        "WHERE v.attempt = s.attempt AND v.view = s.view AND v.rank = b.volunteer)");
    while (rows.step()) {
      findings_.add(Fault::foreign_worker, 1,
                    "epoch {} batch {} in step {}: rank {} is not in view {}", rows.integer(0),
                    rows.integer(1), rows.integer(2), rows.integer(3), rows.integer(4));
    }
  }

  void count() {
    const auto one = [&](const char* sql) {
      return static_cast<std::uint64_t>(database_.integer(sql));
    };
    report_.attempts = one("SELECT COUNT(*) FROM attempts");
    report_.superseded_steps = one("SELECT COUNT(*) FROM steps WHERE superseded_by NOT NULL");
    report_.superseded_batches = one("SELECT COUNT(*) FROM batches WHERE superseded_by NOT NULL");
    sqlite::Statement rows(
        database_,
        "SELECT volunteer, COUNT(*) FILTER (WHERE counts), SUM(samples) FILTER (WHERE counts), "
        "AVG(service_s) FILTER (WHERE counts), SUM(service_s) FILTER (WHERE counts), "
        "COUNT(*) FILTER (WHERE NOT counts), SUM(samples) FILTER (WHERE NOT counts), "
        "SUM(service_s) FILTER (WHERE NOT counts) "
        "FROM (SELECT *, superseded_by IS NULL AS counts FROM batches) "
        "GROUP BY volunteer ORDER BY volunteer");
    while (rows.step()) {
      VolunteerShare share;
      share.volunteer = Rank{static_cast<Rank::rep>(rows.integer(0))};
      share.batches = static_cast<std::uint64_t>(rows.integer(1));
      share.samples = static_cast<std::uint64_t>(rows.integer(2));
      if (report_.samples > 0) {
        share.fraction = static_cast<double>(share.samples) / static_cast<double>(report_.samples);
      }
      share.mean_service_s = rows.real(3);
      share.busy_s = rows.real(4);
      share.redone_batches = static_cast<std::uint64_t>(rows.integer(5));
      share.redone_samples = static_cast<std::uint64_t>(rows.integer(6));
      share.redone_busy_s = rows.real(7);
      report_.shares.push_back(share);
    }
  }

  const sqlite::Database& database_;
  AuditReport report_;
  Findings findings_;
};

const char* words_of(Fault fault) {
  switch (fault) {
    case Fault::damaged:
      return "the database contradicts itself";
    case Fault::missing:
      return "planned batches are not committed";
    case Fault::repeated:
      return "batches are committed again";
    case Fault::unplanned:
      return "batches were never planned";
    case Fault::wrong_samples:
      return "batches hold a wrong number of samples";
    case Fault::wrong_size:
      return "steps hold a wrong number of batches";
    case Fault::broken_order:
      return "steps are out of order";
    case Fault::wrong_totals:
      return "totals do not add up";
    case Fault::foreign_worker:
      return "batches came from outside the view";
  }
  return "unknown";
}

}  // namespace

AuditReport audit(const std::filesystem::path& run_directory, Unfinished unfinished) {
  const sqlite::Database database =
      detail::open_ledger(run_directory / RunDirectory::ledger_name, sqlite::Mode::read);
  const sqlite::Transaction one_moment(database, "BEGIN");
  return Auditor(database).run(unfinished);
}

std::string to_text(const AuditReport& report) {
  const RunPlan& plan = report.plan;
  std::string text = fmt::format(
      "planned    {} epochs of {} batches, {} samples each; K = {}\n"
      "committed  {} of {} batches, {} samples, in {} steps, {} attempts\n",
      plan.epochs, plan.data.batches(), plan.data.samples(), plan.k, report.batches, plan.batches(),
      report.samples, report.steps, report.attempts);
  if (report.superseded_steps > 0) {
    text += fmt::format("superseded {} batches in {} steps, done again after a resume\n",
                        report.superseded_batches, report.superseded_steps);
  }
  // Work that was done again is shown where there is any.
  const bool redone = report.superseded_batches > 0;
  if (!report.shares.empty()) {
    text += "\nvolunteer   batches    samples   share   mean service     busy";
    text += redone ? "    redone    samples     busy\n" : "\n";
  }
  for (const VolunteerShare& share : report.shares) {
    text += fmt::format("{:>9}  {:>8}  {:>9}  {:>5.1f}%  {:>9.2f} ms  {:>6.1f} s",
                        share.volunteer.value(), share.batches, share.samples, 100 * share.fraction,
                        1000 * share.mean_service_s, share.busy_s);
    if (redone) {
      text += fmt::format("  {:>8}  {:>9}  {:>6.1f} s", share.redone_batches, share.redone_samples,
                          share.redone_busy_s);
    }
    text += '\n';
  }
  text += '\n';
  for (const Finding& finding : report.findings) {
    text += fmt::format("FOUND: {} ({})\n", words_of(finding.fault), finding.count);
    for (const std::string& example : finding.examples) text += fmt::format("  {}\n", example);
    if (finding.examples.size() == max_examples && finding.count > max_examples) text += "  ...\n";
  }
  if (report.clean()) {
    text +=
        report.batches == plan.batches() ? "Every planned batch is committed exactly once.\n"
        : report.ended_early
            ? "Every committed batch is planned and counts once; no more was wanted: the run was "
              "ended early.\n"
            : "Every committed batch is planned and counts once; the run is not finished.\n";
  }
  return text;
}

}  // namespace daig::store
