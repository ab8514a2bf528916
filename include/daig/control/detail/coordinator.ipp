// The bodies of control/coordinator.hpp.

#pragma once

#include <cmath>
#include <limits>

#include <daig/control/coordinator.hpp>
#include <daig/core/inline.hpp>

namespace daig::control {

DAIG_INLINE Coordinator::Coordinator(Rules rules, BatchQueue queue, const comm::View& view,
                                     Version version)
    : rules_(std::move(rules)),
      queue_(std::move(queue)),
      view_{view.id, {}},
      version_(version),
      total_steps_(version.value()),
      next_exchange_(rules_.first_exchange),
      norms_(rules_.norm_factor) {
  rules_.check();
  expects(view.position(coordinator_rank).has_value(), "a view with the coordinator in it");
  total_steps_ += queue_.left() / rules_.k + (queue_.left() % rules_.k == 0 ? 0 : 1);
  for (const Rank rank : view.members) members_.emplace(rank, MemberRecord());
}

DAIG_INLINE Actions Coordinator::receive(Rank from, const Message& message, Duration now) {
  now_ = now;
  if (over()) return take_actions();
  if (const auto* hello = std::get_if<Hello>(&message)) {
    hear_hello(from, *hello);
  } else if (MemberRecord* member = find(from);
             member != nullptr &&
             (member->standing != Standing::expected || std::holds_alternative<Failed>(message))) {
    member->liveness.heard(now);
    std::visit([&](const auto& body) { on(from, body); }, message);
  } else if (member == nullptr) {
    tell_again(from, message);
  }
  return take_actions();
}

DAIG_INLINE Actions Coordinator::tick(Duration now) {
  now_ = now;
  if (!over()) check_silence();
  // While work is left, all hands are full; then, tickets may have become overdue, and who refused
  // a gradient may be the only one left to compute it again.
  if (phase_ == Phase::open && queue_.empty()) grant();
  return take_actions();
}

DAIG_INLINE Actions Coordinator::stop(Duration now) {
  now_ = now;
  stopping_ = true;
  if (phase_ == Phase::gathering || phase_ == Phase::open) finish();
  return take_actions();
}

DAIG_INLINE Actions Coordinator::abort(ExitCode code, std::string reason) {
  if (!over()) end(code, std::move(reason));
  return take_actions();
}

DAIG_INLINE Duration Coordinator::leeway() const {
  if (phase_ == Phase::reducing && !first_reduced_) return std::chrono::milliseconds(1);
  if (phase_ != Phase::open) return Duration::zero();
  const double batches = static_cast<double>(rules_.tickets_in_hand) * 3 / 4;
  return std::chrono::duration_cast<Duration>(
      std::chrono::duration<double>(batches * std::min(mean_service_.mean_s(), 3600.0)));
}

// Events ----------------------------------------------------------------------------------------

DAIG_INLINE void Coordinator::on(Rank from, const Done& done) {
  const auto ticket = tickets_.find(done.ticket);
  // A ticket that is not out was cancelled: this Done crossed the Close or Cancel.
  if (ticket == tickets_.end() || ticket->second.holder != from) return;
  if (banked_.size() == rules_.k) {  // too late, though the Close waits for newcomers
    send(from, Cancel{done.ticket});
    return give_back(ticket);
  }
  const Work work = ticket->second.work;
  Doubt* doubt = doubt_about(work);
  if (!norms_.believes(done.norm) && !is_confirmed(doubt, done.norm)) {
    send(from, Cancel{done.ticket});
    return refuse(from, ticket, done.norm);
  }
  norms_.add(done.norm);
  MemberRecord& volunteer = members_.at(from);
  volunteer.service.add(done.service_s);
  mean_service_.add(done.service_s);
  ++volunteer.accepted;
  banked_.push_back(
      {work.epoch, work.batch, from, done.samples, done.loss_sum, done.service_s, done.correct});
  send(from, Accept{done.ticket});
  const std::optional<TicketId> twin = ticket->second.twin;
  release(ticket);
  if (twin) {
    const auto other = tickets_.find(*twin);
    send(other->second.holder, Cancel{*twin});
    release(other);
  }
  if (doubt != nullptr) {
    const Doubt settled = *doubt;
    doubts_.erase(doubts_.begin() + (doubt - doubts_.data()));
    // The same again: it was the batch. Something else: it was the volunteer.
    if (settled.volunteer != from && !is_confirmed(&settled, done.norm)) {
      strike(settled.volunteer, settled.norm);
    }
  }
  close_if_full();
  if (phase_ == Phase::open && find(from) != nullptr) grant_one(from);
}

DAIG_INLINE void Coordinator::on(Rank from, const GiveBack& given_back) {
  const auto ticket = tickets_.find(given_back.ticket);
  if (ticket == tickets_.end() || ticket->second.holder != from) return;
  give_back(ticket);
  grant();
}

DAIG_INLINE void Coordinator::on(Rank from, const Spoiled& spoiled) {
  const auto ticket = tickets_.find(spoiled.ticket);
  if (ticket == tickets_.end() || ticket->second.holder != from) return;
  refuse(from, ticket, spoiled.norm);
}

DAIG_INLINE void Coordinator::on(Rank from, const Reduced& reduced) {
  if (phase_ != Phase::reducing || reduced.step.value() != version_.value() ||
      reduced.view != reducing_view_.id || members_.at(from).standing != Standing::member) {
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

/// A volunteer that lost touch is one volunteer less; what fails for another reason (its data, its
/// program) fails everywhere.
DAIG_INLINE void Coordinator::on(Rank from, const Failed& failed) {
  const ExitCode code{failed.exit_code};
  const bool is_newcomer =
      phase_ != Phase::gathering && members_.at(from).standing != Standing::member;
  if (from != coordinator_rank && (code == ExitCode::peer || is_newcomer)) {
    return expel(from, failed.reason);
  }
  const bool known = code >= ExitCode::failure && code <= ExitCode::finding;
  end(known ? code : ExitCode::failure,
      fmt::format("rank {} failed: {}", from.value(), failed.reason));
}

DAIG_INLINE void Coordinator::on(Rank from, const Bye& bye) {
  if (phase_ != Phase::finishing) return;
  if (!first_bye_) first_bye_ = {from, bye};
  if (bye.weights_digest != first_bye_->second.weights_digest) {
    return end(ExitCode::failure, fmt::format("ranks {} and {} end with different weights",
                                              first_bye_->first.value(), from.value()));
  }
  if (is_last_answer(from)) phase_ = Phase::over;
}

/// Begins a phase; all members' answers are to come.
DAIG_INLINE void Coordinator::enter(Phase phase) {
  phase_ = phase;
  for (auto& [rank, member] : members_) member.answered = false;
  unanswered_ = view_.size();
}

DAIG_INLINE bool Coordinator::is_last_answer(Rank from) {
  if (!std::exchange(members_.at(from).answered, true)) --unanswered_;
  return unanswered_ == 0;
}

// Granting --------------------------------------------------------------------------------------

DAIG_INLINE void Coordinator::welcome(Rank rank) {
  const data::ShardPlan& plan = queue_.plan();
  send(rank, Welcome{plan.samples(), plan.batch_size(), plan.shards(), rules_.has_dataset ? 1u : 0u,
                     rules_.seed, rules_.shuffle_seed});
}

/// Fills everyone's hands, one ticket each before anyone's second: near the end, nobody hoards.
DAIG_INLINE void Coordinator::grant() {
  for (std::uint64_t depth = 1; depth <= rules_.tickets_in_hand; ++depth) {
    for (const Rank rank : fastest_first_) {
      if (members_.at(rank).in_hand < depth) grant_one(rank);
    }
  }
}

/// One more ticket for a volunteer, if there is work and the rules let it have some.
DAIG_INLINE void Coordinator::grant_one(Rank volunteer) {
  MemberRecord& member = members_.at(volunteer);
  if (!may_have_more(member)) return;
  std::optional<TicketId> twin;
  const std::optional<Work> work = next_work(volunteer, twin);
  if (!work) return;

  ++member.in_hand;
  const double deadline_s = ticket_deadline_s(mean_service_.mean_s(), member.in_hand);
  const Duration overdue =
      now_ + std::chrono::duration_cast<Duration>(std::chrono::duration<double>(deadline_s));
  if (twin) tickets_.at(*twin).twin = next_ticket_;
  tickets_.emplace(next_ticket_, Ticket{*work, volunteer, overdue, twin});
  const std::uint8_t awaited = may_close_the_step() ? 1 : 0;
  // A second opinion is heard whatever it says.
  const bool is_doubted = doubt_about(*work) != nullptr;
  const double most_norm = is_doubted ? std::numeric_limits<double>::infinity() : norms_.bound();
  send(volunteer, Grant{next_ticket_, *work, version_, deadline_s, most_norm, awaited});
  next_ticket_ = next_ticket_.next();
  if (!rules_.has_dataset) return;
  if (const auto shard = queue_.claim_next(volunteer, 2 * rules_.tickets_in_hand)) {
    send(volunteer, Prefetch{*shard});
  }
}

/// What was refused from another, then what nobody has had, then an overdue ticket's backup.
DAIG_INLINE std::optional<Work> Coordinator::next_work(Rank volunteer,
                                                       std::optional<TicketId>& twin) {
  for (Doubt& doubt : doubts_) {
    if (!doubt.pending) continue;
    if (doubt.volunteer == volunteer && others_may_have_more(volunteer)) continue;
    doubt.pending = false;
    return doubt.work;
  }
  if (std::optional<Work> work = queue_.take(volunteer)) return work;
  twin = overdue_ticket(volunteer);
  return twin ? std::optional(tickets_.at(*twin).work) : std::nullopt;
}

DAIG_INLINE bool Coordinator::may_have_more(const MemberRecord& volunteer) const {
  if (volunteer.leaving || volunteer.in_hand >= rules_.tickets_in_hand) return false;
  // Whoever holds as many as the step lacks would close it all alone; more would only be cancelled.
  if (banked_.size() + volunteer.in_hand >= rules_.k) return false;
  const std::uint64_t share = volunteer.accepted + volunteer.in_hand;
  // Leavers bank nothing more: the step has to fit into the others' shares.
  auto contributors = static_cast<std::uint64_t>(std::ranges::count_if(
      fastest_first_, [this](Rank rank) { return !members_.at(rank).leaving; }));
  if (rules_.max_contributors > 0) {
    contributors = std::min(contributors, rules_.max_contributors);
    if (share == 0 && contributors_now() >= contributors) return false;
  }
  // Shares of those who may contribute, not of all: K batches must fit into them.
  if (share >= share_cap(rules_.k, rules_.balance, contributors)) return false;
  return rules_.supply == Supply::any_k || banked_.size() + tickets_.size() < rules_.k;
}

/// Whether somebody else is busy, or may be.
DAIG_INLINE bool Coordinator::others_may_have_more(Rank volunteer) const {
  return std::ranges::any_of(fastest_first_, [&](Rank rank) {
    const MemberRecord& other = members_.at(rank);
    return rank != volunteer && !other.leaving && (other.in_hand > 0 || may_have_more(other));
  });
}

/// Volunteers with tickets or banked batches in this step.
DAIG_INLINE std::uint64_t Coordinator::contributors_now() const {
  return static_cast<std::uint64_t>(std::ranges::count_if(members_, [](const auto& member) {
    return !member.second.leaving && member.second.accepted + member.second.in_hand > 0;
  }));
}

/// Whether the newest ticket is among the last two that each volunteer will bank in this step, if
/// all are alike.
DAIG_INLINE bool Coordinator::may_close_the_step() const {
  const std::uint64_t before = banked_.size() + tickets_.size();
  return all_handed_out() || before + 2 * fastest_first_.size() > rules_.k;
}

/// A ticket that someone else holds past its deadline, alone: worth a backup.
DAIG_INLINE std::optional<TicketId> Coordinator::overdue_ticket(Rank volunteer) const {
  if (!rules_.backups) return std::nullopt;
  for (const auto& [id, ticket] : tickets_) {
    const bool may_help = ticket.overdue <= now_ && ticket.holder != volunteer && !ticket.twin;
    // Nobody confirms a doubt about its own gradient.
    const auto doubt = std::ranges::find(doubts_, ticket.work, &Doubt::work);
    if (may_help && (doubt == doubts_.end() || doubt->volunteer != volunteer)) return id;
  }
  return std::nullopt;
}

/// A ticket is out no more, and its twin, if it has one, holds the work alone.
DAIG_INLINE void Coordinator::release(TicketPlace ticket) {
  if (ticket->second.twin) tickets_.at(*ticket->second.twin).twin.reset();
  // The holder may be gone.
  if (MemberRecord* holder = find(ticket->second.holder)) --holder->in_hand;
  tickets_.erase(ticket);
}

/// A ticket comes back unfinished: its work is to be had again, unless a twin holds it.
DAIG_INLINE void Coordinator::give_back(TicketPlace ticket) {
  if (!ticket->second.twin) {
    if (Doubt* doubt = doubt_about(ticket->second.work)) {
      doubt->pending = true;
    } else {
      queue_.give_back(ticket->second.work);
    }
  }
  release(ticket);
}

DAIG_INLINE bool Coordinator::all_handed_out() const {
  return queue_.empty() && std::ranges::none_of(doubts_, &Doubt::pending);
}

// Gradients that are not believed ---------------------------------------------------------------

DAIG_INLINE Coordinator::Doubt* Coordinator::doubt_about(const Work& work) {
  const auto found = std::ranges::find(doubts_, work, &Doubt::work);
  return found == doubts_.end() ? nullptr : &*found;
}

/// Two volunteers find the same large gradient: then it is what the batch gives.
DAIG_INLINE bool Coordinator::is_confirmed(const Doubt* doubt, double norm) const {
  return doubt != nullptr && std::isfinite(norm) && std::isfinite(doubt->norm) &&
         std::abs(norm - doubt->norm) <= 0.01 * doubt->norm;
}

/// The batch goes to somebody else, and whoever repeats it goes for good.
DAIG_INLINE void Coordinator::refuse(Rank from, TicketPlace ticket, double norm) {
  const Work work = ticket->second.work;
  note("gradient_refused", from,
       fmt::format("epoch {} batch {}: norm {}", work.epoch.value(), work.batch.value(), norm));
  const bool held_twice = ticket->second.twin.has_value();
  release(ticket);
  Doubt* doubt = doubt_about(work);
  if (doubt != nullptr && !std::isfinite(norm) && !std::isfinite(doubt->norm)) {
    const std::string who =
        doubt->volunteer == from
            ? fmt::format("rank {} twice finds", from.value())
            : fmt::format("ranks {} and {} both find", doubt->volunteer.value(), from.value());
    return end(ExitCode::failure,
               fmt::format("{} no finite gradient for epoch {}, batch {}: the training diverges "
                           "(lower the learning rate), or the data is broken",
                           who, work.epoch.value(), work.batch.value()));
  }
  if (doubt != nullptr) {
    *doubt = {work, from, norm, !held_twice};  // a twin is the next opinion
  } else if (!held_twice) {
    doubts_.push_back({work, from, norm});
  }
  grant();
}

/// A gradient was refused, and somebody else found another one for its batch.
DAIG_INLINE void Coordinator::strike(Rank volunteer, double norm) {
  MemberRecord* member = find(volunteer);
  if (member == nullptr || ++member->strikes < rules_.strikes) return;
  // Who is alone is better than nobody, and the coordinator's own member has to stay.
  if (volunteer == coordinator_rank || fastest_first_.size() == 1) return;
  expel(volunteer,
        fmt::format("{} of its gradients were refused, and others found better ones; the last had "
                    "norm {}",
                    member->strikes, norm),
        false);
}

// Steps -----------------------------------------------------------------------------------------

/// The next step opens, or the run ends for want of work.
DAIG_INLINE void Coordinator::open() {
  opened_ = now_;
  if (stopping_ || (all_handed_out() && tickets_.empty())) return finish();
  for (auto& [rank, member] : members_) member.accepted = 0;
  if (fastest_first_.empty()) lonely_since_ = now_;
  enter(Phase::open);
  let_leavers_go();
  if (phase_ != Phase::open) return;
  take_in();
  grant();
}

/// Newcomers that load the weights are waited for: the next step's would be others.
DAIG_INLINE void Coordinator::close_if_full() {
  if (phase_ != Phase::open || loading_) return;
  const bool is_last = all_handed_out() && tickets_.empty() && !banked_.empty();
  if (banked_.size() == rules_.k || is_last) close();
}

DAIG_INLINE void Coordinator::close() {
  for (const Rank rank : view_.members) {
    // Whoever had the whole step for a batch and has none: so slow it is at least.
    MemberRecord& member = members_.at(rank);
    if (member.in_hand > 0 && member.accepted == 0) {
      member.service.at_least(seconds(now_ - opened_));
    }
  }
  // Back to front, so that the earliest granted is at the head of its shard again. The backups
  // come first, being the later ones, and leave the work to the tickets that they back up.
  while (!tickets_.empty()) give_back(std::prev(tickets_.end()));
  closed_ = now_;
  first_reduced_.reset();
  enter(Phase::reducing);
  reducing_view_ = view_;
  reducing_exchange_ = next_exchange_;
  next_exchange_ = next_exchange_.next();
  for (const Rank rank : view_.members) {
    const std::uint64_t accepted = members_.at(rank).accepted;
    send(rank, Close{StepId{version_.value()}, view_, reducing_exchange_, accepted});
  }
}

DAIG_INLINE void Coordinator::commit() {
  metrics::StepRecord record;
  record.step = StepId{version_.value()};
  record.view = reducing_view_.id;
  record.members = reducing_view_.members;
  record.sum_digest = first_reduced_->second.sum_digest;
  record.learning_rate = rules_.learning_rate(version_.value(), total_steps_);
  record.opened_s = seconds(opened_);
  record.closed_s = seconds(closed_);
  record.committed_s = seconds(now_);
  record.batches = std::exchange(banked_, {});
  send_members(Commit{record.step, record.samples(), record.learning_rate});
  actions_.committed = std::move(record);

  version_ = version_.next();
  // Whoever was not measured yet comes first, to be measured.
  std::ranges::stable_sort(fastest_first_, {},
                           [this](Rank rank) { return members_.at(rank).service.mean_s(); });
  open();
}

/// The run ends here, complete or not: what is open is given up.
DAIG_INLINE void Coordinator::finish() {
  while (!tickets_.empty()) give_back(std::prev(tickets_.end()));
  for (const metrics::BatchRecord& batch : std::exchange(banked_, {})) {
    queue_.give_back({batch.epoch, batch.batch});
  }
  loading_.reset();
  for (const auto& [rank, member] : members_) {
    send(rank, last_word(complete() && member.standing == Standing::member));
  }
  // Whoever was expelled and only stood still should not wait for an answer when it comes back.
  for (const auto& [rank, when] : expelled_) send(rank, last_word(false));
  std::erase_if(members_, [](const auto& m) { return m.second.standing != Standing::member; });
  enter(Phase::finishing);
  if (view_.members.empty()) phase_ = Phase::over;
}

DAIG_INLINE Finish Coordinator::last_word(bool complete) const {
  return {static_cast<std::uint8_t>(complete), static_cast<std::uint8_t>(has_lost_)};
}

DAIG_INLINE void Coordinator::end(ExitCode code, std::string reason) {
  for (const auto& [rank, member] : members_) {
    send(rank, Abort{static_cast<std::int32_t>(code), reason});
  }
  failure_ = Failure{code, std::move(reason)};
  phase_ = Phase::over;
}

// Messages --------------------------------------------------------------------------------------

DAIG_INLINE void Coordinator::send(Rank to, Message message) {
  if (MemberRecord* member = find(to)) member->spoken = now_;
  actions_.messages.push_back({to, std::move(message)});
}

DAIG_INLINE void Coordinator::send_members(const Message& message) {
  for (const Rank rank : view_.members) send(rank, message);
}

DAIG_INLINE void Coordinator::note(std::string kind, Rank rank, const std::string& reason) {
  metrics::Fields fields{{"rank", std::int64_t{rank.value()}},
                         {"step", static_cast<std::int64_t>(version_.value())}};
  if (!reason.empty()) fields.push_back({"reason", reason});
  actions_.events.push_back({std::move(kind), std::move(fields)});
}

DAIG_INLINE Actions Coordinator::take_actions() {
  return std::exchange(actions_, {});
}

}  // namespace daig::control
