#pragma once

/// A coordinator on a test's desk: the test plays all members by hand and reads what they are sent.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <daig/control/coordinator.hpp>

namespace daig::control {

/// What a test wants to be otherwise than in Desk's run.
struct Run {
  Rules rules{};
  int members = 3;  ///< rank 0 only holds the weights, unless it is alone
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
            comm::view_of_all(run.members), run.version),
        inbox_(static_cast<std::size_t>(run.members)) {}

  /// Everyone says Hello.
  void gather() {
    for (int rank = 0; rank < members_; ++rank) {
      const bool trains = rank > 0 || members_ == 1;
      tell(rank, Hello{.trains = trains ? 1u : 0u, .settings_digest = rules_.settings_digest});
    }
  }

  void tell(int from, const Message& message) {
    deliver(coordinator.receive(Rank{from}, message, now_));
  }
  void done(int from, TicketId ticket, double service_s = 1) {
    tell(from, Done{ticket, 1, 0.5, service_s});
  }
  /// All members say that they hold the same sum of the present step.
  void reduce(std::uint64_t sum = 7) {
    for (int rank = 0; rank < members_; ++rank) tell(rank, reduced(sum));
  }
  Reduced reduced(std::uint64_t sum = 7, std::uint64_t weights = 3) const {
    return {StepId{coordinator.version().value()}, coordinator.view().id, sum, weights};
  }
  void bye() {
    for (int rank = 0; rank < members_; ++rank) tell(rank, Bye{5});
  }
  void wait(double by_s) {
    now_ += std::chrono::duration_cast<Duration>(std::chrono::duration<double>(by_s));
  }
  void tick() { deliver(coordinator.tick(now_)); }
  void abort(ExitCode code, std::string reason) {
    deliver(coordinator.abort(code, std::move(reason)));
  }

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
  std::vector<Message>& inbox(int rank) { return inbox_[static_cast<std::size_t>(rank)]; }
  void clear() {
    for (auto& messages : inbox_) messages.clear();
  }

 private:
  void deliver(Actions actions) {
    if (actions.committed) records.push_back(std::move(*actions.committed));
    for (Envelope& envelope : actions.messages) {
      inbox(envelope.to.value()).push_back(std::move(envelope.message));
    }
  }

  int members_;
  Rules rules_;
  Duration now_{};

 public:
  Coordinator coordinator;
  std::vector<metrics::StepRecord> records;

 private:
  std::vector<std::vector<Message>> inbox_;
};

}  // namespace daig::control
