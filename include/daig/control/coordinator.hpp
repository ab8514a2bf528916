#pragma once

/// The coordinator: the step protocol as a pure state machine.
///
/// (event, now) -> messages. No clock, no I/O, no communicator inside: the MPI loop, the in-process
/// loop and the simulator drive the same object, and tests drive it through thousands of histories.
///
///     gathering --all are there--> open --K banked--> reducing --all Reduced, same digest--> open
///
/// and, when no work is left, finishing and over. Where a member is lost that had banked something,
/// reducing goes back to open, until as much is banked again.
///
/// Ranks come and go meanwhile. One that says Hello waits, is welcomed at the next step's opening,
/// loads the weights while others compute, and then is a member. One that is silent, or broke the
/// protocol, is expelled: its tickets, and what only it had banked, go to others in the same step.

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <daig/comm/view.hpp>
#include <daig/control/batch_queue.hpp>
#include <daig/control/member_record.hpp>
#include <daig/control/message.hpp>
#include <daig/control/norm_watch.hpp>
#include <daig/control/policies.hpp>
#include <daig/control/rules.hpp>
#include <daig/metrics/recorder.hpp>
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
  std::vector<metrics::Event> events;            ///< for the event log
  std::vector<Rank> gone;                        ///< nothing more is to be sent to them
};

class Coordinator {
 public:
  enum class Phase {
    gathering,  ///< waiting for the first members
    open,       ///< tickets are out, batches are banked
    reducing,   ///< the step is closed; the view all-reduces
    finishing,  ///< the last step is committed; members say Bye
    over        ///< nothing follows; `failure` tells whether there is a result
  };

  /// @param queue    the work of the run, less what was committed before it was resumed
  /// @param view     the ranks that are expected at the start, the coordinator's own first
  /// @param version  of the weights to start from: committed steps so far
  /// @throws UsageError when the rules contradict themselves.
  Coordinator(Rules rules, BatchQueue queue, const comm::View& view, Version version = Version{0});

  /// A message arrived. Messages that make no sense in the present phase, or come from a rank that
  /// is no member, are dropped: they crossed another on the wire.
  /// @param now  time since the run began; never goes back.
  /// Cost: a Done takes logarithmic time in the members and tickets; what opens or closes a step,
  /// or changes the view, is linear in them, like the messages that it makes.
  Actions receive(Rank from, const Message& message, Duration now);

  /// Time passed: hands out backups, says Heartbeat, and expels who is silent. Call it about every
  /// hundredth of a second; more often brings nothing.
  /// Cost: linear in the members and the tickets that are out.
  Actions tick(Duration now);

  /// Ends the run early, with the weights as they are: a step that is being reduced is committed
  /// first, one that is open is given up.
  Actions stop(Duration now);

  /// Ends the run without a result, and tells all members why.
  Actions abort(ExitCode code, std::string reason);

  Phase phase() const { return phase_; }
  bool over() const { return phase_ == Phase::over; }
  const std::optional<Failure>& failure() const { return failure_; }
  /// Whether all work is committed; `stop` may have ended the run before.
  bool complete() const { return all_handed_out() && tickets_.empty() && banked_.empty(); }
  Version version() const { return version_; }
  const comm::View& view() const { return view_; }
  const data::ShardPlan& plan() const { return queue_.plan(); }
  /// Steps of the whole run, those before it was resumed included.
  std::uint64_t total_steps() const { return total_steps_; }
  std::uint64_t banked() const { return banked_.size(); }
  std::uint64_t tickets_out() const { return tickets_.size(); }
  /// Whether some rank was expelled or has left: at the end it is not to be waited for.
  bool has_lost() const { return has_lost_; }
  /// For so long what arrives may lie, unless its sender says that it presses. While a step is
  /// open: going by the measured service times, no volunteer runs out of tickets meanwhile. While
  /// it is reduced: a moment, in which not much of a large sum piles up for a listener; once the
  /// first member has the sum, none.
  Duration leeway() const;

 private:
  struct Ticket {
    Work work;
    Rank holder;
    Duration overdue;              ///< from then on, another may get the batch as well
    std::optional<TicketId> twin;  ///< for the same work: its backup, or what it backs up
  };
  using TicketPlace = std::map<TicketId, Ticket>::iterator;
  /// A batch whose gradient was refused: the next opinion is another volunteer's.
  struct Doubt {
    Work work;
    Rank volunteer;  ///< whose gradient it was
    double norm;
    bool pending = true;  ///< not granted again yet
  };
  /// The first member's answer: all others' must be the same.
  template <class Answer>
  using First = std::optional<std::pair<Rank, Answer>>;

