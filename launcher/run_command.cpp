#include <chrono>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include <daig/core/error.hpp>

#include "command.hpp"
#include "outcome.hpp"
#include "rank_0.hpp"
#include "supervisor.hpp"

namespace daig::launcher {
namespace {

struct RunSettings {
  Job job;
  std::string hostfile;
  double grace_s = 30;
  bool dry_run = false;
};

int run(RunSettings settings) {
  Job& job = settings.job;
  if (job.ranks < 1) throw UsageError(fmt::format("-n {}: a job has at least one rank", job.ranks));
  if (!(settings.grace_s >= 0 && settings.grace_s <= 1e6)) {
    throw UsageError(fmt::format("--grace {}: give seconds, from 0 to 1000000", settings.grace_s));
  }
  if (!settings.hostfile.empty()) job.hosts = read_hostfile(settings.hostfile);
  if (settings.dry_run) {
    say(shell_text(mpirun_line(job, ::geteuid() == 0)) + "\n");
    return 0;
  }
  check_program(job.program.front(), "give its path, as in daig run -n 4 -- ./program");
  const auto grace =
      std::chrono::duration_cast<Duration>(std::chrono::duration<double>(settings.grace_s));
  const JobEnd end = supervise(job, {.grace = grace, .reads_input = true});
  if (const std::string remark = end.remark(); !remark.empty()) complain(remark);
  return end.exit_code();
}

}  // namespace

void add_run_command(CLI::App& app, Action& action) {
  auto settings = std::make_shared<RunSettings>();
  CLI::App* command = app.add_subcommand(
      "run", "Start any program that is linked with the library, on several ranks");
  command->add_option("-n,--ranks", settings->job.ranks, "ranks; rank 0 is the coordinator")
      ->capture_default_str();
  command
      ->add_option("--hostfile", settings->hostfile,
                   "machines: lines of 'host', 'host:4' or 'host slots=4'; rank 0 runs here")
      ->type_name("FILE");
  command
      ->add_option("--grace", settings->grace_s,
                   "seconds that the others may go on when rank 0 has ended")
      ->capture_default_str();
  command->add_flag("--dry-run", settings->dry_run, "print mpirun's line and do nothing");
  command->add_option("program", settings->job.program, "the program and its arguments")
      ->required()
      ->type_name("PROGRAM ...");
  command->footer(
      "The exit code is rank 0's. Example:\n"
      "  daig run -n 4 -- ./my_training --epochs 3");
  command->callback([settings, &action] { action = [settings] { return run(*settings); }; });
}

void add_rank_0_command(CLI::App& app, Action& action) {
  struct Settings {
    std::string channel;
    std::vector<std::string> program;
  };
  auto settings = std::make_shared<Settings>();
  CLI::App* command = app.add_subcommand(rank_0_command, "")->group("");
  command->add_option("channel", settings->channel)->required();
  command->add_option("program", settings->program)->required();
  command->callback([settings, &action] {
    action = [settings] { return run_rank_0(settings->channel, settings->program); };
  });
}

}  // namespace daig::launcher
