// The bodies of control/coordinator.hpp.

#pragma once

#include <daig/control/coordinator.hpp>

namespace daig::control {

inline Coordinator::Coordinator(Rules rules, BatchQueue queue, comm::View view, Version version)
    : rules_(std::move(rules)),
      queue_(std::move(queue)),
      view_(std::move(view)),
      version_(version),
      total_steps_(version.value()),
      next_exchange_(rules_.first_exchange) {
  rules_.check();
  expects(view_.size() > 0, "a view with members");
  total_steps_ += queue_.left() / rules_.k + (queue_.left() % rules_.k == 0 ? 0 : 1);
  for (const Rank rank : view_.members) members_[rank];
  enter(Phase::gathering);
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
  const bool gathering = phase_ == Phase::gathering;
  for (auto& [rank, member] : members_) {
    if (over()) break;
    // While the others start, whoever is there has nothing to say and is told nothing.
    if (gathering && member.answered) continue;
    if (now - member.heard > (gathering ? rules_.gather_limit : rules_.silence_limit)) {
      end(ExitCode::peer, fmt::format("rank {} was not heard of for {:.0f} s", rank.value(),
                                      seconds(now - member.heard)));
    } else if (!gathering && now - member.spoken > rules_.heartbeat) {
      send(rank, Heartbeat{});
    }
  }
  // While work is left, all hands are full; then, tickets may have become overdue.
  if (phase_ == Phase::open && queue_.empty()) grant();
  return take_actions();
}

inline Actions Coordinator::abort(ExitCode code, std::string reason) {
  if (!over()) end(code, std::move(reason));
  return take_actions();
}

inline Duration Coordinator::leeway() const {
  if (phase_ != Phase::open) return Duration::zero();
  const double batches = static_cast<double>(rules_.tickets_in_hand) / 2;
  return std::chrono::duration_cast<Duration>(
      std::chrono::duration<double>(batches * std::min(mean_service_.mean_s(), 3600.0)));
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
  members_[from].trains = hello.trains != 0;
  if (is_last_answer(from)) welcome();
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
  const std::optional<TicketId> twin = ticket->second.twin;
  release(ticket);
  if (twin) {
    const auto other = tickets_.find(*twin);
    send(other->second.holder, Cancel{*twin});
    release(other);
  }

  if (banked_.size() == rules_.k || (queue_.empty() && tickets_.empty())) return close();
  grant_one(from);
}

inline void Coordinator::on(Rank from, const GiveBack& given_back) {
  const auto ticket = tickets_.find(given_back.ticket);
  if (ticket == tickets_.end() || ticket->second.holder != from) return;
  if (!ticket->second.twin) queue_.give_back(ticket->second.work);
  release(ticket);
  grant();
}

inline void Coordinator::on(Rank from, const Reduced& reduced) {
  if (phase_ != Phase::reducing || reduced.step.value() != version_.value() ||
      reduced.view != view_.id) {
    return;
  }
  if (!first_reduced_) first_reduced_ = {from, reduced};
  const auto& [first_rank, first] = *first_reduced_;
  const bool same_sum = reduced.sum_digest == first.sum_digest;
  if (!same_sum || reduced.weights_digest != first.weights_digest) {
    return end(ExitCode::failure,
               fmt::format("ranks {} and {} hold different {} in step {}: the machines or their "
                           "builds do not compute alike",
                           first_rank.value(), from.value(), same_sum ? "weights" : "sums",
                           version_.value()));
  }
  if (is_last_answer(from)) commit();
}

inline void Coordinator::on(Rank from, const Failed& failed) {
  const ExitCode code{failed.exit_code};
  const bool known = code >= ExitCode::failure && code <= ExitCode::finding;
  end(known ? code : ExitCode::failure,
      fmt::format("rank {} failed: {}", from.value(), failed.reason));
}

inline void Coordinator::on(Rank from, const Bye& bye) {
  if (phase_ != Phase::finishing) return;
  if (!first_bye_) first_bye_ = {from, bye};
  if (bye.weights_digest != first_bye_->second.weights_digest) {
    return end(ExitCode::failure, fmt::format("ranks {} and {} end with different weights",
                                              first_bye_->first.value(), from.value()));
  }
  if (is_last_answer(from)) phase_ = Phase::over;
}

/// Begins a phase; all members' answers are to come.
inline void Coordinator::enter(Phase phase) {
  phase_ = phase;
  for (auto& [rank, member] : members_) member.answered = false;
  unanswered_ = members_.size();
}

inline bool Coordinator::is_last_answer(Rank from) {
  if (!std::exchange(members_[from].answered, true)) --unanswered_;
  return unanswered_ == 0;
}

// Granting --------------------------------------------------------------------------------------

inline void Coordinator::welcome() {
  for (auto& [rank, member] : members_) {
    member.heard = now_;
    if (member.trains) fastest_first_.push_back(rank);
  }
  if (fastest_first_.empty()) return end(ExitCode::usage, "no rank of the run trains");
  const data::ShardPlan& plan = queue_.plan();
  send_all(Welcome{view_, next_exchange_, version_, plan.samples(), plan.batch_size(),
                   plan.shards(), rules_.has_dataset ? 1u : 0u, rules_.seed});
  next_exchange_ = next_exchange_.next();
  open();
}

/// Fills everyone's hands, one ticket each before anyone's second: near the end, nobody hoards.
inline void Coordinator::grant() {
  for (std::uint64_t depth = 1; depth <= rules_.tickets_in_hand; ++depth) {
    for (const Rank rank : fastest_first_) {
      if (members_[rank].in_hand < depth) grant_one(rank);
    }
  }
}

/// One more ticket for a volunteer, if there is work and the rules let it have some.
inline void Coordinator::grant_one(Rank volunteer) {
  Member& member = members_[volunteer];
  if (!may_have_more(member)) return;
  std::optional<Work> work = queue_.take(volunteer);
  const std::optional<TicketId> twin = work ? std::nullopt : overdue_ticket(volunteer);
  if (twin) work = tickets_.at(*twin).work;
  if (!work) return;

  if (member.accepted + member.in_hand == 0) ++contributors_;
  ++member.in_hand;
  const double deadline_s = ticket_deadline_s(mean_service_.mean_s(), member.in_hand);
  const Duration overdue =
      now_ + std::chrono::duration_cast<Duration>(std::chrono::duration<double>(deadline_s));
  if (twin) tickets_.at(*twin).twin = next_ticket_;
  tickets_.emplace(next_ticket_, Ticket{*work, volunteer, overdue, twin});
  const std::uint8_t awaited = may_close_the_step() ? 1 : 0;
  send(volunteer, Grant{next_ticket_, *work, version_, deadline_s, awaited});
  next_ticket_ = next_ticket_.next();
  if (!rules_.has_dataset) return;
  if (const auto shard = queue_.claim_next(volunteer, 2 * rules_.tickets_in_hand)) {
    send(volunteer, Prefetch{*shard});
  }
}

inline bool Coordinator::may_have_more(const Member& volunteer) const {
  if (volunteer.in_hand >= rules_.tickets_in_hand) return false;
  const std::uint64_t share = volunteer.accepted + volunteer.in_hand;
  std::uint64_t contributors = fastest_first_.size();
  if (rules_.max_contributors > 0) {
    contributors = std::min(contributors, rules_.max_contributors);
    if (share == 0 && contributors_ >= contributors) return false;
  }
  // Shares of those who may contribute, not of all: K batches must fit into them.
  if (share >= share_cap(rules_.k, rules_.balance, contributors)) return false;
  return rules_.supply == Supply::any_k || banked_.size() + tickets_.size() < rules_.k;
}

/// Whether the newest ticket is among the last two that each volunteer will bank in this step, if
/// all are alike.
inline bool Coordinator::may_close_the_step() const {
  const std::uint64_t before = banked_.size() + tickets_.size();
  return queue_.empty() || before + 2 * fastest_first_.size() > rules_.k;
}

/// A ticket that someone else holds past its deadline, alone: worth a backup.
inline std::optional<TicketId> Coordinator::overdue_ticket(Rank volunteer) const {
  if (!rules_.backups) return std::nullopt;
  for (const auto& [id, ticket] : tickets_) {
    if (ticket.overdue <= now_ && ticket.holder != volunteer && !ticket.twin) return id;
  }
  return std::nullopt;
}

/// A ticket is out no more, and its twin, if it has one, holds the work alone.
inline void Coordinator::release(std::map<TicketId, Ticket>::iterator ticket) {
  if (ticket->second.twin) tickets_.at(*ticket->second.twin).twin.reset();
  Member& holder = members_[ticket->second.holder];
  --holder.in_hand;
  if (holder.accepted + holder.in_hand == 0) --contributors_;
  tickets_.erase(ticket);
}

// Steps -----------------------------------------------------------------------------------------

/// The next step opens, or the run ends for want of work.
inline void Coordinator::open() {
  opened_ = now_;
  if (queue_.empty()) {
    enter(Phase::finishing);
    return send_all(Finish{});
  }
  contributors_ = 0;
  for (auto& [rank, member] : members_) member.accepted = 0;
  enter(Phase::open);
  grant();
}

inline void Coordinator::close() {
  // Back to front, so that the earliest granted is at the head of its shard again.
  for (auto ticket = tickets_.rbegin(); ticket != tickets_.rend(); ++ticket) {
    const auto& [id, out] = *ticket;
    const bool is_backup = out.twin && *out.twin < id;  // the work goes back with the other
    if (!is_backup) queue_.give_back(out.work);
  }
  tickets_.clear();
  closed_ = now_;
  first_reduced_.reset();
  enter(Phase::reducing);
  for (auto& [rank, member] : members_) {
    // Whoever had the whole step for a batch and has none: so slow it is at least.
    if (member.in_hand > 0 && member.accepted == 0) {
      member.service.at_least(seconds(closed_ - opened_));
    }
    member.in_hand = 0;
    send(rank, Close{StepId{version_.value()}, view_, next_exchange_, member.accepted});
  }
  next_exchange_ = next_exchange_.next();
}

inline void Coordinator::commit() {
  metrics::StepRecord record;
  record.step = StepId{version_.value()};
  record.view = view_.id;
  record.members = view_.members;
  record.sum_digest = first_reduced_->second.sum_digest;
  record.learning_rate = rules_.learning_rate(version_.value(), total_steps_);
  record.opened_s = seconds(opened_);
  record.closed_s = seconds(closed_);
  record.committed_s = seconds(now_);
  record.batches = std::exchange(banked_, {});
  send_all(Commit{record.step, record.samples(), record.learning_rate});
  actions_.committed = std::move(record);

  version_ = version_.next();
  // Whoever was not measured yet comes first, to be measured.
  std::ranges::stable_sort(fastest_first_, {},
                           [this](Rank rank) { return members_[rank].service.mean_s(); });
  open();
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
