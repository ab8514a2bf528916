#pragma once

/// Random histories: a run with random rules on a random fleet, drawn from a seed, and a witness
/// that reads all messages of the run and holds the protocol's promises against them.

#include <algorithm>
#include <cstdint>
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
  std::vector<double> slowness(fleet.volunteers + 1, 1);
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

/// Knows of the run only what members and coordinator say to each other.
/// @throws ContractViolation, from any of its members, naming the promise that was broken.
class Witness {
 public:
  explicit Witness(const History& history);

  void hear(Rank member, const Message& message);
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
  void hear_close(Rank member, const Close& close);
  bool all_handed_out() const;

  History history_;
  std::uint64_t volunteers_;
  std::uint64_t version_;
  std::uint64_t last_ticket_ = 0;
  std::map<TicketId, Out> out_;
  std::set<Work> banked_;  ///< in this step
  std::map<Rank, std::uint64_t> accepted_;
  std::set<Rank> closed_;  ///< told so in this step
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
                 [&](const Cancel& cancel) {
                   const auto out = out_.find(cancel.ticket);
                   expects(out != out_.end() && out->second.holder == member,
                           "a Cancel for the holder of a ticket that is out");
                   expects(banked_.contains(out->second.work),
                           "a Cancel only of what was banked elsewhere");
                   out_.erase(out);
                 },
                 [&](const GiveBack& back) {
                   const auto out = out_.find(back.ticket);
                   if (out != out_.end()) out->second.let_go = true;
                 },
                 [&](const Abort& abort) { expects(false, abort.reason); }, [](const auto&) {}},
      message);
}

inline void Witness::hear_grant(Rank member, const Grant& grant) {
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
  const auto out = out_.find(accept.ticket);
  expects(out != out_.end() && out->second.holder == member && !out->second.let_go,
          "an Accept for the holder of a ticket that is out");
  expects(banked_.insert(out->second.work).second, "a batch to be banked once");
  expects(banked_.size() <= history_.rules.k, "no more than K batches in a step");
  ++accepted_[member];
  out_.erase(out);
}

inline void Witness::hear_close(Rank member, const Close& close) {
  expects(close.step.value() == version_, "the present step to be closed");
  expects(closed_.insert(member).second, "a member to be told of a Close once");
  expects(close.accepted == accepted_[member], "a Close to count the Accepts");
  const bool all_work = committed_.size() + banked_.size() == history_.total_work();
  expects(banked_.size() == history_.rules.k || (all_work && !banked_.empty()),
          "a step to close on K batches, or on all that are left");
  out_.clear();
}

inline void Witness::note(const metrics::StepRecord& record) {
  expects(record.step.value() == version_, "steps to be committed one after the other");
  expects(closed_.size() == history_.fleet.volunteers + 1, "a commit after all were told to close");
  std::set<Work> batches;
  for (const metrics::BatchRecord& batch : record.batches) {
    expects(batch.samples == history_.plan.samples_in(batch.batch), "the batch's samples");
    expects(batches.insert({batch.epoch, batch.batch}).second, "a batch once in a record");
  }
  expects(batches == banked_, "the record to hold what was banked");
  for (const Work& work : batches) {
    expects(committed_.insert(work).second, "a batch to be committed once");
  }
  if (batches.size() < history_.rules.k) ++small_steps_;
  ++version_;
  banked_.clear();
  accepted_.clear();
  closed_.clear();
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
  expects(committed_.size() == history_.total_work(), "all work to be committed");
  expects(small_steps_ <= 1, "no step but the last to be smaller");
  expects(version_ == coordinator.version().value() && version_ == coordinator.total_steps(),
          "as many steps as foretold");
}

/// What is committed, banked and out is all there is.
inline bool Witness::all_handed_out() const {
  std::set<Work> handed_out = banked_;
  for (const auto& [id, out] : out_) handed_out.insert(out.work);
  return committed_.size() + handed_out.size() == history_.total_work();
}

}  // namespace daig::control
