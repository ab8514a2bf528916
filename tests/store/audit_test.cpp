#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <support/temporary_folder.hpp>

#include <daig/core/error.hpp>
#include <daig/core/random.hpp>
#include <daig/store/audit.hpp>

#include "file_bytes.hpp"
#include "sample_run.hpp"

BOOST_AUTO_TEST_SUITE(audit_test)

using namespace daig;
using store::AuditReport;
using store::Fault;
using store::Unfinished;
using test::tamper;

namespace {

/// A folder with the ledger of a run that has gone as far as told.
struct Run {
  test::TemporaryFolder folder;
  std::filesystem::path ledger = folder / "ledger.sqlite";

  void begin(std::uint64_t steps) const {
    auto writer = store::Ledger::create(ledger, store::configuration_of(test::sample_plan()));
    test::commit_steps(writer, 0, steps);
  }
  AuditReport audit(Unfinished unfinished = Unfinished::is_a_finding) const {
    return store::audit(folder.path(), unfinished);
  }
};

struct FinishedRun : Run {
  FinishedRun() { begin(test::sample_steps); }

  /// Every fault that the audit finds, with its count, after a change of the database.
  std::map<Fault, std::uint64_t> faults_after(const std::string& sql) const {
    tamper(ledger, sql);
    const AuditReport report = audit();
    std::map<Fault, std::uint64_t> faults;
    for (const store::Finding& finding : report.findings) {
      BOOST_CHECK(!finding.examples.empty());
      BOOST_CHECK_LE(finding.examples.size(), finding.count);
      faults[finding.fault] = finding.count;
    }
    BOOST_TEST_MESSAGE(store::to_text(report));
    return faults;
  }
};

using Faults = std::map<Fault, std::uint64_t>;

BOOST_FIXTURE_TEST_CASE(a_finished_run_is_clean, FinishedRun) {
  const AuditReport report = audit();
  BOOST_CHECK(report.clean());
  BOOST_CHECK((report.plan == test::sample_plan()));
  BOOST_CHECK_EQUAL(report.attempts, 1U);
  BOOST_CHECK_EQUAL(report.steps, 6U);
  BOOST_CHECK_EQUAL(report.batches, 22U);
  BOOST_CHECK_EQUAL(report.samples, 206U);
  BOOST_CHECK_EQUAL(report.superseded_steps, 0U);
  BOOST_CHECK_NE(store::to_text(report).find("exactly once"), std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(the_volunteers_shares_add_up, FinishedRun) {
  const AuditReport report = audit();
  BOOST_REQUIRE_EQUAL(report.shares.size(), 3U);
  std::uint64_t batches = 0;
  std::uint64_t samples = 0;
  double fractions = 0;
  for (std::size_t i = 0; i < report.shares.size(); ++i) {
    const store::VolunteerShare& share = report.shares[i];
    BOOST_CHECK_EQUAL(share.volunteer.value(), static_cast<int>(i) + 1);
    BOOST_CHECK_EQUAL(share.mean_service_s, 0.25);
    BOOST_CHECK_EQUAL(share.busy_s, 0.25 * static_cast<double>(share.batches));
    batches += share.batches;
    samples += share.samples;
    fractions += share.fraction;
  }
  BOOST_CHECK_EQUAL(report.shares[0].batches, 8U);  // places 0, 3, ... 21
  BOOST_CHECK_EQUAL(batches, report.batches);
  BOOST_CHECK_EQUAL(samples, report.samples);
  BOOST_CHECK_CLOSE(fractions, 1.0, 1e-9);
}

BOOST_FIXTURE_TEST_CASE(a_run_that_is_not_finished_is_told_as_such, Run) {
  begin(3);
  const AuditReport report = audit();
  BOOST_REQUIRE_EQUAL(report.findings.size(), 1U);
  BOOST_CHECK(report.findings[0].fault == Fault::missing);
  BOOST_CHECK_EQUAL(report.findings[0].count, 10U);
  const AuditReport accepted = audit(Unfinished::is_accepted);
  BOOST_CHECK(accepted.clean());
  BOOST_CHECK_NE(store::to_text(accepted).find("not finished"), std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(a_run_that_has_only_begun_is_audited_too, Run) {
  begin(0);
  BOOST_CHECK_EQUAL(audit().findings.at(0).count, 22U);
  const AuditReport accepted = audit(Unfinished::is_accepted);
  BOOST_CHECK(accepted.clean());
  BOOST_CHECK(accepted.shares.empty());
}

BOOST_FIXTURE_TEST_CASE(a_run_can_be_audited_while_it_goes_on, Run) {
  auto writer = store::Ledger::create(ledger, store::configuration_of(test::sample_plan()));
  for (std::uint64_t step = 0; step < test::sample_steps; ++step) {
    writer.commit(test::sample_step(step));
    BOOST_CHECK_EQUAL(audit(Unfinished::is_accepted).steps, step + 1);
  }
  BOOST_CHECK(audit().clean());
}

BOOST_FIXTURE_TEST_CASE(superseded_work_is_reported_apart, Run) {
  begin(5);
  {
    auto writer = store::Ledger::resume(ledger, Version{3});
    test::commit_steps(writer, 3, test::sample_steps);
  }
  const AuditReport report = audit();
  BOOST_CHECK(report.clean());
  BOOST_CHECK_EQUAL(report.attempts, 2U);
  BOOST_CHECK_EQUAL(report.steps, 6U);
  BOOST_CHECK_EQUAL(report.batches, 22U);
  BOOST_CHECK_EQUAL(report.superseded_steps, 2U);
  BOOST_CHECK_EQUAL(report.superseded_batches, 8U);
  BOOST_CHECK_NE(store::to_text(report).find("superseded 8 batches"), std::string::npos);
}

// The plan's places 12 ... 19 are done twice, by rank 1 + place mod 3: rank 1 did 12, 15 and 18,
// rank 2 did 13, 16 and 19, rank 3 did 14 and 17. All hold 10 samples.
BOOST_FIXTURE_TEST_CASE(credit_for_superseded_work_is_kept_apart, Run) {
  begin(5);
  {
    auto writer = store::Ledger::resume(ledger, Version{3});
    test::commit_steps(writer, 3, test::sample_steps);
  }
  const AuditReport report = audit();
  BOOST_REQUIRE_EQUAL(report.shares.size(), 3U);
  const std::vector<std::uint64_t> redone{3, 3, 2};
  for (std::size_t i = 0; i < redone.size(); ++i) {
    const store::VolunteerShare& share = report.shares[i];
    BOOST_CHECK_EQUAL(share.redone_batches, redone[i]);
    BOOST_CHECK_EQUAL(share.redone_samples, 10 * redone[i]);
    BOOST_CHECK_EQUAL(share.redone_busy_s, 0.25 * static_cast<double>(redone[i]));
    // What counts is as if nothing had been done twice.
    BOOST_CHECK_EQUAL(share.batches, i == 0 ? 8U : 7U);
    BOOST_CHECK_EQUAL(share.mean_service_s, 0.25);
    BOOST_CHECK_EQUAL(share.busy_s, 0.25 * static_cast<double>(share.batches));
  }
  BOOST_CHECK_NE(store::to_text(report).find("redone"), std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(a_volunteer_all_of_whose_work_is_superseded_is_named, Run) {
  begin(4);
  tamper(ledger,
         "INSERT INTO views VALUES (1, 0, 4, 9); "
         "UPDATE batches SET volunteer = 9, service_s = NULL WHERE step = 3 AND position = 1; "
         "UPDATE batches SET volunteer = 9, service_s = 2 WHERE step = 3 AND position = 2");
  {
    auto writer = store::Ledger::resume(ledger, Version{3});
    test::commit_steps(writer, 3, test::sample_steps);
  }
  const AuditReport report = audit();
  BOOST_CHECK(report.clean());
  BOOST_REQUIRE_EQUAL(report.shares.size(), 4U);
  const store::VolunteerShare& share = report.shares.back();
  BOOST_CHECK_EQUAL(share.volunteer.value(), 9);
  BOOST_CHECK_EQUAL(share.batches, 0U);
  BOOST_CHECK_EQUAL(share.samples, 0U);
  BOOST_CHECK_EQUAL(share.fraction, 0.0);
  BOOST_CHECK_EQUAL(share.mean_service_s, 0.0);
  BOOST_CHECK_EQUAL(share.busy_s, 0.0);
  BOOST_CHECK_EQUAL(share.redone_batches, 2U);
  BOOST_CHECK_EQUAL(share.redone_samples, 20U);
  BOOST_CHECK_EQUAL(share.redone_busy_s, 2.0);
}

BOOST_FIXTURE_TEST_CASE(a_run_resumed_from_its_very_start_has_only_superseded_work, Run) {
  begin(2);
  store::Ledger::resume(ledger, Version{0});
  const AuditReport report = audit(Unfinished::is_accepted);
  BOOST_CHECK(report.clean());
  BOOST_REQUIRE_EQUAL(report.shares.size(), 3U);
  for (const store::VolunteerShare& share : report.shares) {
    BOOST_CHECK_EQUAL(share.batches, 0U);
    BOOST_CHECK_EQUAL(share.fraction, 0.0);
    BOOST_CHECK_GT(share.redone_batches, 0U);
  }
}

BOOST_FIXTURE_TEST_CASE(a_small_step_is_good_only_at_the_very_end, Run) {
  auto writer = store::Ledger::create(ledger, store::configuration_of(test::sample_plan()));
  metrics::StepRecord small = test::sample_step(0);
  small.batches.pop_back();
  writer.commit(small);
  const AuditReport report = audit(Unfinished::is_accepted);
  BOOST_REQUIRE_EQUAL(report.findings.size(), 1U);
  BOOST_CHECK(report.findings[0].fault == Fault::wrong_size);
}

BOOST_FIXTURE_TEST_CASE(losses_that_are_no_numbers_are_no_fault, Run) {
  auto writer = store::Ledger::create(ledger, store::configuration_of(test::sample_plan()));
  for (std::uint64_t number = 0; number < test::sample_steps; ++number) {
    metrics::StepRecord step = test::sample_step(number);
    if (number == 1) step.batches[0].loss_sum = std::numeric_limits<double>::quiet_NaN();
    if (number >= 2) step.batches[0].loss_sum = std::numeric_limits<double>::infinity();
    if (number >= 3) step.batches[1].loss_sum = -std::numeric_limits<double>::infinity();
    writer.commit(step);
  }
  BOOST_CHECK(audit().clean());
}

// Each kind of fault is planted, and found as that kind and with its consequences, no others.

BOOST_FIXTURE_TEST_CASE(a_lost_batch, FinishedRun) {
  BOOST_CHECK((faults_after("DELETE FROM batches WHERE epoch = 0 AND batch = 9") ==
               Faults{{Fault::missing, 1}, {Fault::wrong_size, 1}, {Fault::wrong_totals, 3}}));
  BOOST_CHECK_EQUAL(audit().findings[0].examples.at(0), "epoch 0 batch 9");
}

BOOST_FIXTURE_TEST_CASE(a_batch_counted_twice_in_place_of_another, FinishedRun) {
  BOOST_CHECK((faults_after("UPDATE batches SET batch = 8 WHERE epoch = 0 AND batch = 9") ==
               Faults{{Fault::missing, 1}, {Fault::repeated, 1}}));
}

BOOST_FIXTURE_TEST_CASE(a_batch_that_was_never_planned, FinishedRun) {
  BOOST_CHECK((faults_after("UPDATE batches SET batch = 11 WHERE epoch = 0 AND batch = 9") ==
               Faults{{Fault::missing, 1}, {Fault::unplanned, 1}}));
}

BOOST_FIXTURE_TEST_CASE(epochs_that_were_never_planned, FinishedRun) {
  BOOST_CHECK((faults_after("UPDATE batches SET epoch = 2 WHERE epoch = 0 AND batch = 9; "
                            "UPDATE batches SET epoch = -1 WHERE epoch = 0 AND batch = 8") ==
               Faults{{Fault::missing, 2}, {Fault::unplanned, 2}}));
}

BOOST_FIXTURE_TEST_CASE(a_batch_with_too_few_samples, FinishedRun) {
  BOOST_CHECK((faults_after("UPDATE batches SET samples = 9 WHERE epoch = 0 AND batch = 0; "
                            "UPDATE steps SET samples = samples - 1 WHERE step = 0") ==
               Faults{{Fault::wrong_samples, 1}}));
}

BOOST_FIXTURE_TEST_CASE(steps_of_another_size_than_k, FinishedRun) {
  BOOST_CHECK((faults_after("UPDATE batches SET step = 3, position = 4 "
                            "WHERE step = 2 AND position = 3; "
                            "UPDATE steps SET (batches, samples, loss_sum) = (SELECT COUNT(*), "
                            "SUM(samples), SUM(loss_sum) FROM batches WHERE step = steps.step)") ==
               Faults{{Fault::wrong_size, 2}}));
}

BOOST_FIXTURE_TEST_CASE(a_step_without_batches, FinishedRun) {
  BOOST_CHECK((faults_after("INSERT INTO steps VALUES "
                            "(1, 6, 0, '', 0.1, 0, 0, 0, 0, 0, NULL, NULL)") ==
               Faults{{Fault::wrong_size, 1}}));
}

BOOST_FIXTURE_TEST_CASE(a_gap_in_the_steps, FinishedRun) {
  BOOST_CHECK((faults_after("UPDATE steps SET step = 7 WHERE step = 5; "
                            "UPDATE batches SET step = 7 WHERE step = 5") ==
               Faults{{Fault::wrong_size, 1}, {Fault::broken_order, 2}}));
}

BOOST_FIXTURE_TEST_CASE(a_step_twice_in_place_of_another, FinishedRun) {
  BOOST_CHECK((faults_after("UPDATE steps SET step = 1, attempt = 2 WHERE step = 2; "
                            "UPDATE batches SET step = 1, attempt = 2 WHERE step = 2; "
                            "INSERT INTO views SELECT 2, view, position, rank FROM views") ==
               Faults{{Fault::broken_order, 2}}));
}

BOOST_FIXTURE_TEST_CASE(totals_that_do_not_add_up, FinishedRun) {
  BOOST_CHECK((faults_after("UPDATE steps SET loss_sum = loss_sum + 1 WHERE step = 0; "
                            "UPDATE steps SET samples = samples + 1 WHERE step = 1; "
                            "UPDATE steps SET batches = batches + 1 WHERE step = 2; "
                            "UPDATE batches SET position = 9 WHERE step = 3 AND position = 0") ==
               Faults{{Fault::wrong_totals, 4}}));
}

BOOST_FIXTURE_TEST_CASE(batches_of_no_step, FinishedRun) {
  BOOST_CHECK((faults_after("DELETE FROM steps WHERE step = 2") ==
               Faults{{Fault::broken_order, 1}, {Fault::wrong_totals, 4}}));
}

BOOST_FIXTURE_TEST_CASE(a_batch_hidden_as_superseded, FinishedRun) {
  BOOST_CHECK((faults_after("UPDATE batches SET superseded_by = 2 "
                            "WHERE epoch = 0 AND batch = 9") ==
               Faults{{Fault::missing, 1}, {Fault::wrong_totals, 1}}));
}

BOOST_FIXTURE_TEST_CASE(work_from_outside_the_view, FinishedRun) {
  BOOST_CHECK((faults_after("UPDATE batches SET volunteer = 9 WHERE epoch = 0 AND batch < 2") ==
               Faults{{Fault::foreign_worker, 2}}));
}

BOOST_FIXTURE_TEST_CASE(a_database_that_contradicts_itself, FinishedRun) {
  const Faults faults = faults_after(
      "CREATE INDEX lost ON batches (volunteer); "
      "PRAGMA writable_schema = ON; DELETE FROM sqlite_schema WHERE name = 'lost'");
  BOOST_CHECK_EQUAL(faults.size(), 1U);
  BOOST_CHECK(faults.contains(Fault::damaged));
}

BOOST_FIXTURE_TEST_CASE(examples_are_bounded, FinishedRun) {
  tamper(ledger, "UPDATE batches SET volunteer = 9");
  const AuditReport report = audit();
  BOOST_REQUIRE_EQUAL(report.findings.size(), 1U);
  BOOST_CHECK_EQUAL(report.findings[0].count, 22U);
  BOOST_CHECK_EQUAL(report.findings[0].examples.size(), 5U);
}

BOOST_FIXTURE_TEST_CASE(a_plan_that_asks_for_more_finds_the_rest_missing, FinishedRun) {
  tamper(ledger, "UPDATE configuration SET value = '4000000000' WHERE key = 'epochs'");
  const AuditReport report = audit();
  BOOST_CHECK(report.findings.at(0).fault == Fault::missing);
  BOOST_CHECK_EQUAL(report.findings[0].count, std::uint64_t{4'000'000'000} * 11 - 22);
}

BOOST_FIXTURE_TEST_CASE(what_is_no_ledger_is_refused, Run) {
  BOOST_CHECK_THROW(audit(), InputError);
  test::write_bytes(ledger, std::string(5000, 'x'));
  BOOST_CHECK_THROW(audit(), InputError);
  std::filesystem::remove(ledger);
  begin(1);
  tamper(ledger, "DELETE FROM configuration WHERE key = 'k'");
  BOOST_CHECK_THROW(audit(), InputError);
  tamper(ledger, "DROP TABLE steps");
  BOOST_CHECK_THROW(audit(), InputError);
}

BOOST_FIXTURE_TEST_CASE(a_damaged_file_is_refused_or_reported, FinishedRun) {
  const std::string whole = test::read_bytes(ledger);
  for (std::uint32_t seed = 0; seed < 200; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      Random random(seed, Stream::test);
      std::string changed =
          whole.substr(0, seed % 2 == 0 ? whole.size() : random.below(whole.size()));
      for (int i = 0; i < 20 && !changed.empty(); ++i) {
        changed[random.below(changed.size())] = static_cast<char>(random());
      }
      test::write_bytes(ledger, changed);
      try {
        const AuditReport report = audit();
        BOOST_CHECK(!store::to_text(report).empty());
      } catch (const Error& error) {
        BOOST_CHECK_NE(std::string(error.what()).find(ledger.string()), std::string::npos);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_run_that_was_ended_early_misses_nothing_unless_steps_are_lost) {
  const Run run;
  {
    auto writer = store::Ledger::create(run.ledger, store::configuration_of(test::sample_plan()));
    test::commit_steps(writer, 0, 3);
    writer.end_early();
  }
  const AuditReport report = run.audit();
  BOOST_TEST(report.clean());
  BOOST_TEST(report.ended_early);
  BOOST_TEST(store::to_text(report).find("ended early") != std::string::npos);

  tamper(run.ledger, "DELETE FROM batches WHERE step = 2; DELETE FROM steps WHERE step = 2");
  BOOST_TEST(!run.audit().clean());
  BOOST_TEST(!run.audit().ended_early);
}

BOOST_AUTO_TEST_CASE(a_resume_takes_an_early_end_back) {
  const Run run;
  {
    auto writer = store::Ledger::create(run.ledger, store::configuration_of(test::sample_plan()));
    test::commit_steps(writer, 0, 3);
    writer.end_early();
  }
  static_cast<void>(store::Ledger::resume(run.ledger, Version{3}));
  BOOST_TEST(!run.audit().clean());
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
