#pragma once

/// What every subcommand is: options, and something to do once they are read.

#include <functional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace daig::launcher {

/// What the chosen subcommand does; returns the exit code. Empty until one is chosen.
using Action = std::function<int()>;

// Each adds its subcommand to the command line; when it is the chosen one, it sets the action.
void add_train_command(CLI::App& app, Action& action, const std::vector<std::string>& words);
void add_run_command(CLI::App& app, Action& action);
void add_eval_command(CLI::App& app, Action& action);
void add_predict_command(CLI::App& app, Action& action);
void add_inspect_command(CLI::App& app, Action& action);
void add_audit_command(CLI::App& app, Action& action);
void add_replay_command(CLI::App& app, Action& action);
void add_export_command(CLI::App& app, Action& action);
void add_plot_command(CLI::App& app, Action& action);

// Hidden ones, which the launcher starts: rank 0's starter, a newcomer's, what asks ranks on
// another machine to leave and what ends the rest of a job there, and what stands between mpirun
// and the remote shell.
void add_rank_0_command(CLI::App& app, Action& action);
void add_join_command(CLI::App& app, Action& action);
void add_dismiss_command(CLI::App& app, Action& action);
void add_reap_command(CLI::App& app, Action& action);
void add_remote_shell_command(CLI::App& app, Action& action);

}  // namespace daig::launcher
