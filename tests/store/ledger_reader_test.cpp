#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <support/temporary_folder.hpp>

#include <daig/core/error.hpp>
#include <daig/core/random.hpp>
#include <daig/store/ledger.hpp>
#include <daig/store/ledger_reader.hpp>

#include "file_bytes.hpp"
#include "sample_run.hpp"

BOOST_AUTO_TEST_SUITE(ledger_reader_test)

using namespace daig;
using metrics::StepRecord;
using store::Ledger;
using store::LedgerReader;
using test::commit_steps;
using test::sample_step;
using test::tamper;

namespace {

struct LedgerFile {
  test::TemporaryFolder folder;
  std::filesystem::path path = folder / "ledger.sqlite";

  Ledger create() const {
    return Ledger::create(path, store::configuration_of(test::sample_plan()));
  }
  std::vector<StepRecord> read() const {
    LedgerReader reader(path);
    std::vector<StepRecord> steps;
    while (auto step = reader.next()) steps.push_back(std::move(*step));
    BOOST_TEST(steps.size() == reader.steps());
    BOOST_TEST(!reader.next());
    return steps;
  }
};

struct FinishedRun : LedgerFile {
  FinishedRun() {
    Ledger ledger = create();
    commit_steps(ledger, 0, test::sample_steps);
  }

