#pragma once

/// A small run whose ledger is known row by row, and a way to tamper with a ledger.

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>

#include <sqlite3.h>

#include <daig/metrics/step_record.hpp>
#include <daig/store/ledger.hpp>
#include <daig/store/run_plan.hpp>

namespace daig::test {

/// Two epochs of 11 batches, 10 samples each but for the last batch's 3: 5 steps of 4 batches, and
/// one of 2.
inline store::RunPlan sample_plan() {
  return {data::ShardPlan(103, 10, 4), 2, 4};
}
inline constexpr std::uint64_t sample_steps = 6;

/// The step that commits the next batches in their plain order, by the ranks 1, 2 and 3.
inline metrics::StepRecord sample_step(std::uint64_t number, ViewId view = ViewId{0}) {
  const store::RunPlan plan = sample_plan();
  metrics::StepRecord step;
  step.step = StepId{number};
  step.view = view;
  step.members = {Rank{0}, Rank{2}, Rank{1}, Rank{3}};
  step.sum_digest = 0xFEDCBA9876543210 + number;
  step.learning_rate = 0.125;
  step.opened_s = static_cast<double>(number);
  step.closed_s = step.opened_s + 0.5;
  step.committed_s = step.opened_s + 0.75;
  const std::uint64_t end = std::min(plan.batches(), (number + 1) * plan.k);
  for (std::uint64_t place = number * plan.k; place < end; ++place) {
    const BatchId batch{place % plan.data.batches()};
    step.batches.push_back({Epoch{static_cast<Epoch::rep>(place / plan.data.batches())}, batch,
                            Rank{static_cast<Rank::rep>(1 + place % 3)},
                            plan.data.samples_in(batch), 0.5 * static_cast<double>(place), 0.25});
  }
  return step;
}

/// Commits the steps first ... end-1.
inline void commit_steps(store::Ledger& ledger, std::uint64_t first, std::uint64_t end) {
  for (std::uint64_t number = first; number < end; ++number) ledger.commit(sample_step(number));
}

/// Changes a database behind its owner's back.
inline void tamper(const std::filesystem::path& path, const std::string& sql) {
  sqlite3* database = nullptr;
  char* problem = nullptr;
  sqlite3_open_v2(path.c_str(), &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
  sqlite3_exec(database, sql.c_str(), nullptr, nullptr, &problem);
  const std::string text = problem == nullptr ? "" : problem;
  sqlite3_free(problem);
  sqlite3_close(database);
  if (!text.empty()) throw std::runtime_error("tamper: " + text);
}

/// The only value that a query gives, as text; "NULL" for none.
inline std::string query(const std::filesystem::path& path, const std::string& sql) {
  sqlite3* database = nullptr;
  sqlite3_stmt* statement = nullptr;
  std::string value = "NULL";
  sqlite3_open_v2(path.c_str(), &database, SQLITE_OPEN_READONLY, nullptr);
  if (sqlite3_prepare_v2(database, sql.c_str(), -1, &statement, nullptr) == SQLITE_OK &&
      sqlite3_step(statement) == SQLITE_ROW && sqlite3_column_type(statement, 0) != SQLITE_NULL) {
    value = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));
  }
  sqlite3_finalize(statement);
  sqlite3_close(database);
  return value;
}

}  // namespace daig::test
