#include "command_line.hpp"

#include <cstdlib>
#include <exception>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <daig/core/error.hpp>

#include "command.hpp"
#include "outcome.hpp"

namespace daig::launcher {
namespace {

constexpr const char* about =
    "DAIG trains a model on other people's left-over machines: a step takes any K batches, from\n"
    "whichever volunteers are first, and gradients travel round a ring.";

constexpr const char* more = R"(Try it:
  daig train --dataset fashion-mnist -n 4
  daig eval --model runs/<date-time>/model.h5 --dataset fashion-mnist
  daig audit runs/<date-time>
  daig replay runs/<date-time>
  daig export runs/<date-time> --out model.h5
  daig plot runs/<date-time> --out run.svg

Exit codes:
  0  success
  1  the work itself failed (a rank died, a bug)
  2  the command line makes no sense
  3  a file or dataset cannot be used
  4  the system could not write or read something
  5  another rank was lost or did not answer in time
  6  an audit or a replay ran well and found something wrong
  7  the coordinator was asked to stop the run before its end; it can be resumed
  128 + n  signal n ended the coordinator (rank 0), or the launcher was told to end by it

The first SIGINT (Ctrl-C), SIGTERM or SIGHUP asks the coordinator to end the job; the second ends
it at once.)";

/// Under mpirun only rank 0 speaks; what is wrong with the command line all ranks see.
bool is_silent_rank() {
  const char* rank = std::getenv("OMPI_COMM_WORLD_RANK");
  return rank != nullptr && std::string(rank) != "0";
}

/// What CLI11 says, and where to read more.
std::string text_of(const CLI::ParseError& error, const CLI::App& app) {
  std::string command = "daig";
  for (const CLI::App* chosen : app.get_subcommands()) command += " " + chosen->get_name();
  return fmt::format("{}; see {} --help", error.what(), command);
}

}  // namespace

int run_command_line(int argc, const char* const* argv) {
  CLI::App app{about, "daig"};
  app.footer(more);
  app.set_version_flag("--version", std::string("daig " DAIG_VERSION), "Print the version");
  app.require_subcommand(1);
  app.option_defaults()->take_last();
  app.get_formatter()->column_width(34);
  Action action;
  add_train_command(app, action, {argv + 1, argv + argc});
  add_run_command(app, action);
  add_eval_command(app, action);
  add_predict_command(app, action);
  add_inspect_command(app, action);
  add_audit_command(app, action);
  add_replay_command(app, action);
  add_export_command(app, action);
  add_plot_command(app, action);
  add_rank_0_command(app, action);
  add_join_command(app, action);
  add_dismiss_command(app, action);
  add_reap_command(app, action);
  add_remote_shell_command(app, action);
  Outcome outcome{ExitCode::success, {}};
  try {
    app.parse(argc, argv);
    return action();
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    outcome = {ExitCode::usage, text_of(error, app)};
  } catch (...) {
    outcome = outcome_of(std::current_exception());
  }
  if (!is_silent_rank()) complain(outcome.text);
  return static_cast<int>(outcome.code);
}

}  // namespace daig::launcher
