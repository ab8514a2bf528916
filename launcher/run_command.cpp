#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include <daig/core/error.hpp>

#include "command.hpp"
#include "elasticity.hpp"
#include "outcome.hpp"
#include "placement.hpp"
#include "restarts.hpp"

namespace daig::launcher {
namespace {

constexpr const char* more =
    R"(The exit code is rank 0's; 128 + n when signal n ended it, or the launcher.

The first SIGINT (Ctrl-C), SIGTERM or SIGHUP goes to rank 0 alone, as SIGTERM: it is to end the
others and itself. The second ends all at once. SIGUSR1 goes to every rank.

When rank 0 or mpirun was killed, or the start hung, the whole job is started again, on the hosts
that are listed and answer by then, and after a pause: 1 s, 2 s, 4 s ... 30 s. Every rank finds the
number of its attempt (1, 2, ...) in DAIG_ATTEMPT; what it goes on from is the program's business.
An exit code above 128 counts as killed, as in a shell; any other is the end of the job.

)";

constexpr const char* example = R"(

Examples:
  daig run -n 4 -- ./my_training --epochs 3
  daig run --hostfile hosts -n 4 --max-ranks 16 -- ./my_training
  daig run --discover ./free_machines --min-ranks 2 -- ./my_training)";

struct RunSettings {
  Job job;
  Elasticity elasticity;
  double grace_s = 30;
  int restarts = 3;
  bool dry_run = false;

  /// The job as it would start now.
  Job job_now() const {
    Job now = job;
    if (!elasticity.hostfile.empty()) {
      const std::vector<Host> listed = read_hostfile(elasticity.hostfile);
      now.hosts = place_ranks(listed, elasticity.ranks_to_start(room_on(listed)));
      now.ranks = room_on(now.hosts);
    }
    return now;
  }
};

int run(RunSettings settings) {
  check(settings.elasticity);
  settings.job.ranks = settings.elasticity.ranks.value_or(settings.job.ranks);
  const Job job = settings.job_now();
  const Duration grace = grace_of(settings.grace_s);
  check_restarts(settings.restarts);
  if (settings.dry_run) {
    if (!settings.elasticity.discover.empty()) {
      throw UsageError("--dry-run and --discover: what the command will say is not known");
    }
    say(shell_text(mpirun_line(job, ::geteuid() == 0)) + "\n");
    return 0;
  }
  check_program(job.program.front(), "give its path, as in daig run -n 4 -- ./program");
  const bool lets_in = settings.elasticity.asks_for_growth();
  return run_job({.job = [&](int /*attempt*/) { return settings.job; },
                  .elasticity = settings.elasticity,
                  .place = [] { return std::string(); }},
                 {.grace = grace,
                  .farewell = grace,
                  .reads_input = true,
                  .start_sign = lets_in ? StartSign::door : StartSign::program},
                 settings.restarts);
}

}  // namespace

void add_run_command(CLI::App& app, Action& action) {
  auto settings = std::make_shared<RunSettings>();
  CLI::App* command = app.add_subcommand(
      "run", "Start any program that is linked with the library, on several ranks");
  command->add_option("-n,--ranks", settings->elasticity.ranks,
                      "ranks; rank 0 is the coordinator [4; all that the list has room for]");
  add_elasticity_options(*command, settings->elasticity, "Options");
  command
      ->add_option("--grace", settings->grace_s,
                   "seconds that rank 0 has to end when it is told to, and the others when rank 0 "
                   "has ended; then all are ended")
      ->capture_default_str();
  command
      ->add_option("--restarts", settings->restarts,
                   "how often the job is started again when rank 0 or mpirun was killed")
      ->capture_default_str();
  command->add_flag("--dry-run", settings->dry_run, "print mpirun's line and do nothing");
  command->add_option("program", settings->job.program, "the program and its arguments")
      ->required()
      ->type_name("PROGRAM ...");
  command->footer(std::string(more) + elasticity_help + example);
  command->callback([settings, &action] { action = [settings] { return run(*settings); }; });
}

}  // namespace daig::launcher
