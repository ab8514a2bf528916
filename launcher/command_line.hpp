#pragma once

/// The `daig` command: its subcommands, and what becomes of their errors.

namespace daig::launcher {

/// Does what the command line says; returns the exit code (core/error.hpp). Nothing is thrown: an
/// error is one line on stderr, "daig: error: ...".
int run_command_line(int argc, const char* const* argv);

}  // namespace daig::launcher
