// Subcommands that `daig` itself starts, on this machine and on others. Not shown to people.

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "command.hpp"
#include "join.hpp"
#include "rank_0.hpp"
#include "reap.hpp"
#include "remote_shell.hpp"

namespace daig::launcher {
namespace {

CLI::App* add_hidden(CLI::App& app, const char* name) {
  return app.add_subcommand(name, "")->group("");
}

}  // namespace

void add_rank_0_command(CLI::App& app, Action& action) {
  struct Settings {
    std::string channel;
    std::vector<std::string> program;
  };
  auto settings = std::make_shared<Settings>();
  CLI::App* command = add_hidden(app, rank_0_command);
  command->add_option("channel", settings->channel)->required();
  command->add_option("program", settings->program)->required();
  command->callback([settings, &action] {
    action = [settings] { return run_rank_0(settings->channel, settings->program); };
  });
}

void add_reap_command(CLI::App& app, Action& action) {
  auto job_id = std::make_shared<std::string>();
  CLI::App* command = add_hidden(app, reap_command);
  command->add_option("job", *job_id)->required();
  command->callback([job_id, &action] {
    action = [job_id] {
      reap(*job_id, std::chrono::seconds(2));
      return 0;
    };
  });
}

void add_remote_shell_command(CLI::App& app, Action& action) {
  CLI::App* command = add_hidden(app, remote_shell_command);
  command->set_help_flag();
  command->prefix_command();  // what follows is the remote shell's
  command->callback([command, &action] {
    action = [command] { return run_remote_shell(command->remaining()); };
  });
}

void add_join_command(CLI::App& app, Action& action) {
  add_hidden(app, join_command)->callback([&action] { action = run_join; });
}

void add_dismiss_command(CLI::App& app, Action& action) {
  struct Settings {
    std::string job_id;
    std::vector<int> ranks;
  };
  auto settings = std::make_shared<Settings>();
  CLI::App* command = add_hidden(app, dismiss_command);
  command->add_option("job", settings->job_id)->required();
  command->add_option("ranks", settings->ranks)->required();
  command->callback([settings, &action] {
    action = [settings] {
      dismiss(settings->job_id, settings->ranks);
      return 0;
    };
  });
}

}  // namespace daig::launcher
