#pragma once

/// The one place where errors become exit codes and lines of text.

#include <exception>
#include <string>

#include <daig/core/error.hpp>

namespace daig::launcher {

struct Outcome {
  ExitCode code;
  std::string text;  ///< one line, for a person
};

/// What an exception means to whoever called the program.
Outcome outcome_of(const std::exception_ptr& error);

/// "daig: error: ..." on stderr.
void complain(const std::string& text);
/// "daig: warning: ..." on stderr.
void warn(const std::string& text);

/// "daig: ..." on stderr: what happens, and is neither.
void note(const std::string& text);

/// Writes to stdout, at once. @throws IoError when it cannot be written.
void say(const std::string& text);

}  // namespace daig::launcher
