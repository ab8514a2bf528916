#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <daig/core/error.hpp>
#include <daig/store/ledger.hpp>

#include "counted_batches.hpp"
#include "ledger_schema.hpp"
#include "sqlite.hpp"

namespace daig::store {

namespace {

/// SQLite's integers are signed; no count of ours comes near the difference.
template <class Integer>
std::int64_t signed_value(Integer value) {
  expects(std::in_range<std::int64_t>(value), "numbers below 2^63");
  return static_cast<std::int64_t>(value);
}

std::vector<PlannedBatch> committed_batches(const sqlite::Database& database) {
  std::vector<PlannedBatch> committed;
  sqlite::Statement rows(database,
                         "SELECT epoch, batch FROM batches WHERE superseded_by IS NULL "
                         "ORDER BY epoch, batch");
  while (rows.step()) {
    committed.push_back({Epoch{static_cast<Epoch::rep>(rows.integer(0))},
                         BatchId{static_cast<BatchId::rep>(rows.integer(1))}});
  }
  return committed;
}

detail::CountedBatches counted_batches(const sqlite::Database& database, const RunPlan& plan) {
  detail::CountedBatches counted(plan);
  for (const PlannedBatch& batch : committed_batches(database)) {
    if (!counted.may_add(batch)) {
      throw InputError(database.path().string(),
                       fmt::format("epoch {} batch {} counts twice or was never planned: `daig "
                                   "audit` tells what else is wrong",
                                   batch.epoch.value(), batch.batch.value()));
    }
    counted.add(batch);
  }
  return counted;
}

void prepare_for_writing(const sqlite::Database& database) {
  // A write-ahead log lets others read while the run writes, and a commit wait for no disk.
  sqlite::Statement(database, "PRAGMA journal_mode = WAL").run();
  database.execute("PRAGMA synchronous = NORMAL");
}

}  // namespace

class Ledger::Impl {
 public:
  Impl(sqlite::Database database, Configuration configuration, std::int64_t attempt,
       std::uint64_t next_step, detail::CountedBatches counted)
      : database_(std::move(database)),
        configuration_(std::move(configuration)),
        attempt_(attempt),
        next_step_(next_step),
        counted_(std::move(counted)) {}
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  Impl(Impl&&) = delete;
  Impl& operator=(Impl&&) = delete;
  ~Impl() {
    // Leaves one file, readable from a read-only folder. In vain while somebody reads it: then the
    // write-ahead log stays beside it, and nothing is lost.
    sqlite3_exec(database_.get(), "PRAGMA journal_mode = DELETE", nullptr, nullptr, nullptr);
  }

  void commit(const metrics::StepRecord& step);
  void end_early();
  void sync();
  std::vector<PlannedBatch> committed_batches() const {
    return store::committed_batches(database_);
  }

  const Configuration& configuration() const { return configuration_; }
  std::uint64_t next_step() const { return next_step_; }

 private:
  std::vector<PlannedBatch> uncounted_batches(const metrics::StepRecord& step) const;

