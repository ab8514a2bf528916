// The bodies of control/coordinator.hpp.

#pragma once

#include <daig/control/coordinator.hpp>

namespace daig::control {

inline Coordinator::Coordinator(Rules rules, BatchQueue queue, comm::View view, Version version)
    : rules_(std::move(rules)),
      queue_(std::move(queue)),
      view_(std::move(view)),
      version_(version) {
  rules_.check();
  expects(view_.size() > 0, "a view with members");
  total_steps_ = version_.value() + (queue_.left() + rules_.k - 1) / rules_.k;
  for (const Rank rank : view_.members) members_[rank];
}

inline Actions Coordinator::receive(Rank from, const Message& message, Duration now) {
  now_ = now;
  const auto member = members_.find(from);
  if (member != members_.end() && !over()) {
    member->second.heard = now;
    std::visit([&](const auto& body) { on(from, body); }, message);
  }
  return take_actions();
}

inline Actions Coordinator::tick(Duration now) {
  now_ = now;
  for (auto& [rank, member] : members_) {
    if (over()) break;
    const Duration limit = phase_ == Phase::gathering ? rules_.gather_limit : rules_.silence_limit;
    if (now - member.heard > limit && !(phase_ == Phase::gathering && member.present)) {
      end(ExitCode::peer, fmt::format("rank {} was not heard of for {:.0f} s", rank.value(),
                                      seconds(now - member.heard)));
    } else if (now - member.spoken > rules_.heartbeat && phase_ != Phase::gathering) {
      send(rank, Heartbeat{});
    }
  }
  if (phase_ == Phase::open) grant();  // tickets may have become overdue
  return take_actions();
}

inline Actions Coordinator::abort(ExitCode code, std::string reason) {
  if (!over()) end(code, std::move(reason));
  return take_actions();
}

// Events ----------------------------------------------------------------------------------------

inline void Coordinator::on(Rank from, const Hello& hello) {
  if (phase_ != Phase::gathering) return;
  if (hello.protocol != Hello{}.protocol || hello.settings_digest != rules_.settings_digest) {
    return end(
        ExitCode::usage,
        fmt::format("rank {} was started with other settings than the coordinator (or another "
                    "version of DAIG): start all ranks with the same program and options",
                    from.value()));
  }
  members_[from].present = true;
  members_[from].trains = hello.trains != 0;
  if (std::ranges::all_of(members_, [](const auto& m) { return m.second.present; })) welcome();
}

inline void Coordinator::on(Rank from, const Done& done) {
  const auto ticket = tickets_.find(done.ticket);
  // A ticket that is not out was cancelled: this Done crossed the Close or Cancel.
  if (ticket == tickets_.end() || ticket->second.holder != from) return;
  const Work work = ticket->second.work;
  Member& volunteer = members_[from];

  volunteer.service.add(done.service_s);
  mean_service_.add(done.service_s);
  ++volunteer.accepted;
  banked_.push_back({work.epoch, work.batch, from, done.samples, done.loss_sum, done.service_s});
  send(from, Accept{done.ticket});
  release(ticket);
  for (auto other = tickets_.begin(); other != tickets_.end();) {
    const auto here = other++;
    if (here->second.work != work) continue;
    send(here->second.holder, Cancel{here->first});  // a backup, or what it backed up
    release(here);
  }

  if (banked_.size() == rules_.k || (queue_.empty() && tickets_.empty())) return close();
  grant();
}

inline void Coordinator::on(Rank from, const GiveBack& given_back) {
  const auto ticket = tickets_.find(given_back.ticket);
  if (ticket == tickets_.end() || ticket->second.holder != from) return;
  const Work work = ticket->second.work;
  release(ticket);
  const bool held_elsewhere =
      std::ranges::any_of(tickets_, [&](const auto& other) { return other.second.work == work; });
  if (!held_elsewhere) queue_.give_back(work);
  grant();
}

inline void Coordinator::on(Rank from, const Reduced& reduced) {
  if (phase_ != Phase::reducing || reduced.step.value() != version_.value() ||
      reduced.view != view_.id) {
    return;
  }
  members_[from].reduced = reduced;
  const Reduced& first = reduced;
  for (const auto& [rank, member] : members_) {
    if (!member.reduced) continue;
    if (member.reduced->sum_digest != first.sum_digest ||
        member.reduced->weights_digest != first.weights_digest) {
      return end(ExitCode::failure,
                 fmt::format("ranks {} and {} hold different {} in step {}: the machines or their "
                             "builds do not compute alike",
                             from.value(), rank.value(),
                             member.reduced->sum_digest != first.sum_digest ? "sums" : "weights",
                             version_.value()));
    }
  }
  if (std::ranges::all_of(members_, [](const auto& m) { return m.second.reduced.has_value(); })) {
    commit();
  }
}

inline void Coordinator::on(Rank from, const Failed& failed) {
  end(failed.exit_code > 0 ? ExitCode{failed.exit_code} : ExitCode::failure,
      fmt::format("rank {} failed: {}", from.value(), failed.reason));
}

inline void Coordinator::on(Rank from, const Bye& bye) {
  if (phase_ != Phase::finishing) return;
  members_[from].bye = bye;
  for (const auto& [rank, member] : members_) {
    if (!member.bye) return;
    if (member.bye->weights_digest != bye.weights_digest) {
      return end(ExitCode::failure, fmt::format("ranks {} and {} end with different weights",
                                                from.value(), rank.value()));
    }
  }
  phase_ = Phase::over;
}

// Granting --------------------------------------------------------------------------------------

inline void Coordinator::welcome() {
  const data::ShardPlan& plan = queue_.plan();
  send_all(Welcome{view_, next_exchange_, version_, plan.samples(), plan.batch_size(),
                   plan.shards(), rules_.has_dataset ? 1u : 0u, rules_.seed});
  next_exchange_ = next_exchange_.next();
  for (auto& [rank, member] : members_) {
    member.heard = now_;
    if (member.trains) fastest_first_.push_back(rank);
  }
  if (fastest_first_.empty()) return end(ExitCode::usage, "no rank of the run trains");
  opened_ = now_;
  if (queue_.empty()) {
    phase_ = Phase::finishing;
    return send_all(Finish{});
  }
  phase_ = Phase::open;
  grant();
}

/// Fills everyone's hands, one ticket each before anyone's second: near the end, nobody hoards.
inline void Coordinator::grant() {
  for (std::uint64_t depth = 1; depth <= rules_.tickets_in_hand; ++depth) {
    for (const Rank rank : fastest_first_) {
      const Member& volunteer = members_[rank];
      if (volunteer.in_hand < depth && may_have_more(volunteer)) grant_one(rank);
    }
  }
}

inline bool Coordinator::grant_one(Rank volunteer) {
  std::optional<Work> work = queue_.take(volunteer);
  if (!work) work = overdue_work(volunteer);
  if (!work) return false;
  Member& member = members_[volunteer];
  ++member.in_hand;
  const double deadline_s = ticket_deadline_s(mean_service_.mean_s(), member.in_hand);
  const Duration overdue =
      now_ + std::chrono::duration_cast<Duration>(std::chrono::duration<double>(deadline_s));
  tickets_.emplace(next_ticket_, Ticket{*work, volunteer, overdue});
  send(volunteer, Grant{next_ticket_, *work, version_, deadline_s});
  next_ticket_ = next_ticket_.next();
  if (const auto shard = queue_.claim_next(volunteer, 2 * rules_.tickets_in_hand)) {
    send(volunteer, Prefetch{*shard});
  }
  return true;
}

inline bool Coordinator::may_have_more(const Member& volunteer) const {
  const std::uint64_t share = volunteer.accepted + volunteer.in_hand;
  if (share >= share_cap(rules_.k, rules_.balance, fastest_first_.size())) return false;
  if (rules_.supply == Supply::named_k && banked_.size() + tickets_.size() >= rules_.k) {
    return false;
  }
  if (rules_.max_contributors == 0 || share > 0) return true;
  const auto contributors = std::ranges::count_if(
      members_, [](const auto& m) { return m.second.accepted + m.second.in_hand > 0; });
  return static_cast<std::uint64_t>(contributors) < rules_.max_contributors;
}

/// A batch that someone else holds past its deadline, alone: worth a backup once nothing is left.
inline std::optional<Work> Coordinator::overdue_work(Rank volunteer) const {
  if (!rules_.backups) return std::nullopt;
  for (const auto& [id, ticket] : tickets_) {
    if (ticket.overdue > now_ || ticket.holder == volunteer) continue;
    const Work& work = ticket.work;
    const auto holders = std::ranges::count_if(
        tickets_, [&](const auto& other) { return other.second.work == work; });
    if (holders == 1) return work;
  }
  return std::nullopt;
}

inline void Coordinator::release(std::map<TicketId, Ticket>::iterator ticket) {
  --members_[ticket->second.holder].in_hand;
  tickets_.erase(ticket);
}

// Steps -----------------------------------------------------------------------------------------

inline void Coordinator::close() {
  // Back to front, so that the earliest granted is at the head of its shard again.
  for (auto ticket = tickets_.rbegin(); ticket != tickets_.rend(); ++ticket) {
    const Work& work = ticket->second.work;
    const bool backed_up = std::any_of(std::next(ticket), tickets_.rend(), [&](const auto& other) {
      return other.second.work == work;
    });
    if (!backed_up) queue_.give_back(work);
  }
  tickets_.clear();
  phase_ = Phase::reducing;
  closed_ = now_;
  for (auto& [rank, member] : members_) {
    member.in_hand = 0;
    member.reduced.reset();
    send(rank, Close{StepId{version_.value()}, view_, next_exchange_, member.accepted});
  }
  next_exchange_ = next_exchange_.next();
}

inline void Coordinator::commit() {
  metrics::StepRecord record;
  record.step = StepId{version_.value()};
  record.view = view_.id;
  record.members = view_.members;
  record.sum_digest = members_.begin()->second.reduced->sum_digest;
  record.learning_rate = rules_.learning_rate(version_.value(), total_steps_);
  record.opened_s = seconds(opened_);
  record.closed_s = seconds(closed_);
  record.committed_s = seconds(now_);
  record.batches = std::move(banked_);
  send_all(Commit{record.step, record.samples(), record.learning_rate});
  actions_.committed = std::move(record);

  banked_.clear();
  for (auto& [rank, member] : members_) member.accepted = 0;
  version_ = version_.next();
  opened_ = now_;
  if (queue_.empty()) {
    phase_ = Phase::finishing;
    return send_all(Finish{});
  }
  // Whoever was not measured yet comes first, to be measured.
  std::ranges::stable_sort(fastest_first_, {},
                           [this](Rank rank) { return members_[rank].service.mean_s(); });
  phase_ = Phase::open;
  grant();
}

inline void Coordinator::end(ExitCode code, std::string reason) {
  send_all(Abort{static_cast<std::int32_t>(code), reason});
  failure_ = Failure{code, std::move(reason)};
  phase_ = Phase::over;
}

// Messages --------------------------------------------------------------------------------------

inline void Coordinator::send(Rank to, Message message) {
  members_[to].spoken = now_;
  actions_.messages.push_back({to, std::move(message)});
}

inline void Coordinator::send_all(const Message& message) {
  for (const auto& [rank, member] : members_) send(rank, message);
}

inline Actions Coordinator::take_actions() {
  return std::exchange(actions_, {});
}

}  // namespace daig::control
