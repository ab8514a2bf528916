#pragma once

/// The ledger's schema. SQLite keeps the comments inside a statement with the table, so that
/// `sqlite3 ledger.sqlite .schema` explains the file to whoever finds it.

#include <cstdint>
#include <filesystem>

#include <fmt/format.h>

#include <daig/core/error.hpp>
#include <daig/store/run_plan.hpp>

#include "sqlite.hpp"

namespace daig::store::detail {

inline constexpr std::int64_t ledger_application_id = 0x44414947;  // "DAIG"
inline constexpr std::int64_t ledger_version = 1;

/// In the configuration of a run that was ended before its plan was done, because no more was
/// wanted: its number of steps.
inline constexpr const char* ended_early_key = "ended_after_step";

inline constexpr const char* ledger_schema = R"sql(
PRAGMA application_id = 0x44414947;
PRAGMA user_version = 1;

CREATE TABLE configuration (
  -- What the run was asked to do. samples, batch_size, shards, epochs and k are always there.
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE attempts (
  -- One row each time the run was started: attempt 1, and one more for every resume.
  attempt     INTEGER PRIMARY KEY,
  started_utc TEXT NOT NULL,
  from_step   INTEGER NOT NULL,  -- steps already in the weights it began with
  synced      INTEGER NOT NULL   -- steps known to be on the disk, at the last sync
) STRICT;

CREATE TABLE views (
  -- The members of each view that committed a step, in ring order.
  attempt  INTEGER NOT NULL,
  view     INTEGER NOT NULL,
  position INTEGER NOT NULL,
  rank     INTEGER NOT NULL,
  PRIMARY KEY (attempt, view, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE steps (
  -- One weights update each. Times are in seconds since the attempt began. NULL in place of a sum
  -- or rate: not a number.
  attempt       INTEGER NOT NULL,
  step          INTEGER NOT NULL,  -- from 0
  view          INTEGER NOT NULL,  -- that reduced the gradients
  sum_digest    TEXT NOT NULL,     -- of the reduced sum, the same at all members; 16 hex digits
  learning_rate REAL,
  opened_s      REAL NOT NULL,
  closed_s      REAL NOT NULL,     -- the last batch was banked
  committed_s   REAL NOT NULL,     -- all members had reduced
  batches       INTEGER NOT NULL,
  samples       INTEGER NOT NULL,
  loss_sum      REAL,              -- over the samples
  superseded_by INTEGER,           -- the attempt that did it again; NULL: this row counts
  PRIMARY KEY (attempt, step)
) STRICT, WITHOUT ROWID;

CREATE TABLE batches (
  -- One accepted batch each. NULL in place of what a volunteer measured: not a number.
  attempt       INTEGER NOT NULL,
  step          INTEGER NOT NULL,
  position      INTEGER NOT NULL,  -- order of acceptance within the step, from 0
  epoch         INTEGER NOT NULL,
  batch         INTEGER NOT NULL,  -- within the epoch, from 0
  volunteer     INTEGER NOT NULL,  -- the rank that computed it
  samples       INTEGER NOT NULL,
  loss_sum      REAL,              -- over the samples
  service_s     REAL,              -- how long it took, by the volunteer's own clock
  superseded_by INTEGER,           -- as its step's
  PRIMARY KEY (attempt, step, position)
) STRICT, WITHOUT ROWID;
)sql";

/// Opens an existing ledger. @throws InputError when there is none, or it is something else.
inline sqlite::Database open_ledger(const std::filesystem::path& path, sqlite::Mode mode) {
  std::error_code unknown;
  if (!std::filesystem::is_regular_file(path, unknown)) {
    throw InputError(path.string(), "there is no ledger; check the run's folder");
  }
  sqlite::Database database(path, mode);
  if (database.integer("PRAGMA application_id") != ledger_application_id) {
    throw InputError(path.string(), "is a database of something else than a run of DAIG's");
  }
  const std::int64_t version = database.integer("PRAGMA user_version");
  if (version != ledger_version) {
    throw InputError(
        path.string(),
        fmt::format("is a ledger of version {}, and this version of DAIG reads version "
                    "{} only",
                    version, ledger_version));
  }
  return database;
}

inline Configuration read_configuration(const sqlite::Database& database) {
  Configuration configuration;
  sqlite::Statement rows(database, "SELECT key, value FROM configuration");
  while (rows.step()) configuration[rows.text(0)] = rows.text(1);
  return configuration;
}

}  // namespace daig::store::detail
