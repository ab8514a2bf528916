#pragma once

/// Random histories: a run with random rules on a random fleet, drawn from a seed, and a witness
/// that reads all messages of the run and holds the protocol's promises against them.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include <daig/control/service_law.hpp>
#include <daig/control/simulator.hpp>
#include <daig/core/error.hpp>
#include <daig/core/random.hpp>

namespace daig::control {

/// Everything that makes a run.
struct History {
  Rules rules;
  data::ShardPlan plan{1, 1, 1};
  Epoch epochs;
  std::vector<Work> done;  ///< committed before the run
  Version version;
  Fleet fleet;

  std::uint64_t total_work() const { return epochs.value() * plan.batches(); }
};

inline History random_history(std::uint64_t seed, std::uint32_t number) {
  Random random(seed, Stream::test, number);
  const auto chance = [&](double p) { return random.uniform() < p; };
  History history;

  Fleet& fleet = history.fleet;
  fleet.seed = (seed << 32) + number;
  fleet.volunteers = random.below(7);
  fleet.coordinator_trains = fleet.volunteers == 0 || chance(0.2);
  fleet.tick_s = random.uniform(0.05, 1);
  ServiceLaw law;
  law.shape = chance(0.7) ? ServiceLaw::Shape::exponential : ServiceLaw::Shape::pareto;
  law.shift_s = random.uniform(0.01, 1);
  law.tail = random.uniform(1.1, 3);
  std::vector<double> slowness(8, 1);  // of as many ranks as there may be
  for (double& factor : slowness) {
    if (chance(0.2)) factor = random.uniform(1, 50);
  }
  fleet.service_s = [law, slowness](Rank member, Random& numbers) {
    return slowness[static_cast<std::size_t>(member.value())] * law.draw(numbers);
  };
  if (chance(0.7)) {
    const double mean_s = random.uniform(0.001, 1);
    fleet.latency_s = [mean_s](Random& numbers) { return numbers.exponential(1 / mean_s); };
  }
  if (chance(0.3)) {
    const double often = random.uniform(0, 0.4);
    fleet.lets_go = [often](Rank, Random& numbers) { return numbers.uniform() < often; };
  }

  const std::uint64_t batch_size = 1 + random.below(4);
  const std::uint64_t batches = 1 + random.below(40);
  const std::uint64_t samples = batches * batch_size - random.below(batch_size);
  history.plan = data::ShardPlan(samples, batch_size, 1 + random.below(batches));
  history.epochs = Epoch{static_cast<std::uint32_t>(1 + random.below(3))};
  if (chance(0.3)) {
    std::set<Work> done;
    for (std::uint64_t i = random.below(history.total_work() + 1); i > 0; --i) {
      done.insert({Epoch{static_cast<std::uint32_t>(random.below(history.epochs.value()))},
                   BatchId{random.below(batches)}});
    }
    history.done.assign(done.begin(), done.end());
    history.version = Version{random.below(100)};
  }

  Rules& rules = history.rules;
  rules.k = 1 + random.below(2 * fleet.volunteers + 4);
  rules.tickets_in_hand = 1 + random.below(3);
  rules.balance = chance(0.5) ? 0 : chance(0.5) ? 1 : random.uniform();
  rules.supply = chance(0.8) ? Supply::any_k : Supply::named_k;
  rules.max_contributors = chance(0.7) ? 0 : 1 + random.below(8);
  rules.backups = chance(0.7);
  rules.has_dataset = chance(0.5);
  rules.settings_digest = random();
  return history;
}

/// The same with faults: deaths, freezes, leaves and joins; messages that arrive twice or overtake
/// others; gradients that are no numbers. Rank 1 stays to the end, so that the run comes to one.
inline History troubled_history(std::uint64_t seed, std::uint32_t number) {
  History history = random_history(seed, number);
  Random random(seed, Stream::test, number, 1);
  const auto chance = [&](double p) { return random.uniform() < p; };
  Rules& rules = history.rules;
  Fleet& fleet = history.fleet;
  fleet.volunteers = 1 + random.below(6);
  fleet.coordinator_trains = chance(0.2);
  fleet.tick_s = random.uniform(0.02, 0.2);
  if (chance(0.5)) fleet.disorder = random.uniform(0, 0.3);
  if (chance(0.8)) {
    const double mean_s = random.uniform(0.001, 0.3);
    fleet.latency_s = [mean_s](Random& numbers) { return numbers.exponential(1 / mean_s); };
  }
  const double often_spoiled = chance(0.3) ? random.uniform(0, 0.05) : 0;
  const auto spoilt =
      std::make_shared<std::set<Work>>();  // nothing twice: that would be divergence
  fleet.norm = [often_spoiled, spoilt](Rank member, const Work& work, Random& numbers) {
    const bool spoiled =
        member == Rank{2} && numbers.uniform() < often_spoiled && spoilt->insert(work).second;
    return spoiled ? std::numeric_limits<double>::quiet_NaN() : numbers.uniform(0.5, 2);
  };
  rules.heartbeat = std::chrono::milliseconds(250);
  rules.silence_limit = std::chrono::seconds(2);
  rules.lonely_limit = std::chrono::hours(1);

  // The simulated service times: seconds. Faults fall where the run is.
  const double length_s =
      2 * static_cast<double>(history.total_work()) / static_cast<double>(fleet.volunteers);
  for (std::uint64_t count = 1 + random.below(12); count > 0; --count) {
    Fault fault;
    fault.member = Rank{static_cast<std::int32_t>(1 + random.below(fleet.volunteers))};
    fault.at_s = random.uniform(0, length_s);
    const std::uint64_t kind = random.below(4);
    fault.kind = kind == 0   ? Fault::Kind::dies
                 : kind == 1 ? Fault::Kind::freezes
                 : kind == 2 ? Fault::Kind::leaves
                             : Fault::Kind::comes;
    fault.for_s = random.uniform(0, 6);
    const bool ends_it = fault.kind == Fault::Kind::dies || fault.kind == Fault::Kind::leaves;
    if (fault.member == Rank{1} && ends_it) fault.kind = Fault::Kind::freezes;
    fleet.faults.push_back(fault);
  }
  return history;
}

/// Knows of the run only what members and coordinator say to each other, and who was lost.
/// @throws ContractViolation, from any of its members, naming the promise that was broken.
class Witness {
 public:
  explicit Witness(const History& history);