  void on(Rank from, const Ready& ready);
  void on(Rank from, const Done& done);
  void on(Rank from, const GiveBack& ticket);
  void on(Rank from, const Spoiled& spoiled);
  void on(Rank from, const Reduced& reduced);
  void on(Rank from, const Failed& failed);
  void on(Rank from, const Leave& leave);
  void on(Rank from, const Bye& bye);
  template <class Other>
  void on(Rank, const Other&) {}  // not for the state machine

  // Who takes part (detail/coordinator_members.ipp)
  void hear_hello(Rank from, const Hello& hello);
  void begin_if_gathered();
  void take_in();
  void join(Rank rank);
  void expel(Rank rank, const std::string& reason, bool may_return = true);
  void tell_again(Rank rank, const Message& message);
  void say_expelled(Rank rank, const std::string& reason, bool may_return);
  void remove(Rank rank) { remove(std::vector<Rank>{rank}); }
  void remove(const std::vector<Rank>& ranks);
  void go_on_without(const std::vector<Rank>& lost);
  void lose_work_of(Rank rank);
  void stop_loading();
  void let_leavers_go();
  void check_silence();
  std::optional<std::string> why_lost(const MemberRecord& member) const;
  MemberRecord* find(Rank rank);
  std::uint64_t count(Standing standing) const;

  // Tickets
  void welcome(Rank rank);
  void grant();
  void grant_one(Rank volunteer);
  std::optional<Work> next_work(Rank volunteer, std::optional<TicketId>& twin);
  bool may_have_more(const MemberRecord& volunteer) const;
  bool others_may_have_more(Rank volunteer) const;
  std::uint64_t contributors_now() const;
  bool may_close_the_step() const;
  std::optional<TicketId> overdue_ticket(Rank volunteer) const;
  void release(TicketPlace ticket);
  void give_back(TicketPlace ticket);
  void refuse(Rank from, TicketPlace ticket, double norm);
  void strike(Rank volunteer, double norm);
  Doubt* doubt_about(const Work& work);
  bool is_confirmed(const Doubt* doubt, double norm) const;
  bool all_handed_out() const;

  // Steps
  void enter(Phase phase);
  bool is_last_answer(Rank from);
  void open();
  void close_if_full();
  void close();
  void commit();
  void finish();
  void end(ExitCode code, std::string reason);
  Finish last_word(bool complete) const;

  void send(Rank to, Message message);
  void send_members(const Message& message);
  void note(std::string kind, Rank rank, const std::string& reason);
  Actions take_actions();

  Rules rules_;
  BatchQueue queue_;
  comm::View view_;  ///< while gathering: who is expected
  Version version_;
  std::uint64_t total_steps_;

  Phase phase_ = Phase::gathering;
  Duration now_{};
  bool stopping_ = false;
  bool has_lost_ = false;
  bool somebody_trains_ = false;  ///< or did
  std::optional<Failure> failure_;

  std::map<Rank, MemberRecord> members_;  ///< and those on their way to become one
  std::map<Rank, std::uint32_t> lives_;   ///< the last Hello of each rank that was heard
  std::set<Rank> banned_;
  std::map<Rank, Duration> expelled_;  ///< when they were told so
  std::optional<Load> loading_;        ///< how the newcomers get the weights now
  Duration lonely_since_{};
  std::vector<Rank> fastest_first_;  ///< the volunteers in the view
  ServiceTime mean_service_;
  std::uint64_t unanswered_ = 0;  ///< members from whom the phase waits to hear
  First<Reduced> first_reduced_;
  First<Bye> first_bye_;

  TicketId next_ticket_{1};
  comm::ExchangeId next_exchange_;
  std::map<TicketId, Ticket> tickets_;  ///< out, at this step
  std::vector<metrics::BatchRecord> banked_;
  NormWatch norms_;
  std::vector<Doubt> doubts_;  ///< of this step and later ones
  comm::View reducing_view_;   ///< of the present step's last Close
  comm::ExchangeId reducing_exchange_{0};
  Duration opened_{};
  Duration closed_{};
  Actions actions_;
};

}  // namespace daig::control

#ifndef DAIG_COMPILED
#include <daig/control/detail/coordinator.ipp>
#include <daig/control/detail/coordinator_members.ipp>
#endif
