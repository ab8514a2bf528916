#include "growing_job.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include <daig/comm/invitation.hpp>
#include <daig/core/error.hpp>

#include "outcome.hpp"
#include "placement.hpp"
#include "process.hpp"
#include "reap.hpp"

namespace daig::launcher {

GrowingJob::GrowingJob(const GrowthSupply& supply, GrowingAttempt attempt, const sigset_t& blocked)
    : supply_(supply),
      attempt_(std::move(attempt)),
      founders_(room_on(attempt_.founders)),
      door_(attempt_.door),
      growth_(supply.listed, attempt_.founders, supply.limits, Clock::now()),
      heard_(supply.listed),
      newcomers_(blocked, attempt_.job_id) {}

void GrowingJob::check() {
  const TimePoint now = Clock::now();
  for (const NewcomerEnd& end : newcomers_.check()) {
    growth_.hear_ended(end.rank, end.exit_code, now);
  }
  errands_.check();
  if (!grows_) return;
  supply_.watch.check();
  const std::string addresses = door_.addresses();
  if (addresses.empty()) return;
  was_open_ = true;
  for (const int rank : door_.newly_lost()) growth_.hear_lost(rank, now);
  if (const auto& listed = supply_.watch.list(); listed && *listed != heard_) {
    heard_ = *listed;
    growth_.hear_list(heard_, now);
  }
  carry_out(growth_.decide(now), addresses);
}

void GrowingJob::carry_out(const GrowthOrders& orders, const std::string& addresses) {
  for (const std::string& remark : orders.remarks) note(remark);
  for (const HostRanks& ranks : orders.leave) ask_to_leave(ranks);
  for (const HostRanks& ranks : orders.join) start(ranks, addresses);
}

void GrowingJob::start(const HostRanks& ranks, const std::string& addresses) {
  const auto is_this_host = [&](const Host& host) { return host.name == ranks.host; };
  if (!ranks.here && std::ranges::none_of(used_hosts_, is_this_host)) {
    used_hosts_.push_back({.name = ranks.host});
  }
  for (const int rank : ranks.ranks) {
    JoinOrder order = attempt_.order;
    order.environment.emplace_back(job_variable, attempt_.job_id);
    order.environment.emplace_back(comm::key_variable, attempt_.key);
    order.environment.emplace_back(comm::join_variable, addresses);
    order.environment.emplace_back(comm::rank_variable, fmt::to_string(rank));
    try {
      if (ranks.here) {
        newcomers_.start_here(rank, order);
      } else {
        newcomers_.start_on(ranks.host, rank, order);
      }
    } catch (const IoError& error) {
      warn(error.what());
      growth_.hear_ended(rank, static_cast<int>(ExitCode::io), Clock::now());
    }
  }
}

void GrowingJob::ask_to_leave(const HostRanks& ranks) {
  std::vector<int> founders;
  for (const int rank : ranks.ranks) {
    if (rank < founders_) founders.push_back(rank);
    newcomers_.ask_to_leave(rank, attempt_.grace);
  }
  if (founders.empty()) return;
  if (ranks.here) {
    dismiss(attempt_.job_id, founders);
    return;
  }
  std::vector<std::string> command{own_path(), dismiss_command, attempt_.job_id};
  for (const int rank : founders) command.push_back(fmt::to_string(rank));
  try {
    errands_.run(ranks.host, command);
  } catch (const IoError& error) {
    warn(error.what());
  }
}

}  // namespace daig::launcher