  /// The error after a change of the database, and which step was the last that could be read.
  void check_refused(const std::string& sql, std::uint64_t step, const std::string& reason) const {
    BOOST_TEST_CONTEXT(sql) {
      const std::string whole = test::read_bytes(path);
      tamper(path, sql);
      LedgerReader reader(path);
      for (std::uint64_t good = 0; good < step; ++good) {
        BOOST_TEST(reader.next().value().step.value() == good);
      }
      const std::string place = "step " + std::to_string(step) + ": ";
      BOOST_CHECK_EXCEPTION(reader.next(), InputError, [&](const InputError& error) {
        const std::string text = error.what();
        BOOST_TEST_MESSAGE(text);
        return text.find(place) != std::string::npos && text.find(reason) != std::string::npos &&
               text.starts_with(path.string());
      });
      test::write_bytes(path, whole);
    }
  }
};

void check_same(const StepRecord& read, const StepRecord& written) {
  BOOST_TEST(read.step.value() == written.step.value());
  BOOST_TEST(read.view.value() == written.view.value());
  BOOST_CHECK(read.members == written.members);
  BOOST_TEST(read.sum_digest == written.sum_digest);
  BOOST_TEST(read.learning_rate == written.learning_rate);
  BOOST_TEST(read.opened_s == written.opened_s);
  BOOST_TEST(read.closed_s == written.closed_s);
  BOOST_TEST(read.committed_s == written.committed_s);
  BOOST_REQUIRE(read.batches.size() == written.batches.size());
  for (std::size_t i = 0; i < read.batches.size(); ++i) {
    const metrics::BatchRecord& batch = read.batches[i];
    const metrics::BatchRecord& expected = written.batches[i];
    BOOST_CHECK(batch.epoch == expected.epoch && batch.batch == expected.batch);
    BOOST_TEST(batch.volunteer.value() == expected.volunteer.value());
    BOOST_TEST(batch.samples == expected.samples);
    BOOST_TEST(batch.loss_sum == expected.loss_sum);
    BOOST_TEST(batch.service_s == expected.service_s);
  }
}

BOOST_FIXTURE_TEST_CASE(what_was_written_comes_back, FinishedRun) {
  const std::vector<StepRecord> steps = read();
  BOOST_REQUIRE(steps.size() == test::sample_steps);
  for (std::uint64_t number = 0; number < steps.size(); ++number) {
    check_same(steps[number], sample_step(number));
  }
  LedgerReader reader(path);
  BOOST_CHECK(reader.plan() == test::sample_plan());
  BOOST_CHECK(reader.configuration() == store::configuration_of(test::sample_plan()));
}

BOOST_FIXTURE_TEST_CASE(a_ledger_without_steps, LedgerFile) {
  create();
  BOOST_TEST(read().empty());
}

BOOST_FIXTURE_TEST_CASE(every_bit_of_a_rate_comes_back, LedgerFile) {
  StepRecord written = sample_step(0);
  written.learning_rate = std::nextafter(0.1, 1.0);
  written.sum_digest = 0x00000000000000FF;
  create().commit(written);
  check_same(read().at(0), written);
}

BOOST_FIXTURE_TEST_CASE(what_is_no_number_stays_none, LedgerFile) {
  StepRecord written = sample_step(0);
  written.learning_rate = std::numeric_limits<double>::quiet_NaN();
  written.batches[1].loss_sum = std::numeric_limits<double>::quiet_NaN();
  create().commit(written);
  const StepRecord step = read().at(0);
  BOOST_TEST(std::isnan(step.learning_rate));
  BOOST_TEST(std::isnan(step.batches[1].loss_sum));
}

BOOST_FIXTURE_TEST_CASE(each_step_has_the_members_of_its_own_view, LedgerFile) {
  std::vector<StepRecord> written;
  {
    Ledger ledger = create();
    for (std::uint64_t number = 0; number < 4; ++number) {
      StepRecord step = sample_step(number, ViewId{static_cast<ViewId::rep>(number / 2)});
      if (number >= 2) std::swap(step.members[1], step.members[3]);
      ledger.commit(step);
      written.push_back(step);
    }
  }
  {
    // The next attempt begins with view 0 again, and that is another view.
    Ledger ledger = Ledger::resume(path, Version{3});
    for (std::uint64_t number = 3; number < test::sample_steps; ++number) {
      StepRecord step = sample_step(number);
      step.members = {Rank{3}, Rank{2}, Rank{1}};
      ledger.commit(step);
      written.resize(number);
      written.push_back(step);
    }
  }
  const std::vector<StepRecord> steps = read();
  BOOST_REQUIRE(steps.size() == test::sample_steps);
  for (std::size_t i = 0; i < steps.size(); ++i) check_same(steps[i], written[i]);
}

BOOST_FIXTURE_TEST_CASE(one_moment_is_read_while_the_run_goes_on, LedgerFile) {
  Ledger ledger = create();
  commit_steps(ledger, 0, 2);
  LedgerReader reader(path);
  commit_steps(ledger, 2, 4);
  BOOST_TEST(reader.steps() == 2U);
  check_same(reader.next().value(), sample_step(0));
  check_same(reader.next().value(), sample_step(1));
  BOOST_TEST(!reader.next());
  BOOST_TEST(read().size() == 4U);
}

BOOST_FIXTURE_TEST_CASE(contradictions_are_refused_with_the_step_in_which_they_are, FinishedRun) {
  check_refused("DELETE FROM steps WHERE step = 2", 2, "the next one is step 3");
  check_refused("UPDATE steps SET attempt = 2, step = 1 WHERE step = 2", 2,
                "the next one is step 1");
  check_refused("DELETE FROM batches WHERE step = 1 AND position = 3", 1,
                "4 batches are entered, 3 are there");
  check_refused("DELETE FROM batches WHERE step = 1 AND position = 2", 1, "numbered from 0");
  check_refused("UPDATE steps SET batches = 3 WHERE step = 1", 1, "more batches than the 3");
  check_refused("UPDATE steps SET batches = -1 WHERE step = 1", 1, "-1 as the number");
  check_refused("UPDATE batches SET samples = 9 WHERE step = 0 AND position = 3", 0,
                "40 samples are entered, its batches hold 39");
  check_refused("UPDATE batches SET samples = 11 WHERE step = 0 AND position = 3", 0,
                "more samples than the 40");
  check_refused("UPDATE batches SET samples = -9 WHERE step = 0 AND position = 3", 0,
                "-9 as the samples");
  check_refused("UPDATE batches SET superseded_by = 2 WHERE step = 1 AND position = 3", 1,
                "4 batches are entered, 3 are there");
  check_refused(
      "DELETE FROM batches WHERE step = 3; "
      "UPDATE steps SET batches = 0, samples = 0 WHERE step = 3",
      3, "no samples");
  check_refused("UPDATE batches SET epoch = 2 WHERE step = 1 AND position = 0", 1,
                "epoch 2 batch 4 is in no plan");
  check_refused("UPDATE batches SET batch = 11 WHERE step = 1 AND position = 0", 1,
                "epoch 0 batch 11 is in no plan");
  check_refused("UPDATE batches SET batch = -1 WHERE step = 1 AND position = 0", 1,
                "-1 as a batch");
  check_refused("UPDATE batches SET volunteer = 4294967296 WHERE step = 1 AND position = 0", 1,
                "4294967296 as a volunteer");
  check_refused("UPDATE steps SET sum_digest = 'fedcba987654321' WHERE step = 4", 4, "16 hex");
  check_refused("UPDATE steps SET sum_digest = 'fedcba987654321x' WHERE step = 4", 4, "16 hex");
  check_refused("UPDATE steps SET view = 7 WHERE step = 4", 4, "no members");
  check_refused("UPDATE steps SET view = -7 WHERE step = 4", 4, "-7 as the id of its view");
  check_refused("DELETE FROM views WHERE position = 1", 0, "numbered from 0");
  check_refused("UPDATE views SET rank = 2 WHERE position = 3", 0, "rank 2 is in its view twice");
  check_refused("UPDATE views SET rank = -2 WHERE position = 3", 0, "rank -2");
}

BOOST_FIXTURE_TEST_CASE(what_is_no_ledger_is_refused, LedgerFile) {
  BOOST_CHECK_THROW(LedgerReader{path}, InputError);
  test::write_bytes(path, std::string(5000, 'x'));
  BOOST_CHECK_THROW(LedgerReader{path}, InputError);
  std::filesystem::remove(path);
  create();
  tamper(path, "DROP TABLE batches");
  BOOST_CHECK_THROW(LedgerReader{path}, InputError);
}

BOOST_FIXTURE_TEST_CASE(a_damaged_file_is_read_or_refused, FinishedRun) {
  const std::string whole = test::read_bytes(path);
  for (std::uint32_t seed = 0; seed < 200; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      Random random(seed, Stream::test);
      std::string changed =
          whole.substr(0, seed % 2 == 0 ? whole.size() : random.below(whole.size()));
      for (int i = 0; i < 20 && !changed.empty(); ++i) {
        changed[random.below(changed.size())] = static_cast<char>(random());
      }
      test::write_bytes(path, changed);
      try {
        read();
      } catch (const Error& error) {
        BOOST_CHECK_NE(std::string(error.what()).find(path.string()), std::string::npos);
      }
    }
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
