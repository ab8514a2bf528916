#pragma once

/// The coordinator: the step protocol as a pure state machine.
///
/// (event, now) -> messages. No clock, no I/O, no communicator inside: the MPI loop, the in-process
/// loop and the simulator drive the same object, and tests drive it through thousands of histories.
///
///     gathering --all said Hello--> open --K banked--> reducing --all Reduced, same digest--> open
///                                                               \--no work left--> finishing -->
///                                                               over

#include <algorithm>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <daig/comm/view.hpp>
#include <daig/control/batch_queue.hpp>
#include <daig/control/message.hpp>
#include <daig/control/policies.hpp>
#include <daig/control/rules.hpp>
#include <daig/metrics/step_record.hpp>

namespace daig::control {

/// Why a run ended without a result.
struct Failure {
  ExitCode code;
  std::string reason;
};

/// What the world outside has to do after an event. First the messages, for which others wait; the
/// step is entered before anything is heard again.
struct Actions {
  std::vector<Envelope> messages;
  std::optional<metrics::StepRecord> committed;  ///< for the ledger
};

class Coordinator {
 public:
  enum class Phase {
    gathering,  ///< waiting for every member's Hello
    open,       ///< tickets are out, batches are banked
    reducing,   ///< the step is closed; the view all-reduces
    finishing,  ///< the last step is committed; members say Bye
    over        ///< nothing follows; `failure` tells whether there is a result
  };

  /// @param queue    the work of the run, less what was committed before it was resumed
  /// @param view     the ranks that will take part; each must say Hello
  /// @param version  of the weights to start from: committed steps so far
  /// @throws UsageError when the rules contradict themselves.
  Coordinator(Rules rules, BatchQueue queue, comm::View view, Version version = Version{0});

  /// A message arrived. Messages that make no sense in the present phase are dropped: they crossed
  /// another on the wire.
  /// @param now  time since the run began; never goes back.
  /// Cost: a Done takes logarithmic time in the members and tickets; what opens or closes a step is
  /// linear in them, like the messages that it makes.
  Actions receive(Rank from, const Message& message, Duration now);

  /// Time passed: hands out backups, says Heartbeat, and finds who is silent. Call it about every
  /// tenth of a second; more often brings nothing.
  /// Cost: linear in the members and the tickets that are out.
  Actions tick(Duration now);

  /// Ends the run without a result, and tells all members why.
  Actions abort(ExitCode code, std::string reason);

  Phase phase() const { return phase_; }
  bool over() const { return phase_ == Phase::over; }
  const std::optional<Failure>& failure() const { return failure_; }
  Version version() const { return version_; }
  const comm::View& view() const { return view_; }
  const data::ShardPlan& plan() const { return queue_.plan(); }
  /// Steps of the whole run, those before it was resumed included.
  std::uint64_t total_steps() const { return total_steps_; }
  std::uint64_t banked() const { return banked_.size(); }
  std::uint64_t tickets_out() const { return tickets_.size(); }
  /// For so long what arrives may lie, unless its sender says that it presses: going by the
  /// measured service times, no volunteer runs out of tickets meanwhile.
  Duration leeway() const;

 private:
  struct Ticket {
    Work work;
    Rank holder;
    Duration overdue;              ///< from then on, another may get the batch as well
    std::optional<TicketId> twin;  ///< for the same work: its backup, or what it backs up
  };
  struct Member {
    bool answered = false;  ///< with Hello, Reduced or Bye: what the phase waits for
    bool trains = false;
    std::uint64_t in_hand = 0;   ///< tickets
    std::uint64_t accepted = 0;  ///< batches of the present step
    ServiceTime service;
    Duration heard{};
    Duration spoken{};
  };
  /// The first member's answer: all others' must be the same.
  template <class Answer>
  using First = std::optional<std::pair<Rank, Answer>>;

  void on(Rank from, const Hello& hello);
  void on(Rank from, const Done& done);
  void on(Rank from, const GiveBack& ticket);
  void on(Rank from, const Reduced& reduced);
  void on(Rank from, const Failed& failed);
  void on(Rank from, const Bye& bye);
  template <class Other>
  void on(Rank, const Other&) {}  // not for the state machine

  void enter(Phase phase);
  bool is_last_answer(Rank from);

  void welcome();
  void grant();
  void grant_one(Rank volunteer);
  bool may_have_more(const Member& volunteer) const;
  bool may_close_the_step() const;
  std::optional<TicketId> overdue_ticket(Rank volunteer) const;
  void release(std::map<TicketId, Ticket>::iterator ticket);
  void open();
  void close();
  void commit();
  void end(ExitCode code, std::string reason);

  void send(Rank to, Message message);
  void send_all(const Message& message);
  Actions take_actions();

  Rules rules_;
  BatchQueue queue_;
  comm::View view_;
  Version version_;
  std::uint64_t total_steps_;

  Phase phase_ = Phase::gathering;
  Duration now_{};
  std::optional<Failure> failure_;
  std::map<Rank, Member> members_;
  std::vector<Rank> fastest_first_;
  ServiceTime mean_service_;
  std::uint64_t unanswered_ = 0;    ///< members from whom the phase waits to hear
  std::uint64_t contributors_ = 0;  ///< volunteers with tickets or banked batches in this step
  First<Reduced> first_reduced_;
  First<Bye> first_bye_;

  TicketId next_ticket_{1};
  comm::ExchangeId next_exchange_;
  std::map<TicketId, Ticket> tickets_;  ///< out, at this step
  std::vector<metrics::BatchRecord> banked_;
  Duration opened_{};
  Duration closed_{};
  Actions actions_;
};

}  // namespace daig::control

#include <daig/control/detail/coordinator.ipp>
