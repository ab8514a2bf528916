// The bodies of control/coordinator.hpp that say who takes part.

#pragma once

#include <daig/control/coordinator.hpp>
#include <daig/core/inline.hpp>

namespace daig::control {

DAIG_INLINE MemberRecord* Coordinator::find(Rank rank) {
  const auto found = members_.find(rank);
  return found == members_.end() ? nullptr : &found->second;
}

DAIG_INLINE std::uint64_t Coordinator::count(Standing standing) const {
  return static_cast<std::uint64_t>(std::ranges::count_if(
      members_, [&](const auto& member) { return member.second.standing == standing; }));
}

// Coming ----------------------------------------------------------------------------------------

DAIG_INLINE void Coordinator::hear_hello(Rank from, const Hello& hello) {
  std::uint32_t& life = lives_[from];
  if (hello.life <= life) return;                    // the same again, or one that was overtaken
  if (from == coordinator_rank && life > 0) return;  // in the same boat: it does not begin anew
  life = hello.life;
  if (const MemberRecord* known = find(from); known && known->standing != Standing::expected) {
    has_lost_ = true;
    note("member_lost", from, "it began anew");
    remove(from);
  }
  if (phase_ == Phase::finishing || over()) return send(from, last_word(false));
  const bool alike =
      hello.protocol == Hello{}.protocol && hello.settings_digest == rules_.settings_digest;
  const std::string reason = fmt::format(
      "rank {} was started with other settings than the coordinator (or another version "
      "of DAIG): start all ranks with the same program and options",
      from.value());
  if (!alike && phase_ == Phase::gathering) return end(ExitCode::usage, reason);
  if (!alike) banned_.insert(from);
  if (banned_.contains(from)) {
    return send(from, Expelled{0, alike ? "its gradients were not believed" : reason});
  }
  expelled_.erase(from);
  MemberRecord& newcomer = members_.insert_or_assign(from, MemberRecord(now_)).first->second;
  newcomer.standing = Standing::waiting;
  newcomer.trains = hello.trains != 0;
  somebody_trains_ |= newcomer.trains;
  if (from == coordinator_rank) {
    welcome(from);
    join(from);
  } else if (phase_ == Phase::open && fastest_first_.empty()) {
    take_in();
  }
  begin_if_gathered();
}

/// The first step opens once all who are expected have come, or are given up, and have the weights.
DAIG_INLINE void Coordinator::begin_if_gathered() {
  if (phase_ != Phase::gathering || over() || count(Standing::expected) > 0 || loading_) return;
  take_in();
  if (loading_) return;
  if (!somebody_trains_ && !has_lost_) return end(ExitCode::usage, "no rank of the run trains");
  open();
}

/// Whoever waits is sent the weights, by the coordinator's own member.
DAIG_INLINE void Coordinator::take_in() {
  if (loading_) return;
  comm::View chain{view_.id, {coordinator_rank}};
  for (auto& [rank, member] : members_) {
    if (member.standing == Standing::waiting) chain.members.push_back(rank);
  }
  if (chain.size() == 1) return;
  loading_ = Load{std::move(chain), next_exchange_, version_};
  next_exchange_ = next_exchange_.next();
  for (const Rank rank : loading_->chain.members) {
    MemberRecord& member = members_.at(rank);
    if (member.standing == Standing::waiting) {
      member.standing = Standing::loading;
      member.since = now_;
      welcome(rank);
    }
    send(rank, *loading_);
  }
}

DAIG_INLINE void Coordinator::on(Rank from, const Ready& ready) {
  if (!loading_ || loading_->exchange != ready.exchange) return;
  if (members_.at(from).standing != Standing::loading) return;
  join(from);
  if (count(Standing::loading) > 0) return;
  loading_.reset();
  begin_if_gathered();
  close_if_full();
}

/// A rank becomes a member; the view keeps the order of ranks, so that neighbours stay neighbours.
DAIG_INLINE void Coordinator::join(Rank rank) {
  MemberRecord& member = members_.at(rank);
  member.standing = Standing::member;
  view_.members.insert(std::ranges::upper_bound(view_.members, rank), rank);
  if (phase_ != Phase::gathering) view_.id = view_.id.next();
  // Whoever was not measured yet comes first, to be measured.
  if (member.trains) fastest_first_.insert(fastest_first_.begin(), rank);
  note("member_joined", rank, "");
  if (phase_ == Phase::open) grant();
}

// Going -----------------------------------------------------------------------------------------

DAIG_INLINE void Coordinator::on(Rank from, const Leave&) {
  MemberRecord& member = members_.at(from);
  if (from == coordinator_rank || member.leaving) return;
  if (member.standing != Standing::member) {
    has_lost_ = true;
    send(from, last_word(false));
    return remove(from);
  }
  member.leaving = true;
  member.since = now_;
  for (auto ticket = tickets_.begin(); ticket != tickets_.end();) {
    const auto next = std::next(ticket);
    if (ticket->second.holder == from) give_back(ticket);
    ticket = next;
  }
  note("member_leaving", from, "");
  if (phase_ != Phase::open) return;
  let_leavers_go();
  if (phase_ == Phase::open) grant();
}

/// Whoever wants to leave and has nothing banked goes; all go when nobody is left to fill the step.
DAIG_INLINE void Coordinator::let_leavers_go() {
  const bool all_wish_to =
      std::ranges::all_of(fastest_first_, [this](Rank rank) { return members_.at(rank).leaving; });
  if (all_wish_to) take_in();
  const bool all_leave = all_wish_to && !loading_;
  std::vector<Rank> going;
  for (const auto& [rank, member] : members_) {
    if (member.leaving && (member.accepted == 0 || all_leave)) going.push_back(rank);
  }
  for (const Rank rank : going) {
    has_lost_ = true;
    send(rank, last_word(false));
    note("member_left", rank, "");
  }
  if (!going.empty()) remove(going);
}

DAIG_INLINE void Coordinator::expel(Rank rank, const std::string& reason, bool may_return) {
  if (!may_return) banned_.insert(rank);
  say_expelled(rank, reason, may_return);
  remove(rank);
}

/// Whoever goes on speaking as a member long after it was expelled has not heard of it: the link
/// was cut.
DAIG_INLINE void Coordinator::tell_again(Rank rank, const Message& message) {
  const bool is_farewell =
      std::holds_alternative<Bye>(message) || std::holds_alternative<Failed>(message);
  const auto told = expelled_.find(rank);
  if (is_farewell || told == expelled_.end()) return;
  if (now_ - told->second <= rules_.silence_limit) return;
  told->second = now_;
  send(rank, Expelled{static_cast<std::uint8_t>(!banned_.contains(rank)), "it was not heard of"});
}

DAIG_INLINE void Coordinator::say_expelled(Rank rank, const std::string& reason, bool may_return) {
  has_lost_ = true;
  expelled_[rank] = now_;
  note("member_lost", rank, reason);
  send(rank, Expelled{static_cast<std::uint8_t>(may_return), reason});
}

/// Ranks take part no more, for whatever reason; what they alone had, others get.
DAIG_INLINE void Coordinator::remove(const std::vector<Rank>& ranks) {
  bool breaks_the_chain = false;
  bool changes_the_view = false;
  for (const Rank rank : ranks) {
    actions_.gone.push_back(rank);
    breaks_the_chain |= loading_ && loading_->chain.position(rank).has_value();
    const auto member = members_.extract(rank).mapped();
    if (member.standing != Standing::member) continue;
    changes_the_view = true;
    std::erase(view_.members, rank);
    std::erase(fastest_first_, rank);
    queue_.forget(rank);
    if (!member.answered) --unanswered_;
  }
  if (changes_the_view) {
    view_.id = view_.id.next();
    if (fastest_first_.empty()) lonely_since_ = now_;
    go_on_without(ranks);
  }
  if (breaks_the_chain && loading_) stop_loading();
  begin_if_gathered();
}

/// The step goes on: reduced again in the smaller view where enough is banked in it, or else open
/// until it is.
DAIG_INLINE void Coordinator::go_on_without(const std::vector<Rank>& lost) {
  if (phase_ == Phase::finishing && unanswered_ == 0) phase_ = Phase::over;
  // All who are left hold the same sum, the lost members' part in it: it counts.
  if (phase_ == Phase::reducing && unanswered_ == 0 && first_reduced_) return commit();
  if (phase_ != Phase::open && phase_ != Phase::reducing) return;
  for (const Rank rank : lost) lose_work_of(rank);
  if (phase_ == Phase::reducing) {
    send_members(Abandon{reducing_exchange_});
    phase_ = Phase::open;
  }
  close_if_full();
  if (phase_ != Phase::open) return;
  if (stopping_) return finish();
  if (fastest_first_.empty()) take_in();
  grant();
  let_leavers_go();
}

DAIG_INLINE void Coordinator::lose_work_of(Rank rank) {
  for (auto ticket = tickets_.begin(); ticket != tickets_.end();) {
    const auto next = std::next(ticket);
    if (ticket->second.holder == rank) give_back(ticket);
    ticket = next;
  }
  std::erase_if(banked_, [&](const metrics::BatchRecord& batch) {
    if (batch.volunteer != rank) return false;
    queue_.give_back({batch.epoch, batch.batch});
    return true;
  });
}

/// One of those who load is lost: the others load again, by another chain.
DAIG_INLINE void Coordinator::stop_loading() {
  for (const Rank rank : loading_->chain.members) {
    MemberRecord* member = find(rank);
    if (member == nullptr) continue;
    if (member->standing == Standing::loading) member->standing = Standing::waiting;
    send(rank, Abandon{loading_->exchange});
  }
  loading_.reset();
  close_if_full();
  if (phase_ == Phase::open) take_in();
}

// Silence ---------------------------------------------------------------------------------------

DAIG_INLINE std::optional<std::string> Coordinator::why_lost(const MemberRecord& member) const {
  const Duration silent = now_ - member.liveness.last();
  if (member.standing == Standing::expected) {
    if (silent <= rules_.gather_limit) return std::nullopt;
    return fmt::format("it did not come within {:.0f} s", seconds(rules_.gather_limit));
  }
  if (silent > member.liveness.patience(rules_.heartbeat, rules_.silence_limit)) {
    return fmt::format("it was not heard of for {:.1f} s", seconds(silent));
  }
  const Duration standing = now_ - member.since;
  if (member.standing == Standing::loading && standing > rules_.exchange_limit) {
    return fmt::format("it did not load the weights within {:.0f} s",
                       seconds(rules_.exchange_limit));
  }
  // It is heard of, but some link of the ring is not what it was. All who may be behind it begin
  // anew: the others cannot tell.
  const bool reduces = phase_ == Phase::reducing && member.standing == Standing::member;
  if (reduces && !member.answered && now_ - closed_ > rules_.exchange_limit) {
    return fmt::format("it did not come to the end of an all-reduce within {:.0f} s",
                       seconds(rules_.exchange_limit));
  }
  if (member.leaving && phase_ == Phase::open && standing > rules_.leave_limit) {
    return fmt::format("it wished to leave {:.0f} s ago", seconds(standing));
  }
  return std::nullopt;
}

DAIG_INLINE void Coordinator::check_silence() {
  std::vector<std::pair<Rank, std::string>> lost;
  for (auto& [rank, member] : members_) {
    if (rank == coordinator_rank) continue;  // in the same boat
    if (auto reason = why_lost(member)) {
      lost.emplace_back(rank, std::move(*reason));
    }
  }
  if (!lost.empty()) {
    std::vector<Rank> ranks;
    for (const auto& [rank, reason] : lost) {
      say_expelled(rank, reason, true);
      ranks.push_back(rank);
    }
    remove(ranks);
    if (over()) return;
  }
  for (auto& [rank, member] : members_) {
    const bool is_there = member.standing != Standing::expected;
    if (is_there && now_ - member.spoken > rules_.heartbeat) send(rank, Heartbeat{});
  }
  if (phase_ != Phase::open || !fastest_first_.empty() || loading_) return;
  if (now_ - lonely_since_ > rules_.lonely_limit) {
    end(ExitCode::peer, fmt::format("there is no volunteer, and none has come for {:.0f} s; resume "
                                    "the run when there are some",
                                    seconds(now_ - lonely_since_)));
  }
}

}  // namespace daig::control
