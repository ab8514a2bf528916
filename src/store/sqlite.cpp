#include "sqlite.hpp"

#include <fmt/format.h>

#include <daig/core/error.hpp>

namespace daig::store::sqlite {

namespace {

/// How long to wait for another process that holds the database, e.g. an audit's first read.
constexpr int busy_timeout_ms = 10'000;

int flags_of(Mode mode) {
  switch (mode) {
    case Mode::read:
      return SQLITE_OPEN_READONLY;
    case Mode::write:
      return SQLITE_OPEN_READWRITE;
    case Mode::create:
      break;
  }
  return SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
}

}  // namespace

Database::Database(const std::filesystem::path& path, Mode mode) : path_(path) {
  sqlite3* connection = nullptr;
  const int flags = flags_of(mode) | SQLITE_OPEN_NOMUTEX;  // one thread at a time
  const int code = sqlite3_open_v2(path.c_str(), &connection, flags, nullptr);
  connection_.reset(connection);  // even a failed open may give one, with the reason
  if (code != SQLITE_OK) fail(code, "cannot be opened");
  sqlite3_extended_result_codes(connection, 1);
  sqlite3_busy_timeout(connection, busy_timeout_ms);
}

void Database::execute(const char* sql) const {
  const int code = sqlite3_exec(get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(code, "cannot be used");
}

std::int64_t Database::integer(const char* sql) const {
  Statement statement(*this, sql);
  return statement.step() ? statement.integer(0) : 0;
}

void Database::fail(int code, std::string_view doing) const {
  const char* reason = connection_ ? sqlite3_errmsg(get()) : sqlite3_errstr(code);
  const std::string text = fmt::format("{}: {}: {}", path_.string(), doing, reason);
  switch (code & 0xFF) {
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
    case SQLITE_FORMAT:
    case SQLITE_ERROR:  // no such table or column: a database of something else
      throw InputError(text + "; the file is damaged or not a ledger of DAIG's");
    case SQLITE_CONSTRAINT:
      throw ContractViolation(text);
    default:
      throw IoError(text);
  }
}

Statement::Statement(const Database& database, const char* sql) : database_(&database) {
  sqlite3_stmt* statement = nullptr;
  const int code =
      sqlite3_prepare_v3(database.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  statement_.reset(statement);
  if (code != SQLITE_OK) database.fail(code, "cannot be used");
}

bool Statement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) {
    sqlite3_reset(statement_.get());
    return false;
  }
  try {
    database_->fail(code, sqlite3_stmt_readonly(statement_.get()) != 0 ? "cannot be read"
                                                                       : "cannot be written");
  } catch (...) {
    sqlite3_reset(statement_.get());
    throw;
  }
}

std::string Statement::text(int column) const {
  const auto* bytes = sqlite3_column_text(statement_.get(), column);
  if (bytes == nullptr) return {};
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column));
  return {reinterpret_cast<const char*>(bytes), size};
}

void Statement::bind_one(int index, std::int64_t value) {
  const int code = sqlite3_bind_int64(statement_.get(), index, value);
  if (code != SQLITE_OK) database_->fail(code, "cannot be used");
}

void Statement::bind_one(int index, double value) {
  const int code = sqlite3_bind_double(statement_.get(), index, value);
  if (code != SQLITE_OK) database_->fail(code, "cannot be used");
}

void Statement::bind_one(int index, std::string_view value) {
  const int code = sqlite3_bind_text64(statement_.get(), index, value.data(), value.size(),
                                       SQLITE_TRANSIENT, SQLITE_UTF8);
  if (code != SQLITE_OK) database_->fail(code, "cannot be used");
}

Transaction::Transaction(const Database& database, const char* begin) : database_(database) {
  database_.execute(begin);
}

Transaction::Transaction(const Database& database, Statement& begin) : database_(database) {
  begin.run();
}

Transaction::~Transaction() {
  if (open_) sqlite3_exec(database_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
}

void Transaction::commit() {
  database_.execute("COMMIT");
  open_ = false;
}

void Transaction::commit(Statement& commit) {
  commit.run();
  open_ = false;
}

}  // namespace daig::store::sqlite
