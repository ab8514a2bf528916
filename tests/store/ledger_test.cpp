#include <algorithm>
#include <csignal>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <fmt/format.h>
#include <support/temporary_folder.hpp>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <daig/core/error.hpp>
#include <daig/core/random.hpp>
#include <daig/store/ledger.hpp>

#include "file_bytes.hpp"
#include "sample_run.hpp"

BOOST_AUTO_TEST_SUITE(ledger_test)

using namespace daig;
using store::Ledger;
using test::commit_steps;
using test::query;
using test::sample_step;
using test::TemporaryFolder;

namespace {

struct LedgerFile {
  TemporaryFolder folder;
  std::filesystem::path path = folder / "ledger.sqlite";
  store::Configuration configuration = store::configuration_of(test::sample_plan());

  Ledger create() const { return Ledger::create(path, configuration); }
  std::string count(const std::string& table) const {
    return query(path, "SELECT COUNT(*) FROM " + table);
  }
};

int status_of_child(const std::function<void()>& work) {
  const pid_t child = fork();
  if (child == 0) {
    work();
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return status;
}

BOOST_FIXTURE_TEST_CASE(every_fact_of_a_step_is_kept, LedgerFile) {
  configuration["spec"] = "mlp:3-5-2; größe";
  {
    Ledger ledger = create();
    BOOST_CHECK_EQUAL(ledger.committed().value(), 0U);
    commit_steps(ledger, 0, 3);
    BOOST_CHECK_EQUAL(ledger.committed().value(), 3U);
    BOOST_CHECK(ledger.configuration() == configuration);
  }
  BOOST_CHECK(store::read_configuration(path) == configuration);
  BOOST_CHECK_EQUAL(count("steps"), "3");
  BOOST_CHECK_EQUAL(count("batches"), "12");
  BOOST_CHECK_EQUAL(query(path, "SELECT GROUP_CONCAT(rank) FROM views"), "0,2,1,3");
  BOOST_CHECK_EQUAL(
      query(path,
            "SELECT attempt || ' ' || view || ' ' || sum_digest || ' ' || learning_rate || "
            "' ' || opened_s || ' ' || closed_s || ' ' || committed_s || ' ' || batches || "
            "' ' || samples || ' ' || loss_sum FROM steps WHERE step = 2"),
      "1 0 fedcba9876543212 0.125 2.0 2.5 2.75 4 33 19.0");
  BOOST_CHECK_EQUAL(
      query(path,
            "SELECT epoch || ' ' || batch || ' ' || volunteer || ' ' || samples || ' ' || "
            "loss_sum || ' ' || service_s FROM batches WHERE step = 2 AND position = 2"),
      "0 10 2 3 5.0 0.25");
  BOOST_CHECK_EQUAL(query(path, "SELECT from_step FROM attempts WHERE attempt = 1"), "0");
}

BOOST_FIXTURE_TEST_CASE(the_file_explains_itself, LedgerFile) {
  create();
  const std::string schema = query(path, "SELECT GROUP_CONCAT(sql) FROM sqlite_schema");
  for (const char* words : {"-- One weights update each", "-- order of acceptance", "STRICT"}) {
    BOOST_CHECK_NE(schema.find(words), std::string::npos);
  }
  BOOST_CHECK_EQUAL(query(path, "PRAGMA journal_mode"), "delete");  // one file is left
}

BOOST_FIXTURE_TEST_CASE(a_view_is_entered_once, LedgerFile) {
  Ledger ledger = create();
  ledger.commit(sample_step(0, ViewId{4}));
  ledger.commit(sample_step(1, ViewId{4}));
  ledger.commit(sample_step(2, ViewId{5}));
  BOOST_CHECK_EQUAL(count("views"), "8");
}

BOOST_FIXTURE_TEST_CASE(what_counts_already_or_was_not_planned_is_refused_and_leaves_nothing,
                        LedgerFile) {
  Ledger ledger = create();
  commit_steps(ledger, 0, 2);
  metrics::StepRecord step = sample_step(2, ViewId{1});
  step.batches.back() = sample_step(0).batches.front();
  BOOST_CHECK_THROW(ledger.commit(step), ContractViolation);
  BOOST_CHECK_EQUAL(ledger.committed().value(), 2U);
  BOOST_CHECK_EQUAL(count("steps"), "2");
  BOOST_CHECK_EQUAL(count("batches"), "8");
  BOOST_CHECK_EQUAL(count("views"), "4");

  step.batches.back() = step.batches.front();
  BOOST_CHECK_THROW(ledger.commit(step), ContractViolation);
  step.batches.back().epoch = Epoch{1000};
  BOOST_CHECK_THROW(ledger.commit(step), ContractViolation);

  ledger.commit(sample_step(2, ViewId{1}));  // goes on
  BOOST_CHECK_EQUAL(count("batches"), "12");
  BOOST_CHECK_EQUAL(count("views"), "8");
}

BOOST_FIXTURE_TEST_CASE(steps_come_in_order, LedgerFile) {
  Ledger ledger = create();
  BOOST_CHECK_THROW(ledger.commit(sample_step(1)), ContractViolation);
  ledger.commit(sample_step(0));
  BOOST_CHECK_THROW(ledger.commit(sample_step(0)), ContractViolation);
  BOOST_CHECK_EQUAL(count("steps"), "1");
}

BOOST_FIXTURE_TEST_CASE(it_is_a_sink_of_facts, LedgerFile) {
  Ledger ledger = create();
  metrics::RecorderList list;
  list.add(ledger);
  list.step_committed(sample_step(0));
  list.event("something", {});
  BOOST_CHECK_EQUAL(ledger.committed().value(), 1U);
}

BOOST_FIXTURE_TEST_CASE(a_report_that_is_no_number_is_kept_as_such, LedgerFile) {
  Ledger ledger = create();
  metrics::StepRecord step = sample_step(0);
  step.batches[1].loss_sum = std::numeric_limits<double>::quiet_NaN();
  step.batches[1].service_s = std::numeric_limits<double>::quiet_NaN();
  ledger.commit(step);
  BOOST_CHECK_EQUAL(query(path, "SELECT service_s FROM batches WHERE position = 1"), "NULL");
  BOOST_CHECK_EQUAL(query(path, "SELECT loss_sum FROM steps"), "NULL");
  BOOST_CHECK_EQUAL(query(path, "SELECT loss_sum FROM batches WHERE position = 1"), "NULL");
  step = sample_step(1);
  step.batches[1].loss_sum = std::numeric_limits<double>::infinity();
  ledger.commit(step);
  BOOST_CHECK_EQUAL(query(path, "SELECT loss_sum FROM steps WHERE step = 1"), "Inf");
}

BOOST_FIXTURE_TEST_CASE(a_resumed_run_does_later_steps_again, LedgerFile) {
  {
    Ledger ledger = create();
    commit_steps(ledger, 0, 5);
  }
  Ledger ledger = Ledger::resume(path, Version{3});
  BOOST_CHECK(ledger.configuration() == configuration);
  BOOST_CHECK_EQUAL(ledger.committed().value(), 3U);
  const std::vector<store::PlannedBatch> done = ledger.committed_batches();
  BOOST_REQUIRE_EQUAL(done.size(), 12U);
  BOOST_CHECK((done.front() == store::PlannedBatch{Epoch{0}, BatchId{0}}));
  BOOST_CHECK((done.back() == store::PlannedBatch{Epoch{1}, BatchId{0}}));
  BOOST_CHECK(std::is_sorted(done.begin(), done.end()));
  BOOST_CHECK_EQUAL(query(path,
                          "SELECT GROUP_CONCAT(step || '/' || superseded_by) FROM steps "
                          "WHERE superseded_by NOT NULL"),
                    "3/2,4/2");
  BOOST_CHECK_EQUAL(query(path, "SELECT COUNT(*) FROM batches WHERE superseded_by = 2"), "8");

  commit_steps(ledger, 3, test::sample_steps);
  BOOST_CHECK_EQUAL(ledger.committed_batches().size(), 22U);
  BOOST_CHECK_EQUAL(count("steps"), "8");
  BOOST_CHECK_EQUAL(query(path, "SELECT from_step FROM attempts WHERE attempt = 2"), "3");
}

BOOST_FIXTURE_TEST_CASE(a_run_may_be_resumed_again_and_from_the_start, LedgerFile) {
  {
    Ledger ledger = create();
    commit_steps(ledger, 0, 2);
  }
  {
    Ledger ledger = Ledger::resume(path, Version{2});
    commit_steps(ledger, 2, 4);
  }
  Ledger ledger = Ledger::resume(path, Version{0});
  BOOST_CHECK_EQUAL(ledger.committed().value(), 0U);
  BOOST_CHECK(ledger.committed_batches().empty());
  commit_steps(ledger, 0, test::sample_steps);
  BOOST_CHECK_EQUAL(count("attempts"), "3");
  BOOST_CHECK_EQUAL(count("steps"), "10");
}

BOOST_FIXTURE_TEST_CASE(weights_that_know_more_than_the_ledger_are_refused, LedgerFile) {
  {
    Ledger ledger = create();
    commit_steps(ledger, 0, 2);
  }
  for (const std::uint64_t version : {std::uint64_t{3}, ~std::uint64_t{0}}) {
    BOOST_CHECK_THROW(Ledger::resume(path, Version{version}), InputError);
  }
  BOOST_CHECK_EQUAL(count("attempts"), "1");
}

BOOST_FIXTURE_TEST_CASE(a_ledger_that_counts_what_it_should_not_is_not_gone_on_with, LedgerFile) {
  {
    Ledger ledger = create();
    commit_steps(ledger, 0, 2);
  }
  for (const char* place : {"epoch = 1000",
                            "(epoch, batch) = (SELECT epoch, batch FROM batches "
                            "WHERE step = 0 AND position = 1)"}) {
    test::tamper(path, fmt::format("UPDATE batches SET {} WHERE step = 0 AND position = 0", place));
    BOOST_CHECK_THROW(Ledger::resume(path, Version{2}), InputError);
    BOOST_CHECK_EQUAL(count("attempts"), "1");
    BOOST_CHECK_NO_THROW(Ledger::resume(path, Version{0}));  // all of it is done again
    test::tamper(path,
                 "DELETE FROM attempts WHERE attempt > 1; "
                 "UPDATE steps SET superseded_by = NULL; "
                 "UPDATE batches SET superseded_by = NULL");
  }
}

BOOST_FIXTURE_TEST_CASE(what_was_committed_survives_the_death_of_the_process, LedgerFile) {
  const int status = status_of_child([&] {
    Ledger ledger = create();
    commit_steps(ledger, 0, 3);
    raise(SIGKILL);
  });
  BOOST_CHECK(WIFSIGNALED(status));
  BOOST_CHECK(store::read_configuration(path) == configuration);
  Ledger ledger = Ledger::resume(path, Version{2});
  BOOST_CHECK_EQUAL(ledger.committed_batches().size(), 8U);
  BOOST_CHECK_EQUAL(count("steps"), "3");
}

BOOST_FIXTURE_TEST_CASE(a_full_disk_is_told_and_leaves_whole_steps_only, LedgerFile) {
  const int status = status_of_child([&] {
    std::signal(SIGXFSZ, SIG_IGN);
    configuration["epochs"] = "100000";
    Ledger ledger = create();
    const rlimit limit{200'000, 200'000};
    setrlimit(RLIMIT_FSIZE, &limit);
    std::uint64_t number = 0;
    try {
      for (; number < 100'000; ++number) {
        metrics::StepRecord step = sample_step(0);
        step.step = StepId{number};
        for (auto& batch : step.batches) batch.epoch = Epoch{static_cast<Epoch::rep>(number)};
        ledger.commit(step);
      }
    } catch (const IoError& error) {
      const bool named = std::string(error.what()).find(path.string()) != std::string::npos;
      _exit(named && ledger.committed().value() == number && number > 0 ? 42 : 43);
    }
    _exit(44);
  });
  BOOST_CHECK(WIFEXITED(status));
  BOOST_CHECK_EQUAL(WEXITSTATUS(status), 42);
  BOOST_CHECK_EQUAL(query(path, "PRAGMA integrity_check"), "ok");
  BOOST_CHECK_EQUAL(query(path, "SELECT COUNT(*) * 4 FROM steps"), count("batches"));
}

BOOST_FIXTURE_TEST_CASE(sync_says_what_is_on_the_disk, LedgerFile) {
  Ledger ledger = create();
  commit_steps(ledger, 0, 3);
  ledger.sync();
  ledger.commit(sample_step(3));
  BOOST_CHECK_EQUAL(query(path, "SELECT synced FROM attempts"), "3");
}

BOOST_FIXTURE_TEST_CASE(a_ledger_is_not_begun_twice_nor_without_a_plan, LedgerFile) {
  store::Configuration incomplete = configuration;
  incomplete.erase("k");
  BOOST_CHECK_THROW(Ledger::create(path, incomplete), InputError);
  BOOST_CHECK(!std::filesystem::exists(path));
  create();
  BOOST_CHECK_THROW(create(), UsageError);
  BOOST_CHECK_THROW(Ledger::create(folder / "missing" / "ledger.sqlite", configuration), IoError);
}

BOOST_FIXTURE_TEST_CASE(files_that_are_no_ledger_are_refused, LedgerFile) {
  BOOST_CHECK_THROW(store::read_configuration(path), InputError);
  BOOST_CHECK_THROW(Ledger::resume(path, Version{0}), InputError);
  BOOST_CHECK(!std::filesystem::exists(path));  // looking for it does not make it

  for (const std::string& bytes : {std::string(), std::string(5000, 'x')}) {
    test::write_bytes(path, bytes);
    BOOST_CHECK_THROW(store::read_configuration(path), InputError);
    BOOST_CHECK_THROW(Ledger::resume(path, Version{0}), InputError);
  }
  std::filesystem::remove(path);
  test::tamper(path, "CREATE TABLE other (x)");
  BOOST_CHECK_THROW(store::read_configuration(path), InputError);
  test::tamper(path, "PRAGMA application_id = 0x44414947; PRAGMA user_version = 1");
  BOOST_CHECK_THROW(store::read_configuration(path), InputError);
  test::tamper(path, "PRAGMA user_version = 2");
  BOOST_CHECK_THROW(store::read_configuration(path), InputError);
}

BOOST_FIXTURE_TEST_CASE(random_histories_of_resumes_keep_every_batch_once, LedgerFile) {
  for (std::uint32_t seed = 0; seed < 10; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      std::filesystem::remove(path);
      Random random(seed, Stream::test);
      std::uint64_t at = random.below(test::sample_steps + 1);
      {
        Ledger ledger = create();
        commit_steps(ledger, 0, at);
      }
      while (at < test::sample_steps) {
        const std::uint64_t from = random.below(at + 1);
        const std::uint64_t to = from + random.below(test::sample_steps - from + 1);
        Ledger ledger = Ledger::resume(path, Version{from});
        commit_steps(ledger, from, to);
        BOOST_CHECK_EQUAL(ledger.committed_batches().size(), std::min<std::uint64_t>(22, 4 * to));
        at = to;
      }
    }
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
