#pragma once

/// A coordinator on a test's desk: the test plays all members by hand and reads what they are sent.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <daig/control/coordinator.hpp>

namespace daig::control {

/// What a test wants to be otherwise than in Desk's run.
struct Run {
  Rules rules{};
  int members = 3;  ///< at the start; rank 0 only holds the weights, unless it is alone
  std::uint64_t batches = 100;
  std::uint64_t shards = 1;
  std::uint32_t epochs = 1;
  std::vector<Work> done{};
  Version version{0};
};

class Desk {
 public:
  explicit Desk(Run run)
      : members_(run.members),
        rules_(run.rules),
        coordinator(
            run.rules,
            BatchQueue(data::ShardPlan(run.batches, 1, run.shards), Epoch{run.epochs}, run.done),
            comm::view_of_all(run.members), run.version) {}

  /// Everyone says Hello, loads the weights, and so becomes a member.
  void gather() {
    for (int rank = 0; rank < members_; ++rank) hello(rank, rank > 0 || members_ == 1);
    load();
  }
  /// A rank comes, for the first time or anew.
  void hello(int rank, bool trains = true) {
    tell(rank, Hello{.trains = trains ? 1u : 0u,
                     .settings_digest = rules_.settings_digest,
                     .life = ++lives_[rank]});
  }
  /// All who were told to load have loaded; the highest rank first, so that the volunteers, the
  /// newest of whom comes first, have their turns in order of rank.
  void load() {
    std::map<int, Ready> ready;
    for (const auto& [rank, messages] : inbox_) {
      for (const Load& load : take<Load>(rank)) ready[rank] = {load.exchange};
    }
    ready.erase(0);  // it has the weights
    for (auto at = ready.rbegin(); at != ready.rend(); ++at) tell(at->first, at->second);
  }

  void tell(int from, const Message& message) {
    deliver(coordinator.receive(Rank{from}, message, now_));
  }
  void done(int from, TicketId ticket, double service_s = 1, double norm = 1) {
    tell(from, Done{ticket, 1, 0.5, service_s, norm});
  }
  /// A volunteer says Done for its oldest ticket that the test has not seen.
  Work compute(int rank) {
    const auto grant = std::ranges::find_if(
        inbox(rank), [](const Message& message) { return std::holds_alternative<Grant>(message); });
    expects(grant != inbox(rank).end(), "a volunteer with a ticket");
    const Grant granted = std::get<Grant>(*grant);
    inbox(rank).erase(grant);
    done(rank, granted.ticket);
    return granted.work;
  }
  /// All members say that they hold the same sum of the present step.
  void reduce(std::uint64_t sum = 7) {
    const comm::View view = coordinator.view();
    const Reduced answer = reduced(sum);
    for (const Rank rank : view.members) tell(rank.value(), answer);
  }
  Reduced reduced(std::uint64_t sum = 7, std::uint64_t weights = 3) const {
    return {StepId{coordinator.version().value()}, coordinator.view().id, sum, weights};
  }
  void bye() {
    const comm::View view = coordinator.view();
    for (const Rank rank : view.members) tell(rank.value(), Bye{5});
  }

  void wait(double by_s) {
    now_ += std::chrono::duration_cast<Duration>(std::chrono::duration<double>(by_s));
  }
  Duration now() const { return now_; }
  void tick() { deliver(coordinator.tick(now_)); }
  /// Time passes, and all who ever said Hello are heard of; the silent are not.
  void live(double by_s, const std::set<int>& silent = {}) {
    constexpr double every_s = 0.25;
    for (; by_s > 0; by_s -= every_s) {
      wait(std::min(by_s, every_s));
      for (const auto& [rank, life] : lives_) {
        if (!silent.contains(rank)) tell(rank, Heartbeat{});
      }
      tick();
    }
  }
  /// Members are not heard of until they are taken for lost, all in one tick.
  void lose(const std::set<int>& ranks) { live(2.5, ranks); }

  void abort(ExitCode code, std::string reason) {
    deliver(coordinator.abort(code, std::move(reason)));
  }
  void stop() { deliver(coordinator.stop(now_)); }

  /// Takes the messages of one type out of a member's inbox.
  template <class Body>
  std::vector<Body> take(int rank) {
    std::vector<Body> found;
    std::erase_if(inbox(rank), [&](const Message& message) {
      if (!std::holds_alternative<Body>(message)) return false;
      found.push_back(std::get<Body>(message));
      return true;
    });
    return found;
  }
  /// The batches of the tickets that a member was granted since it was last asked.
  std::vector<std::uint64_t> take_batches(int rank) {
    std::vector<std::uint64_t> batches;
    for (const Grant& grant : take<Grant>(rank)) batches.push_back(grant.work.batch.value());
    return batches;
  }
  std::vector<Message>& inbox(int rank) { return inbox_[rank]; }
  void clear() {
    for (auto& [rank, messages] : inbox_) messages.clear();
  }
  /// How often the log tells of this.
  std::int64_t noted(const std::string& kind) const {
    return std::ranges::count(events, kind, &metrics::Event::kind);
  }

 private:
  void deliver(Actions actions) {
    if (actions.committed) records.push_back(std::move(*actions.committed));
    for (Envelope& envelope : actions.messages) {
      inbox(envelope.to.value()).push_back(std::move(envelope.message));
    }
    std::ranges::move(actions.events, std::back_inserter(events));
  }

  int members_;
  Rules rules_;
  Duration now_{};
  std::map<int, std::uint32_t> lives_;  ///< of all who ever said Hello
  std::map<int, std::vector<Message>> inbox_;

 public:
  Coordinator coordinator;
  std::vector<metrics::StepRecord> records;
  std::vector<metrics::Event> events;
};

// What tests have in common ---------------------------------------------------------------------

using Batches = std::vector<std::uint64_t>;

inline Rules rules_of(std::uint64_t k, std::uint64_t tickets_in_hand = 1) {
  Rules rules;
  rules.k = k;
  rules.tickets_in_hand = tickets_in_hand;
  return rules;
}

inline Desk gathered(Run run) {
  Desk desk(std::move(run));
  desk.gather();
  return desk;
}

inline comm::View view_of(ViewId::rep id, std::initializer_list<int> ranks) {
  comm::View view{ViewId{id}, {}};
  for (const int rank : ranks) view.members.emplace_back(rank);
  return view;
}

inline bool mentions(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace daig::control
