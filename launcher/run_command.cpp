#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include <daig/core/error.hpp>

#include "command.hpp"
#include "outcome.hpp"
#include "restarts.hpp"

namespace daig::launcher {
namespace {

constexpr const char* more =
    R"(The exit code is rank 0's; 128 + n when signal n ended it, or the launcher.

The first SIGINT (Ctrl-C), SIGTERM or SIGHUP goes to rank 0 alone, as SIGTERM: it is to end the
others and itself. The second ends all at once. SIGUSR1 goes to every rank.

When rank 0 or mpirun was killed, the whole job is started again, on the hosts that are in the
hostfile by then, and after a pause: 1 s, 2 s, 4 s ... 30 s. Every rank finds the number of its
attempt (1, 2, ...) in DAIG_ATTEMPT; what it goes on from is the program's business. An exit code
above 128 counts as killed, as in a shell; any other is the end of the job.

Example:
  daig run -n 4 -- ./my_training --epochs 3)";

struct RunSettings {
  Job job;
  std::string hostfile;
  double grace_s = 30;
  int restarts = 3;
  bool dry_run = false;

  Job job_now() const {
    Job now = job;
    if (!hostfile.empty()) now.hosts = read_hostfile(hostfile);
    return now;
  }
};

int run(const RunSettings& settings) {
  const Job job = settings.job_now();
  if (job.ranks < 1) throw UsageError(fmt::format("-n {}: a job has at least one rank", job.ranks));
  const Duration grace = grace_of(settings.grace_s);
  check_restarts(settings.restarts);
  if (settings.dry_run) {
    say(shell_text(mpirun_line(job, ::geteuid() == 0)) + "\n");
    return 0;
  }
  check_program(job.program.front(), "give its path, as in daig run -n 4 -- ./program");
  return run_job({.job = [&](int /*attempt*/) { return settings.job_now(); },
                  .place = [] { return std::string(); }},
                 {.grace = grace, .farewell = grace, .reads_input = true}, settings.restarts);
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
  command->footer(more);
  command->callback([settings, &action] { action = [settings] { return run(*settings); }; });
}

}  // namespace daig::launcher