  sqlite::Database database_;
  Configuration configuration_;
  std::int64_t attempt_;
  std::uint64_t next_step_;
  detail::CountedBatches counted_;
  std::optional<ViewId> known_view_;
  sqlite::Statement begin_{database_, "BEGIN IMMEDIATE"};
  sqlite::Statement commit_{database_, "COMMIT"};
  sqlite::Statement insert_member_{database_, "INSERT INTO views VALUES (?, ?, ?, ?)"};
  sqlite::Statement insert_step_{
      database_, "INSERT INTO steps VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)"};
  sqlite::Statement insert_batch_{database_,
                                  "INSERT INTO batches VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)"};
};

/// Expects a step of planned batches that do not count yet.
std::vector<PlannedBatch> Ledger::Impl::uncounted_batches(const metrics::StepRecord& step) const {
  std::vector<PlannedBatch> batches;
  for (const metrics::BatchRecord& batch : step.batches) {
    batches.push_back({batch.epoch, batch.batch});
  }
  std::ranges::sort(batches);
  const auto may_add = [this](const PlannedBatch& batch) { return counted_.may_add(batch); };
  expects(
      std::ranges::adjacent_find(batches) == batches.end() && std::ranges::all_of(batches, may_add),
      "planned batches, each once");
  return batches;
}

void Ledger::Impl::commit(const metrics::StepRecord& step) {
  expects(step.step.value() == next_step_, "steps in order, each once");
  const std::vector<PlannedBatch> batches = uncounted_batches(step);
  const std::int64_t step_number = signed_value(step.step.value());
  const std::int64_t view = step.view.value();
  sqlite::Transaction transaction(database_, begin_);
  if (known_view_ != step.view) {
    std::int64_t position = 0;
    for (const Rank member : step.members) {
      insert_member_.bind(attempt_, view, position++, std::int64_t{member.value()}).run();
    }
  }
  insert_step_
      .bind(attempt_, step_number, view, fmt::format("{:016x}", step.sum_digest),
            step.learning_rate, step.opened_s, step.closed_s, step.committed_s,
            signed_value(step.batches.size()), signed_value(step.samples()), step.loss_sum())
      .run();
  std::int64_t position = 0;
  for (const metrics::BatchRecord& batch : step.batches) {
    insert_batch_
        .bind(attempt_, step_number, position++, std::int64_t{batch.epoch.value()},
              signed_value(batch.batch.value()), std::int64_t{batch.volunteer.value()},
              signed_value(batch.samples), batch.loss_sum, batch.service_s)
        .run();
  }
  transaction.commit(commit_);
  for (const PlannedBatch& batch : batches) counted_.add(batch);
  known_view_ = step.view;
  ++next_step_;
}

void Ledger::Impl::sync() {
  // In this mode a commit, of anything, puts the whole write-ahead log on the disk.
  database_.execute("PRAGMA synchronous = FULL");
  sqlite::Statement(database_, "UPDATE attempts SET synced = ? WHERE attempt = ?")
      .bind(signed_value(next_step_), attempt_)
      .run();
  database_.execute("PRAGMA synchronous = NORMAL");
}

void Ledger::Impl::end_early() {
  sqlite::Statement(database_, "INSERT OR REPLACE INTO configuration VALUES (?, ?)")
      .bind(std::string_view(detail::ended_early_key), std::string_view(fmt::to_string(next_step_)))
      .run();
  sync();
}

Ledger Ledger::create(const std::filesystem::path& path, const Configuration& configuration) {
  const RunPlan plan = run_plan(configuration, path.string());
  std::error_code unknown;
  if (std::filesystem::exists(path, unknown)) {
    throw UsageError(
        fmt::format("{}: there is a ledger already; go on with that run or choose another folder",
                    path.string()));
  }
  sqlite::Database database(path, sqlite::Mode::create);
  prepare_for_writing(database);
  sqlite::Transaction transaction(database, "BEGIN IMMEDIATE");
  database.execute(detail::ledger_schema);
  sqlite::Statement insert(database, "INSERT INTO configuration VALUES (?, ?)");
  for (const auto& [key, value] : configuration) {
    insert.bind(std::string_view(key), std::string_view(value)).run();
  }
  database.execute("INSERT INTO attempts VALUES (1, strftime('%Y-%m-%dT%H:%M:%SZ', 'now'), 0, 0)");
  transaction.commit();
  return Ledger(std::make_unique<Impl>(std::move(database), configuration, 1, 0,
                                       detail::CountedBatches(plan)));
}

Ledger Ledger::resume(const std::filesystem::path& path, Version from) {
  sqlite::Database database = detail::open_ledger(path, sqlite::Mode::write);
  Configuration configuration = detail::read_configuration(database);
  const RunPlan plan = run_plan(configuration, path.string());
  prepare_for_writing(database);
  sqlite::Transaction transaction(database, "BEGIN IMMEDIATE");
  const std::int64_t known =
      database.integer("SELECT COUNT(*) FROM steps WHERE superseded_by IS NULL");
  if (!std::in_range<std::int64_t>(from.value()) || std::cmp_less(known, from.value())) {
    throw InputError(path.string(),
                     fmt::format("the weights hold {} steps, but the ledger knows only {}; resume "
                                 "from an earlier snapshot",
                                 from.value(), known));
  }
  sqlite::Statement(database, "DELETE FROM configuration WHERE key = ?")
      .bind(std::string_view(detail::ended_early_key))
      .run();
  const auto first = static_cast<std::int64_t>(from.value());
  const std::int64_t attempt =
      database.integer("SELECT COALESCE(MAX(attempt), 0) + 1 FROM attempts");
  for (const char* sql :
       {"UPDATE steps SET superseded_by = ? WHERE superseded_by IS NULL AND step >= ?",
        "UPDATE batches SET superseded_by = ? WHERE superseded_by IS NULL AND step >= ?"}) {
    sqlite::Statement(database, sql).bind(attempt, first).run();
  }
  sqlite::Statement(database,
                    "INSERT INTO attempts VALUES (?, strftime('%Y-%m-%dT%H:%M:%SZ', 'now'), ?, 0)")
      .bind(attempt, first)
      .run();
  detail::CountedBatches counted = counted_batches(database, plan);
  transaction.commit();
  return Ledger(std::make_unique<Impl>(std::move(database), std::move(configuration), attempt,
                                       from.value(), std::move(counted)));
}

Ledger::Ledger(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Ledger::~Ledger() = default;

void Ledger::commit(const metrics::StepRecord& step) {
  impl_->commit(step);
}
void Ledger::end_early() {
  impl_->end_early();
}
void Ledger::sync() {
  impl_->sync();
}
const Configuration& Ledger::configuration() const {
  return impl_->configuration();
}
Version Ledger::committed() const {
  return Version{impl_->next_step()};
}
std::vector<PlannedBatch> Ledger::committed_batches() const {
  return impl_->committed_batches();
}

Configuration read_configuration(const std::filesystem::path& ledger) {
  return detail::read_configuration(detail::open_ledger(ledger, sqlite::Mode::read));
}

}  // namespace daig::store
