#pragma once

/// SQLite's C interface with owners and checked calls.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <sqlite3.h>

namespace daig::store::sqlite {

enum class Mode { read, write, create };

/// A connection to one database file, used by one thread at a time.
class Database {
 public:
  /// @throws InputError when an existing file cannot be used, IoError when the system refuses.
  Database(const std::filesystem::path& path, Mode mode);

  sqlite3* get() const { return connection_.get(); }
  const std::filesystem::path& path() const { return path_; }

  /// Runs statements that give no rows.
  void execute(const char* sql) const;
  /// The first value that a statement gives.
  std::int64_t integer(const char* sql) const;

  /// Throws what an SQLite result code stands for: a file that is no database of ours is an
  /// InputError, a broken rule of the schema a ContractViolation, all else an IoError.
  [[noreturn]] void fail(int code, std::string_view doing) const;

 private:
  struct Close {
    void operator()(sqlite3* connection) const { sqlite3_close_v2(connection); }
  };
  std::filesystem::path path_;
  std::unique_ptr<sqlite3, Close> connection_;
};

/// A prepared statement: bind in order of the question marks, then step through the rows.
class Statement {
 public:
  Statement(const Database& database, const char* sql);

  template <class... Values>
  Statement& bind(const Values&... values);

  /// Goes to the next row; false after the last one, and then the statement can be bound again.
  bool step();
  /// Runs a statement that gives no rows.
  void run() {
    while (step()) {
    }
  }

  std::int64_t integer(int column) const { return sqlite3_column_int64(statement_.get(), column); }
  double real(int column) const { return sqlite3_column_double(statement_.get(), column); }
  bool is_null(int column) const {
    return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
  }
  std::string text(int column) const;

 private:
  void bind_one(int index, std::int64_t value);
  void bind_one(int index, double value);  ///< NaN becomes NULL
  void bind_one(int index, std::string_view value);

  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  const Database* database_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

/// All or nothing: undone unless committed.
class Transaction {
 public:
  /// @param begin  "BEGIN" to read one moment of the database, "BEGIN IMMEDIATE" to write
  Transaction(const Database& database, const char* begin);
  /// Where transactions come often: with statements that are prepared once.
  Transaction(const Database& database, Statement& begin);
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  Transaction(Transaction&&) = delete;
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();

  void commit();
  void commit(Statement& commit);

 private:
  const Database& database_;
  bool open_ = true;
};

// ---------------------------------------------------------------------------------------------

template <class... Values>
Statement& Statement::bind(const Values&... values) {
  int index = 0;
  (bind_one(++index, values), ...);
  return *this;
}

}  // namespace daig::store::sqlite
