#pragma once

/// Errors and contracts.
///
/// Three things can go wrong, and each has its own type:
///   - a bug in a caller breaks a contract      -> ContractViolation (never caught to go on),
///   - the outside brings something unusable    -> InputError / UsageError (with file and place),
///   - a peer or a machine does not answer      -> PeerLost / DeadlineExceeded / IoError.
///
/// An error text says what is wrong, where, why it is a problem and what to do about it.

#include <stdexcept>
#include <string>
#include <string_view>

namespace daig {

/// What a program that ends with this error returns to its caller. Documented in `daig --help`.
enum class ExitCode : int {
  success = 0,
  failure = 1,  ///< the work itself failed (a rank died, an internal contract broke)
  usage = 2,    ///< the command line makes no sense
  input = 3,    ///< a file or dataset cannot be used
  io = 4,       ///< something could not be written or read by the system
  peer = 5,     ///< another rank was lost or did not answer in time
  finding = 6,  ///< an audit or a replay ran well and found something wrong
  stopped = 7,  ///< the run was asked to stop before its end; it can be resumed
};

/// Base of everything DAIG throws on purpose, contract violations aside.
class Error : public std::runtime_error {
 public:
  Error(const std::string& text, ExitCode code) : std::runtime_error(text), code_(code) {}
  ExitCode exit_code() const noexcept { return code_; }

 private:
  ExitCode code_;
};

/// Options that contradict each other or the data (K = 0, N larger than the number of batches,
/// ...).
class UsageError : public Error {
 public:
  explicit UsageError(const std::string& text) : Error(text, ExitCode::usage) {}
};

/// Bytes from outside that cannot be used: a truncated file, a wrong magic, an absurd shape.
class InputError : public Error {
 public:
  explicit InputError(const std::string& text) : Error(text, ExitCode::input) {}
  InputError(std::string_view where, std::string_view what)
      : Error(std::string(where) + ": " + std::string(what), ExitCode::input) {}
};

/// The system refused a read, a write, a mapping.
class IoError : public Error {
 public:
  explicit IoError(const std::string& text) : Error(text, ExitCode::io) {}
};

/// A wait reached its deadline; the text names what was waited for.
class DeadlineExceeded : public Error {
 public:
  explicit DeadlineExceeded(const std::string& text) : Error(text, ExitCode::peer) {}
};

/// Another rank is gone, or broke the protocol; the current view must be abandoned.
class PeerLost : public Error {
 public:
  explicit PeerLost(const std::string& text) : Error(text, ExitCode::peer) {}
};

/// A bug: some caller did not keep its side of a function's contract.
class ContractViolation : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

/// The place of a call, when used as a default argument. The compilers' own built-ins rather than
/// std::source_location, which clang only knows from version 15 on.
struct SourcePlace {
  const char* file;
  const char* function;
  int line;

  static constexpr SourcePlace here(const char* file = __builtin_FILE(),
                                    const char* function = __builtin_FUNCTION(),
                                    int line = __builtin_LINE()) {
    return {file, function, line};
  }
};

/// Checks a precondition. @throws ContractViolation naming the place when it does not hold.
constexpr void expects(bool condition, std::string_view what,
                       SourcePlace where = SourcePlace::here());

// ---------------------------------------------------------------------------------------------

constexpr void expects(bool condition, std::string_view what, SourcePlace where) {
  if (condition) return;
  throw ContractViolation(std::string(where.file) + ":" + std::to_string(where.line) + ": " +
                          where.function + " expects " + std::string(what));
}

}  // namespace daig