  void hear(Rank member, const Message& message);
  void hear(const metrics::Event& event);
  void note(const metrics::StepRecord& record);
  /// After every event.
  void check() const;
  /// After the last one.
  void check_end(const Coordinator& coordinator) const;

 private:
  struct Out {
    Work work;
    Rank holder;
    bool let_go = false;  ///< its GiveBack is on the way
  };

  void hear_grant(Rank member, const Grant& grant);
  void hear_accept(Rank member, const Accept& accept);
  void hear_cancel(Rank member, const Cancel& cancel);
  void hear_close(Rank member, const Close& close);
  void forget_the_lost();
  bool all_handed_out() const;

  History history_;
  std::uint64_t volunteers_;
  std::uint64_t version_;
  std::uint64_t last_ticket_ = 0;
  std::map<TicketId, Out> out_;
  std::map<Work, Rank> banked_;  ///< in this step
  std::set<Work> refused_;       ///< ever: not for everyone to have again
  std::set<Rank> lost_;          ///< what they banked is not granted again yet
  std::map<Rank, std::uint64_t> accepted_;
  comm::ExchangeId exchange_{0};
  comm::View view_;
  std::set<Rank> closed_;  ///< told so in this exchange
  std::set<Work> committed_;
  std::uint64_t small_steps_ = 0;
};

// ---------------------------------------------------------------------------------------------

inline Witness::Witness(const History& history)
    : history_(history),
      volunteers_(history.fleet.volunteers + (history.fleet.coordinator_trains ? 1 : 0)),
      version_(history.version.value()),
      committed_(history.done.begin(), history.done.end()) {}

inline void Witness::hear(Rank member, const Message& message) {
  std::visit(
      Overloaded{[&](const Grant& grant) { hear_grant(member, grant); },
                 [&](const Accept& accept) { hear_accept(member, accept); },
                 [&](const Close& close) { hear_close(member, close); },
                 [&](const Cancel& cancel) { hear_cancel(member, cancel); },
                 [&](const GiveBack& back) {
                   const auto out = out_.find(back.ticket);
                   if (out != out_.end()) out->second.let_go = true;
                 },
                 [&](const Spoiled& spoiled) {
                   const auto out = out_.find(spoiled.ticket);
                   if (out == out_.end()) return;
                   out->second.let_go = true;
                   refused_.insert(out->second.work);
                 },
                 [&](const Leave&) {
                   for (auto& [id, out] : out_) out.let_go |= out.holder == member;
                 },
                 [&](const Abort& abort) { expects(false, abort.reason); }, [](const auto&) {}},
      message);
}

inline void Witness::hear(const metrics::Event& event) {
  if (!event.kind.starts_with("member_") || event.kind == "member_joined") return;
  const Rank rank{static_cast<Rank::rep>(std::get<std::int64_t>(event.fields.front().value))};
  std::erase_if(out_, [&](const auto& out) { return out.second.holder == rank; });
  if (event.kind != "member_leaving") lost_.insert(rank);
}

/// What was banked only at a lost member is to be had again, once the step goes on without it.
inline void Witness::forget_the_lost() {
  for (const Rank rank : lost_) {
    std::erase_if(banked_, [&](const auto& banked) { return banked.second == rank; });
    accepted_.erase(rank);
  }
  lost_.clear();
}

inline void Witness::hear_grant(Rank member, const Grant& grant) {
  if (!lost_.empty()) closed_.clear();
  forget_the_lost();
  expects(closed_.empty(), "no tickets while a step is being reduced");
  expects(grant.ticket.value() > last_ticket_, "every ticket to be a new one");
  last_ticket_ = grant.ticket.value();
  expects(grant.version.value() == version_, "tickets for the present weights only");
  expects(grant.work.epoch < history_.epochs && grant.work.batch.value() < history_.plan.batches(),
          "work of the plan");
  expects(!committed_.contains(grant.work), "committed work not to be handed out again");
  expects(!banked_.contains(grant.work), "banked work not to be handed out again");
  std::uint64_t holders = 0;
  bool member_holds = false;
  for (const auto& [id, out] : out_) {
    if (out.work != grant.work || out.let_go) continue;
    ++holders;
    member_holds |= out.holder == member;
  }
  if (holders > 0) {
    expects(history_.rules.backups && holders == 1 && !member_holds && all_handed_out(),
            "work in two hands only as a backup, by another, when nothing is left to hand out");
  }
  out_.emplace(grant.ticket, Out{grant.work, member});
}

inline void Witness::hear_accept(Rank member, const Accept& accept) {
  forget_the_lost();
  const auto out = out_.find(accept.ticket);
  expects(out != out_.end() && out->second.holder == member,
          "an Accept for the holder of a ticket that is out");
  expects(banked_.emplace(out->second.work, member).second, "a batch to be banked once");
  expects(banked_.size() <= history_.rules.k, "no more than K batches in a step");
  ++accepted_[member];
  out_.erase(out);
}

inline void Witness::hear_cancel(Rank member, const Cancel& cancel) {
  const auto out = out_.find(cancel.ticket);
  expects(out != out_.end() && out->second.holder == member,
          "a Cancel for the holder of a ticket that is out");
  expects(banked_.contains(out->second.work) || banked_.size() == history_.rules.k,
          "a Cancel only of what was banked elsewhere, or came too late");
  out_.erase(out);
}

inline void Witness::hear_close(Rank member, const Close& close) {
  forget_the_lost();
  if (close.exchange != exchange_) {
    expects(exchange_ < close.exchange, "exchanges to be named once");
    expects(view_.id <= close.view.id &&
                (view_.id < close.view.id || view_ == close.view || view_.members.empty()),
            "views that change to get greater ids");
    exchange_ = close.exchange;
    view_ = close.view;
    closed_.clear();
  }
  expects(close.step.value() == version_, "the present step to be closed");
  expects(view_.position(member).has_value(), "members to be told of a Close");
  expects(closed_.insert(member).second, "a member to be told of a Close once");
  expects(close.accepted == accepted_[member], "a Close to count the Accepts");
  for (const auto& [work, rank] : banked_) {
    expects(view_.position(rank).has_value(), "what is banked to be banked in the view");
  }
  const bool all_work = committed_.size() + banked_.size() == history_.total_work();
  expects(banked_.size() == history_.rules.k || (all_work && !banked_.empty()),
          "a step to close on K batches, or on all that are left");
  out_.clear();
}

inline void Witness::note(const metrics::StepRecord& record) {
  expects(record.step.value() == version_, "steps to be committed one after the other");
  expects(record.view == view_.id && record.members == view_.members,
          "a step to be committed in the view that reduced it");
  expects(closed_.size() == view_.size(), "a commit after all were told to close");
  std::set<Work> batches;
  for (const metrics::BatchRecord& batch : record.batches) {
    expects(batch.samples == history_.plan.samples_in(batch.batch), "the batch's samples");
    const Work work{batch.epoch, batch.batch};
    expects(batches.insert(work).second, "a batch once in a record");
    const auto banked = banked_.find(work);
    expects(banked != banked_.end() && banked->second == batch.volunteer,
            "the record to hold what was banked, and by whom");
    expects(committed_.insert(work).second, "a batch to be committed once");
  }
  expects(batches.size() == banked_.size(), "the record to hold all that was banked");
  if (batches.size() < history_.rules.k) ++small_steps_;
  ++version_;
  banked_.clear();
  accepted_.clear();
  closed_.clear();
  lost_.clear();
}

inline void Witness::check() const {
  std::map<Rank, std::uint64_t> in_hand;
  std::set<Rank> contributors;
  for (const auto& [id, out] : out_) {
    if (out.let_go) continue;
    ++in_hand[out.holder];
    contributors.insert(out.holder);
  }
  for (const auto& [member, tickets] : in_hand) {
    expects(tickets <= history_.rules.tickets_in_hand, "hands no fuller than the rules allow");
  }
  if (!history_.fleet.faults.empty()) return;  // shares are those of who is there
  std::uint64_t most = volunteers_;
  if (history_.rules.max_contributors > 0) most = std::min(most, history_.rules.max_contributors);
  const std::uint64_t cap = share_cap(history_.rules.k, history_.rules.balance, most);
  for (const auto& [member, accepted] : accepted_) {
    if (accepted == 0) continue;
    expects(accepted <= cap, "no volunteer to bank more than its share");
    contributors.insert(member);
  }
  expects(contributors.size() <= most, "no more contributors than the rules allow");
  if (history_.rules.supply == Supply::named_k) {
    const auto held = std::ranges::count_if(out_, [](const auto& o) { return !o.second.let_go; });
    expects(banked_.size() + static_cast<std::uint64_t>(held) <= history_.rules.k,
            "no more than K named tickets");
  }
}

inline void Witness::check_end(const Coordinator& coordinator) const {
  expects(coordinator.over() && !coordinator.failure(), "the run to end with a result");
  expects(coordinator.complete(), "the run to be complete");
  expects(committed_.size() == history_.total_work(), "all work to be committed");
  expects(small_steps_ <= 1, "no step but the last to be smaller");
  expects(version_ == coordinator.version().value() && version_ == coordinator.total_steps(),
          "as many steps as foretold");
}

/// What is committed, banked, out, or was refused is all there is.
inline bool Witness::all_handed_out() const {
  std::set<Work> handed_out;
  for (const auto& [work, rank] : banked_) handed_out.insert(work);
  for (const auto& [id, out] : out_) handed_out.insert(out.work);
  for (const Work& work : refused_) {
    if (!committed_.contains(work)) handed_out.insert(work);
  }
  return committed_.size() + handed_out.size() == history_.total_work();
}

}  // namespace daig::control
