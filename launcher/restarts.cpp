#include "restarts.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <optional>

#include <fmt/format.h>
#include <poll.h>

#include <daig/core/error.hpp>

#include "outcome.hpp"

namespace daig::launcher {
namespace {

using namespace std::chrono_literals;

Duration pause_before_restart(int number) {
  constexpr Duration longest = 30s;
  Duration pause = 1s;
  for (int i = 1; i < number && pause < longest; ++i) pause *= 2;
  return std::min(pause, longest);
}

/// Returns the signal that was sent meanwhile, if any was.
std::optional<int> sleep(Duration time, const SignalWatch& signals) {
  const Deadline deadline = Deadline::in(time);
  do {
    while (const auto signal = signals.next()) {
      if (*signal != SIGCHLD && *signal != SIGUSR1) return signal;
    }
    pollfd source{signals.descriptor(), POLLIN, 0};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline.remaining());
    ::poll(&source, 1, static_cast<int>(left.count()));
  } while (!deadline.expired());
  return std::nullopt;
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

int run_job(const RestartableJob& restartable, const Supervision& how, int restarts) {
  const SignalWatch signals;
  for (int attempt = 1;; ++attempt) {
    Job job = restartable.job(attempt);
    job.environment.emplace_back(attempt_variable, fmt::to_string(attempt));
    JobEnd end = supervise(job, how, signals);
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
    if (const auto signal = sleep(pause_before_restart(attempt), signals)) return 128 + *signal;
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
