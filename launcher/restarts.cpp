#include "restarts.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <variant>

#include <fmt/format.h>

#include <daig/core/error.hpp>

#include "await_hosts.hpp"
#include "outcome.hpp"
#include "placement.hpp"

namespace daig::launcher {
namespace {

using namespace std::chrono_literals;

Duration pause_before_restart(int number) {
  constexpr Duration longest = 30s;
  Duration pause = 1s;
  for (int i = 1; i < number && pause < longest; ++i) pause *= 2;
  return std::min(pause, longest);
}

/// Why an attempt is to be made again; empty when it is not.
std::string reason_to_restart(const JobEnd& end, int attempt) {
  std::string loss = end.loss();
  // Hosts that cannot be reached at the first attempt are bad input; later they may have gone down
  // with the coordinator, and may come up again or be taken out of the hostfile.
  if (loss.empty() && attempt > 1 && !end.signal && !end.rank_0 && end.lost_host) {
    loss = "a host could not be reached";
  }
  return loss;
}

}  // namespace

int run_job(const RestartableJob& restartable, Supervision how, int restarts) {
  const SignalWatch signals;
  const Elasticity& elasticity = restartable.elasticity;
  how.start_limit = elasticity.start_limit();
  std::optional<HostListWatch> watch;
  if (elasticity.has_list()) watch.emplace(elasticity.source());
  for (int attempt = 1;; ++attempt) {
    Job job = restartable.job(attempt);
    job.environment.emplace_back(attempt_variable, fmt::to_string(attempt));
    JobEnd end;
    if (watch) {
      const auto unreachable = attempt == 1 ? Unreachable::counted : Unreachable::left_out;
      const auto found = await_hosts(*watch, elasticity, unreachable, signals);
      if (const int* signal = std::get_if<int>(&found)) return 128 + *signal;
      const auto& hosts = std::get<StartingHosts>(found);
      job.hosts = hosts.founders;
      job.ranks = room_on(hosts.founders);
      const GrowthSupply supply{*watch, elasticity.limits(), hosts.listed};
      end = supervise(job, how, signals, &supply);
    } else {
      end = supervise(job, how, signals);
    }
    const std::string reason = reason_to_restart(end, attempt);
    if (attempt > restarts || reason.empty()) {
      if (const std::string remark = end.remark(); !remark.empty()) complain(remark);
      return end.exit_code();
    }
    try {
      const std::string place = restartable.place();
      warn(fmt::format("{}; restarting{}{} ({} of {} restart{})", reason, place.empty() ? "" : " ",
                       place, attempt, restarts, restarts == 1 ? "" : "s"));
    } catch (const Error& error) {
      complain(fmt::format("{}, and the job cannot be restarted: {}", reason, error.what()));
      return end.exit_code();
    }
    if (const auto signal = signals.pause(pause_before_restart(attempt))) return 128 + *signal;
  }
}

void check_restarts(int restarts) {
  if (restarts < 0 || restarts > 1'000'000) {
    throw UsageError(fmt::format("--restarts {}: give a number from 0 to 1000000", restarts));
  }
}

Duration grace_of(double seconds) {
  if (!(seconds >= 0 && seconds <= 1e6)) {
    throw UsageError(fmt::format("--grace {}: give seconds, from 0 to 1000000", seconds));
  }
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

}  // namespace daig::launcher
