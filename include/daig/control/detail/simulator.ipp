// The bodies of control/simulator.hpp.

#pragma once

#include <algorithm>

#include <daig/control/simulator.hpp>

namespace daig::control {

namespace detail {

/// Two numbers made one that depends on both.
inline std::uint64_t mixed(std::uint64_t a, std::uint64_t b) {
  a = (a ^ (b + 0x9E3779B97F4A7C15)) * 0xBF58476D1CE4E5B9;
  return a ^ (a >> 31);
}

/// Stands for a batch's gradient at the weights of a version.
inline std::uint64_t gradient(Epoch epoch, BatchId batch, std::uint64_t version) {
  return mixed(mixed(epoch.value(), batch.value()), version);
}

}  // namespace detail

inline Simulator::Simulator(const Rules& rules, BatchQueue queue, Fleet fleet, Version version)
    : fleet_(std::move(fleet)),
      plan_(queue.plan()),
      network_(fleet_.seed, Stream::simulate),
      coordinator_(rules, std::move(queue),
                   comm::view_of_all(static_cast<int>(fleet_.volunteers) + 1), version) {
  expects(fleet_.service_s != nullptr && fleet_.tick_s > 0, "service times and a tick");
  for (std::uint32_t rank = 0; rank <= fleet_.volunteers; ++rank) {
    const bool trains = rank > 0 || fleet_.coordinator_trains;
    members_.push_back({Random(fleet_.seed, Stream::simulate, rank + 1), trains});
    send(Rank{static_cast<std::int32_t>(rank)}, Direction::to_coordinator,
         Hello{.trains = trains ? 1u : 0u, .settings_digest = rules.settings_digest});
  }
  schedule(later(fleet_.tick_s), Tick{});
}

inline void Simulator::run(std::uint64_t steps) {
  const std::uint64_t last = coordinator_.version().value() + steps;
  while (coordinator_.version().value() < last && advance()) {
  }
}

inline void Simulator::run_to_end() {
  while (advance()) {
  }
}

inline bool Simulator::advance() {
  if (coordinator_.over()) return false;
  ++events_;
  if (!arrived_.empty()) {
    const Delivery delivery = std::move(arrived_.front());
    arrived_.pop_front();
    happen(delivery);
  } else {
    const auto next = to_come_.extract(to_come_.begin());
    now_ = next.key().first;
    std::visit([this](const auto& event) { happen(event); }, next.mapped());
  }
  return true;
}

// Events ----------------------------------------------------------------------------------------

inline void Simulator::happen(const Delivery& delivery) {
  if (delivery.direction == Direction::to_coordinator) {
    return carry_out(coordinator_.receive(delivery.member, delivery.message, now_));
  }
  Member& member = members_[static_cast<std::size_t>(delivery.member.value())];
  std::visit([&](const auto& body) { on(member, delivery.member, body); }, delivery.message);
}

inline void Simulator::happen(const Computed& computed) {
  Member& member = members_[static_cast<std::size_t>(computed.member.value())];
  const Grant grant = member.hand.front();
  member.hand.pop_front();
  if (fleet_.lets_go && fleet_.lets_go(computed.member, member.random)) {
    send(computed.member, Direction::to_coordinator, GiveBack{grant.ticket});
  } else {
    const std::uint64_t samples = plan_.samples_in(grant.work.batch);
    member.done.push_back(grant);
    send(computed.member, Direction::to_coordinator,
         Done{grant.ticket, samples, static_cast<double>(samples), member.service_s});
  }
  compute_first(member, computed.member);
}

inline void Simulator::happen(const Tick&) {
  for (std::size_t rank = 0; rank < members_.size(); ++rank) {
    carry_out(coordinator_.receive(Rank{static_cast<std::int32_t>(rank)}, Heartbeat{}, now_));
  }
  carry_out(coordinator_.tick(now_));
  // Nobody computes, nothing is on its way, and it was no backup that was waited for: no event will
  // ever follow.
  expects(!to_come_.empty() || !arrived_.empty() || coordinator_.over(), "a run that goes on");
  schedule(later(fleet_.tick_s), Tick{});
}

// A member's side of the protocol ---------------------------------------------------------------

inline void Simulator::on(Member& member, Rank, const Welcome& welcome) {
  member.version = welcome.version;
}

inline void Simulator::on(Member& member, Rank rank, const Grant& grant) {
  expects(member.trains, "tickets to go to volunteers only");
  expects(grant.version == member.version, "a ticket for the present weights");
  member.hand.push_back(grant);
  if (member.hand.size() == 1) compute_first(member, rank);
}

inline void Simulator::on(Member& member, Rank, const Accept& accept) {
  const auto accepted = std::ranges::find(member.done, accept.ticket, &Grant::ticket);
  expects(accepted != member.done.end(), "an Accept of what is done");
  const Work work = accepted->work;
  member.done.erase(accepted);
  ++member.accepted;
  member.accumulator += detail::gradient(work.epoch, work.batch, member.version.value());
}

inline void Simulator::on(Member& member, Rank rank, const Cancel& cancel) {
  std::erase_if(member.done, [&](const Grant& grant) { return grant.ticket == cancel.ticket; });
  const auto cancelled = std::ranges::find(member.hand, cancel.ticket, &Grant::ticket);
  if (cancelled == member.hand.end()) return;  // done, or let go of
  const bool was_first = cancelled == member.hand.begin();
  member.hand.erase(cancelled);
  if (!was_first) return;
  stop(member);
  compute_first(member, rank);
}

inline void Simulator::on(Member& member, Rank, const Close& close) {
  expects(close.step.value() == member.version.value(), "the present step to be closed");
  expects(close.accepted == member.accepted, "as many batches in the accumulator as were accepted");
  stop(member);
  member.hand.clear();
  member.done.clear();

  if (reducing_ == 0) sum_ = 0;
  sum_ += member.accumulator;
  if (++reducing_ < members_.size()) return;
  reducing_ = 0;
  for (std::size_t at = 0; at < members_.size(); ++at) {
    members_[at].sum = sum_;
    send(Rank{static_cast<std::int32_t>(at)}, Direction::to_coordinator,
         Reduced{close.step, close.view.id, sum_, members_[at].weights});
  }
}

inline void Simulator::on(Member& member, Rank, const Commit& commit) {
  expects(commit.step.value() == member.version.value(), "the present step to be committed");
  member.weights = detail::mixed(member.weights, member.sum);
  member.version = member.version.next();
  member.accepted = 0;
  member.accumulator = 0;
}

inline void Simulator::on(Member& member, Rank rank, const Finish&) {
  send(rank, Direction::to_coordinator, Bye{member.weights});
}

inline void Simulator::compute_first(Member& member, Rank rank) {
  member.computed.reset();
  if (member.hand.empty()) return;
  member.service_s = fleet_.service_s(rank, member.random);
  member.computed = schedule(later(member.service_s), Computed{rank});
}

inline void Simulator::stop(Member& member) {
  if (member.computed) to_come_.erase(*member.computed);
  member.computed.reset();
}

// Messages and time -----------------------------------------------------------------------------

inline void Simulator::carry_out(Actions actions) {
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

inline void Simulator::send(Rank member, Direction direction, Message message) {
  if (fleet_.on_message) fleet_.on_message(member, message);
  Delivery delivery{member, direction, std::move(message)};
  if (!fleet_.latency_s) return arrived_.push_back(std::move(delivery));
  auto& last = members_[static_cast<std::size_t>(member.value())]
                   .arrival[static_cast<std::size_t>(direction)];
  last = std::max(last, later(fleet_.latency_s(network_)));
  schedule(last, std::move(delivery));
}

inline Simulator::Moment Simulator::schedule(Duration when, Event event) {
  return to_come_.emplace(Moment{when, next_number_++}, std::move(event)).first->first;
}

/// The end of time, if it would be after that.
inline Duration Simulator::later(double by_s) const {
  const Duration most = Duration::max() - now_;
  if (!(by_s < seconds(most))) return Duration::max();
  return now_ + std::chrono::duration_cast<Duration>(std::chrono::duration<double>(by_s));
}

}  // namespace daig::control
