#pragma once

/// A run without machines: the coordinator itself, driven by simulated members in virtual time.
///
/// For planning (how long does a step take with this K on such volunteers?) and for tests (does the
/// protocol hold in a history like this one?). Whatever the simulator finds of the protocol is true
/// of a real run: the same Coordinator decides.

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include <daig/control/coordinator.hpp>
#include <daig/control/message.hpp>
#include <daig/core/random.hpp>

namespace daig::control {

/// Something that befalls a simulated member.
struct Fault {
  enum class Kind {
    dies,     ///< without a word; of what it said last, some may be lost with it
    freezes,  ///< for `for_s`, and then goes on as if nothing had been
    leaves,   ///< politely
    comes     ///< with nothing in hand, wherever it was before
  };
  double at_s = 0;
  Rank member;
  Kind kind = Kind::dies;
  double for_s = 0;
};

/// The simulated members of a run, and the network between them. Times are seconds of virtual time.
struct Fleet {
  std::uint64_t volunteers = 8;     ///< ranks 1 ... volunteers
  bool coordinator_trains = false;  ///< rank 0 takes tickets as well
  std::uint64_t seed = 0;           ///< every member and the network draw numbers of their own

  /// Time of the computation that a member begins now. Required.
  std::function<double(Rank member, Random& random)> service_s{};
  /// Time of a message on its way; messages of one sender and receiver keep their order. Empty:
  /// none.
  std::function<double(Random& random)> latency_s{};
  /// Whether a member lets go of a ticket that it computed, instead of saying Done. Empty: never.
  std::function<bool(Rank member, Random& random)> lets_go{};
  /// Norm of the gradient that a member computed. Empty: 1.
  std::function<double(Rank member, const Work& work, Random& random)> norm{};
  std::vector<Fault> faults{};
  /// Part of the members' messages that arrive twice, or overtake others.
  double disorder = 0;
  double tick_s = 0.1;  ///< how often the coordinator is told the time

  /// Told of every message as it is sent (heartbeats aside) by the member or to it, as its type
  /// says, of every committed step, and of the coordinator's events, each before what follows.
  std::function<void(Rank member, const Message& message)> on_message{};
  std::function<void(const metrics::Event& event)> on_event{};
  std::function<void(const metrics::StepRecord& record)> on_commit{};
};

/// A member computes its tickets one after the other, in the order in which they were granted, and
/// drops at once what is cancelled. An exchange ends for all when the last has entered it, and
/// takes no time but a message's; when a member dies, it may still end for some. Gradients and
/// weights are numbers that tell the batches that went in.
class Simulator {
 public:
  /// @throws UsageError when the rules contradict themselves.
  Simulator(const Rules& rules, BatchQueue queue, Fleet fleet, Version version = Version{0});

  /// Runs until so many more steps are committed, or the run is over.
  void run(std::uint64_t steps);

  /// Runs to the end.
  void run_to_end();

  /// Lets the next event happen; false when the run is over.
  /// Cost: logarithmic in the members, and what the coordinator's answer costs.
  /// @throws ContractViolation when the coordinator breaks the protocol, or the run stands still.
  bool advance();

  Duration now() const { return now_; }
  std::uint64_t events() const { return events_; }
  const Coordinator& coordinator() const { return coordinator_; }

 private:
  enum class Direction { to_coordinator, to_member };
  struct Delivery {
    Rank member;
    std::uint32_t life;  ///< of the member: what is said to another one is lost
    Direction direction;
    Message message;
  };
  struct Computed {
    Rank member;
  };
  /// An exchange is over for one of those who take part.
  struct Exchanged {
    Rank member;
    comm::ExchangeId exchange;
  };
  struct Tick {};
  using Event = std::variant<Delivery, Computed, Exchanged, Fault, Tick>;
  using Moment = std::pair<Duration, std::uint64_t>;  ///< events of one time keep their order

  struct Member {
    Random random;
    bool trains = false;
    bool here = false;
    std::uint32_t life = 0;
    std::uint32_t heard_life = 0;  ///< the one that the coordinator speaks to
    Duration frozen_until{};
    bool leaving = false;
    bool loaded = false;
    std::deque<Grant> hand{};            ///< the first is being computed
    std::optional<Moment> computed{};    ///< when it will have been
    double service_s = 0;                ///< how long that takes
    std::vector<Grant> done{};           ///< not accepted yet
    std::uint64_t accepted = 0;          ///< batches in the accumulator
    std::uint64_t accumulator = 0;       ///< the sum of their gradients
    std::optional<std::uint64_t> sum{};  ///< all-reduced
    std::optional<comm::ExchangeId> exchange{};
    std::uint64_t weights = 0;
    Version version{};
    std::array<Duration, 2> arrival{};  ///< of the last message, by direction
  };
  /// A Load or an all-reduce that is under way.
  struct Exchange {
    std::vector<Rank> members;
    std::size_t entered = 0;
    bool broken = false;
    std::uint64_t value = 0;  ///< the sum so far, or the weights
    Message about;            ///< the Load or Close
  };

  void happen(const Delivery& delivery);
  void happen(const Computed& computed);
  void happen(const Exchanged& exchanged);
  void happen(const Fault& fault);
  void happen(const Tick& tick);
  Rank whose(const Event& event) const;

  void on(Member& member, Rank rank, const Load& load);
  void on(Member& member, Rank rank, const Abandon& abandon);
  void on(Member& member, Rank rank, const Expelled& expelled);
  void on(Member& member, Rank rank, const Grant& grant);
  void on(Member& member, Rank rank, const Accept& accept);
  void on(Member& member, Rank rank, const Cancel& cancel);
  void on(Member& member, Rank rank, const Close& close);
  void on(Member& member, Rank rank, const Commit& commit);
  void on(Member& member, Rank rank, const Finish& finish);
  template <class Other>
  void on(Member&, Rank, const Other&) {}  // nothing that the model depends on

  Member& at(Rank rank) { return members_[static_cast<std::size_t>(rank.value())]; }
  void come(Rank rank);
  void clear(Member& member);
  void enter(Rank rank, comm::ExchangeId id, const comm::View& members, const Message& about);
  void compute_first(Member& member, Rank rank);
  void stop(Member& member);
  void carry_out(Actions actions);
  void send(Rank member, Direction direction, Message message);
  Moment schedule(Duration when, Event event);
  Duration later(double by_s) const;

  Fleet fleet_;
  data::ShardPlan plan_;
  Random network_;
  Coordinator coordinator_;
  Duration now_{};
  std::uint64_t events_ = 0;
  std::vector<Member> members_;  ///< by rank

  std::map<comm::ExchangeId, Exchange> exchanges_;
  std::uint64_t settings_digest_;
  std::deque<Delivery> arrived_;  ///< happens now, before anything to come
  std::map<Moment, Event> to_come_;
  std::uint64_t next_number_ = 0;
};

}  // namespace daig::control

#ifndef DAIG_COMPILED
#include <daig/control/detail/simulator.ipp>
#endif
