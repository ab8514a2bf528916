// The bodies of control/simulator.hpp.

#pragma once

#include <algorithm>

#include <daig/control/simulator.hpp>
#include <daig/core/inline.hpp>

namespace daig::control {

namespace detail {

/// Two numbers made one that depends on both.
DAIG_INLINE std::uint64_t mixed(std::uint64_t a, std::uint64_t b) {
  a = (a ^ (b + 0x9E3779B97F4A7C15)) * 0xBF58476D1CE4E5B9;
  return a ^ (a >> 31);
}

/// Stands for a batch's gradient at the weights of a version.
DAIG_INLINE std::uint64_t gradient(Epoch epoch, BatchId batch, std::uint64_t version) {
  return mixed(mixed(epoch.value(), batch.value()), version);
}

}  // namespace detail

DAIG_INLINE Simulator::Simulator(const Rules& rules, BatchQueue queue, Fleet fleet, Version version)
    : fleet_(std::move(fleet)),
      plan_(queue.plan()),
      network_(fleet_.seed, Stream::simulate),
      coordinator_(rules, std::move(queue),
                   comm::view_of_all(static_cast<int>(fleet_.volunteers) + 1), version),
      settings_digest_(rules.settings_digest) {
  expects(fleet_.service_s != nullptr && fleet_.tick_s > 0, "service times and a tick");
  for (std::uint32_t rank = 0; rank <= fleet_.volunteers; ++rank) {
    const bool trains = rank > 0 || fleet_.coordinator_trains;
    members_.push_back({Random(fleet_.seed, Stream::simulate, rank + 1), trains});
  }
  members_.front().version = version;
  for (std::uint32_t rank = 0; rank <= fleet_.volunteers; ++rank) {
    come(Rank{static_cast<std::int32_t>(rank)});
  }
  for (const Fault& fault : fleet_.faults) schedule(later(fault.at_s), fault);
  schedule(later(fleet_.tick_s), Tick{});
}

DAIG_INLINE void Simulator::run(std::uint64_t steps) {
  const std::uint64_t last = coordinator_.version().value() + steps;
  while (coordinator_.version().value() < last && advance()) {
  }
}

DAIG_INLINE void Simulator::run_to_end() {
  while (advance()) {
  }
}

DAIG_INLINE bool Simulator::advance() {
  if (coordinator_.over()) return false;
  ++events_;
  if (!arrived_.empty()) {
    const Delivery delivery = std::move(arrived_.front());
    arrived_.pop_front();
    const Duration thaw = at(delivery.member).frozen_until;
    if (delivery.direction == Direction::to_member && thaw > now_) {
      schedule(thaw, delivery);
    } else {
      happen(delivery);
    }
  } else {
    const auto next = to_come_.extract(to_come_.begin());
    now_ = next.key().first;
    const Rank rank = whose(next.mapped());
    const Duration thaw = rank.value() < 0 ? now_ : at(rank).frozen_until;
    if (thaw > now_) {
      const Moment when = schedule(thaw, std::move(next.mapped()));
      if (std::holds_alternative<Computed>(to_come_.at(when))) at(rank).computed = when;
    } else {
      std::visit([this](const auto& event) { happen(event); }, next.mapped());
    }
  }
  return true;
}

/// Whom an event has to wait for while it is frozen; nobody for most.
DAIG_INLINE Rank Simulator::whose(const Event& event) const {
  if (const auto* computed = std::get_if<Computed>(&event)) return computed->member;
  if (const auto* exchanged = std::get_if<Exchanged>(&event)) return exchanged->member;
  const auto* delivery = std::get_if<Delivery>(&event);
  const bool reaches_a_member = delivery != nullptr && delivery->direction == Direction::to_member;
  return reaches_a_member ? delivery->member : Rank{-1};
}

// Events ----------------------------------------------------------------------------------------

DAIG_INLINE void Simulator::happen(const Delivery& delivery) {
  if (delivery.direction == Direction::to_coordinator) {
    Member& speaker = at(delivery.member);
    if (std::holds_alternative<Hello>(delivery.message)) {
      speaker.heard_life = std::max(speaker.heard_life, delivery.life);
    }
    return carry_out(coordinator_.receive(delivery.member, delivery.message, now_));
  }
  Member& member = at(delivery.member);
  if (!member.here || delivery.life != member.life) return;
  std::visit([&](const auto& body) { on(member, delivery.member, body); }, delivery.message);
}

DAIG_INLINE void Simulator::happen(const Computed& computed) {
  Member& member = at(computed.member);
  const Grant grant = member.hand.front();
  member.hand.pop_front();
  const double norm = fleet_.norm ? fleet_.norm(computed.member, grant.work, member.random) : 1.0;
  if (fleet_.lets_go && fleet_.lets_go(computed.member, member.random)) {
    send(computed.member, Direction::to_coordinator, GiveBack{grant.ticket});
  } else if (!(norm <= grant.most_norm)) {
    send(computed.member, Direction::to_coordinator, Spoiled{grant.ticket, norm});
  } else {
    const std::uint64_t samples = plan_.samples_in(grant.work.batch);
    member.done.push_back(grant);
    send(computed.member, Direction::to_coordinator,
         Done{grant.ticket, samples, static_cast<double>(samples), member.service_s, norm});
  }
  compute_first(member, computed.member);
}

DAIG_INLINE void Simulator::happen(const Exchanged& exchanged) {
  Member& member = at(exchanged.member);
  if (!member.here || member.exchange != exchanged.exchange) return;
  const auto found = exchanges_.find(exchanged.exchange);
  if (found == exchanges_.end() || found->second.broken) return;
  const Exchange& exchange = found->second;
  member.exchange.reset();
  if (const auto* close = std::get_if<Close>(&exchange.about)) {
    member.sum = exchange.value;
    return send(exchanged.member, Direction::to_coordinator,
                Reduced{close->step, close->view.id, exchange.value, member.weights});
  }
  if (exchanged.member == coordinator_rank) return;
  member.weights = exchange.value;
  member.version = std::get<Load>(exchange.about).version;
  member.loaded = true;
  send(exchanged.member, Direction::to_coordinator, Ready{exchanged.exchange});
}

DAIG_INLINE void Simulator::happen(const Fault& fault) {
  if (fault.kind == Fault::Kind::comes) return come(fault.member);
  Member& member = at(fault.member);
  if (!member.here) return;
  if (fault.kind == Fault::Kind::freezes) {
    // Not for longer, if it is frozen already: what waits for it waits in its order.
    if (member.frozen_until <= now_) member.frozen_until = later(fault.for_s);
  } else if (fault.kind == Fault::Kind::leaves) {
    if (!member.loaded) return;
    member.leaving = true;
    stop(member);
    member.hand.clear();
    send(fault.member, Direction::to_coordinator, Leave{});
  } else {
    clear(member);
    member.here = false;
    if (network_.uniform() < 0.5) {
      std::erase_if(to_come_, [&](const auto& event) {
        const auto* said = std::get_if<Delivery>(&event.second);
        return said != nullptr && said->member == fault.member &&
               said->direction == Direction::to_coordinator;
      });
    }
    for (auto& [id, exchange] : exchanges_) {
      if (std::ranges::find(exchange.members, fault.member) == exchange.members.end()) continue;
      if (exchange.entered < exchange.members.size() || network_.uniform() < 0.5) {
        exchange.broken = true;
      }
    }
  }
}

DAIG_INLINE void Simulator::happen(const Tick&) {
  for (std::size_t place = 0; place < members_.size(); ++place) {
    const Member& member = members_[place];
    if (!member.here || member.frozen_until > now_) continue;
    carry_out(coordinator_.receive(Rank{static_cast<std::int32_t>(place)}, Heartbeat{}, now_));
  }
  carry_out(coordinator_.tick(now_));
  // Nobody computes, nothing is on its way, and it was no backup that was waited for: no event will
  // ever follow.
  const bool waits = coordinator_.view().size() < members_.size() ||
                     std::ranges::any_of(members_, [](const Member& m) { return !m.here; });
  expects(waits || !to_come_.empty() || !arrived_.empty() || coordinator_.over(),
          "a run that goes on");
  schedule(later(fleet_.tick_s), Tick{});
}

// A member's side of the protocol ---------------------------------------------------------------

DAIG_INLINE void Simulator::come(Rank rank) {
  Member& member = at(rank);
  clear(member);
  member.here = true;
  member.leaving = false;
  member.loaded = rank == coordinator_rank;
  member.frozen_until = Duration::zero();
  ++member.life;
  send(rank, Direction::to_coordinator,
       Hello{.trains = member.trains ? 1u : 0u,
             .settings_digest = settings_digest_,
             .life = member.life});
}

/// Nothing of the run is left in its hands.
DAIG_INLINE void Simulator::clear(Member& member) {
  stop(member);
  member.hand.clear();
  member.done.clear();
  member.accepted = 0;
  member.accumulator = 0;
  member.sum.reset();
  member.exchange.reset();
}

DAIG_INLINE void Simulator::on(Member& member, Rank rank, const Load& load) {
  Exchange& exchange = exchanges_[load.exchange];
  if (rank == coordinator_rank) exchange.value = member.weights;
  enter(rank, load.exchange, load.chain, load);
}

DAIG_INLINE void Simulator::on(Member& member, Rank, const Abandon& abandon) {
  if (member.exchange == abandon.exchange) member.exchange.reset();
  member.sum.reset();
}

DAIG_INLINE void Simulator::on(Member& member, Rank rank, const Expelled& expelled) {
  clear(member);
  member.here = false;
  if (expelled.may_return != 0) come(rank);
}

DAIG_INLINE void Simulator::on(Member& member, Rank rank, const Grant& grant) {
  if (member.leaving) return;  // its Leave is on the way
  expects(member.trains && member.loaded, "tickets to go to volunteers only");
  expects(grant.version == member.version, "a ticket for the present weights");
  member.hand.push_back(grant);
  if (member.hand.size() == 1) compute_first(member, rank);
}

DAIG_INLINE void Simulator::on(Member& member, Rank, const Accept& accept) {
  const auto accepted = std::ranges::find(member.done, accept.ticket, &Grant::ticket);
  expects(accepted != member.done.end(), "an Accept of what is done");
  const Work work = accepted->work;
  member.done.erase(accepted);
  ++member.accepted;
  member.accumulator += detail::gradient(work.epoch, work.batch, member.version.value());
}

DAIG_INLINE void Simulator::on(Member& member, Rank rank, const Cancel& cancel) {
  std::erase_if(member.done, [&](const Grant& grant) { return grant.ticket == cancel.ticket; });
  const auto cancelled = std::ranges::find(member.hand, cancel.ticket, &Grant::ticket);
  if (cancelled == member.hand.end()) return;  // done, or let go of
  const bool was_first = cancelled == member.hand.begin();
  member.hand.erase(cancelled);
  if (!was_first) return;
  stop(member);
  compute_first(member, rank);
}

DAIG_INLINE void Simulator::on(Member& member, Rank rank, const Close& close) {
  expects(close.step.value() == member.version.value(), "the present step to be closed");
  expects(close.accepted == member.accepted, "as many batches in the accumulator as were accepted");
  stop(member);
  member.hand.clear();
  member.done.clear();
  member.sum.reset();
  exchanges_[close.exchange].value += member.accumulator;
  enter(rank, close.exchange, close.view, close);
}

/// An exchange ends once all who take part have entered it.
DAIG_INLINE void Simulator::enter(Rank rank, comm::ExchangeId id, const comm::View& members,
                                  const Message& about) {
  Exchange& exchange = exchanges_[id];
  exchange.members = members.members;
  exchange.about = about;
  at(rank).exchange = id;
  for (const Rank other : members.members) exchange.broken |= !at(other).here;
  if (++exchange.entered < members.size() || exchange.broken) return;
  for (const Rank other : members.members) {
    const double latency_s = fleet_.latency_s ? fleet_.latency_s(network_) : 0;
    schedule(later(latency_s), Exchanged{other, id});
  }
  while (exchanges_.size() > 8) exchanges_.erase(exchanges_.begin());
}

DAIG_INLINE void Simulator::on(Member& member, Rank, const Commit& commit) {
  expects(commit.step.value() == member.version.value() && member.sum.has_value(),
          "the present step to be committed, once it is reduced here");
  member.weights = detail::mixed(member.weights, *member.sum);
  member.version = member.version.next();
  member.accepted = 0;
  member.accumulator = 0;
  member.sum.reset();
}

DAIG_INLINE void Simulator::on(Member& member, Rank rank, const Finish&) {
  send(rank, Direction::to_coordinator, Bye{member.weights});
  clear(member);
  member.here = rank == coordinator_rank;
}

DAIG_INLINE void Simulator::compute_first(Member& member, Rank rank) {
  member.computed.reset();
  if (member.hand.empty()) return;
  member.service_s = fleet_.service_s(rank, member.random);
  member.computed = schedule(later(member.service_s), Computed{rank});
}

DAIG_INLINE void Simulator::stop(Member& member) {
  if (member.computed) to_come_.erase(*member.computed);
  member.computed.reset();
}

// Messages and time -----------------------------------------------------------------------------

DAIG_INLINE void Simulator::carry_out(Actions actions) {
  if (fleet_.on_event) {
    for (const metrics::Event& event : actions.events) fleet_.on_event(event);
  }
  if (const auto& record = actions.committed) {
    std::uint64_t sum = 0;
    for (const metrics::BatchRecord& batch : record->batches) {
      sum += detail::gradient(batch.epoch, batch.batch, record->step.value());
    }
    expects(sum == record->sum_digest, "the record to name the batches that are in the sum");
    if (fleet_.on_commit) fleet_.on_commit(*record);
  }
  for (Envelope& envelope : actions.messages) {
    if (std::holds_alternative<Heartbeat>(envelope.message)) continue;
    send(envelope.to, Direction::to_member, std::move(envelope.message));
  }
}

DAIG_INLINE void Simulator::send(Rank member, Direction direction, Message message) {
  if (fleet_.on_message) fleet_.on_message(member, message);
  const bool is_said = direction == Direction::to_coordinator;
  const std::uint32_t life = is_said ? at(member).life : at(member).heard_life;
  Delivery delivery{member, life, direction, std::move(message)};
  if (!fleet_.latency_s) return arrived_.push_back(std::move(delivery));
  Duration& last = at(member).arrival[static_cast<std::size_t>(direction)];
  const Duration alone = later(fleet_.latency_s(network_));
  if (direction == Direction::to_coordinator && network_.uniform() < fleet_.disorder) {
    if (network_.uniform() < 0.5) return static_cast<void>(schedule(alone, std::move(delivery)));
    schedule(later(fleet_.latency_s(network_)), delivery);
  }
  last = std::max(last, alone);
  schedule(last, std::move(delivery));
}

DAIG_INLINE Simulator::Moment Simulator::schedule(Duration when, Event event) {
  return to_come_.emplace(Moment{when, next_number_++}, std::move(event)).first->first;
}

/// The end of time, if it would be after that.
DAIG_INLINE Duration Simulator::later(double by_s) const {
  const Duration most = Duration::max() - now_;
  if (!(by_s < seconds(most))) return Duration::max();
  return now_ + std::chrono::duration_cast<Duration>(std::chrono::duration<double>(by_s));
}

}  // namespace daig::control
