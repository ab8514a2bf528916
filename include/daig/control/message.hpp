#pragma once

/// The control plane's messages: everything the coordinator and the members of the view say.
///
/// None carries a gradient. Each lists its fields once, and the wire format (control/wire.hpp) both
/// writes and reads by that list.

#include <cstdint>
#include <string>
#include <variant>

#include <daig/comm/tag.hpp>
#include <daig/comm/view.hpp>
#include <daig/core/error.hpp>
#include <daig/core/id.hpp>

namespace daig::control {

/// One batch of one epoch: what is committed exactly once.
struct Work {
  Epoch epoch;
  BatchId batch;

  friend auto operator<=>(const Work&, const Work&) = default;
  static void fields(auto& m, auto&& visit) { visit(m.epoch, m.batch); }
};

// Member -> coordinator -------------------------------------------------------------------------

/// "I am here, with nothing in hand." Its settings must be the coordinator's, or the run makes no
/// sense.
struct Hello {
  std::uint32_t protocol = 2;
  std::uint32_t trains = 0;  ///< 1: takes tickets; 0: only holds the weights
  std::uint64_t settings_digest = 0;
  std::uint32_t life = 1;  ///< grows with every Hello of a rank: what it said before is void

  static void fields(auto& m, auto&& visit) {
    visit(m.protocol, m.trains, m.settings_digest, m.life);
  }
};

/// The state that a Load named is here: ready to take part.
struct Ready {
  comm::ExchangeId exchange;
  static void fields(auto& m, auto&& visit) { visit(m.exchange); }
};

/// A ticket's gradient is computed and waits, at the volunteer, to be accepted.
struct Done {
  TicketId ticket;
  std::uint64_t samples = 0;
  double loss_sum = 0;
  double service_s = 0;       ///< compute time by the volunteer's clock
  double norm = 0;            ///< of the gradient of the samples' mean loss
  std::uint64_t correct = 0;  ///< of the samples; 0 where nobody counts them

  static void fields(auto& m, auto&& visit) {
    visit(m.ticket, m.samples, m.loss_sum, m.service_s, m.norm, m.correct);
  }
};

/// A ticket's gradient is no number, or beyond the Grant's bound: the volunteer itself refuses it.
struct Spoiled {
  TicketId ticket;
  double norm = 0;
  static void fields(auto& m, auto&& visit) { visit(m.ticket, m.norm); }
};

/// A ticket comes back without a gradient: the volunteer's program let go of it.
struct GiveBack {
  TicketId ticket;
  static void fields(auto& m, auto&& visit) { visit(m.ticket); }
};

/// The all-reduce of a step is over here.
struct Reduced {
  StepId step;
  ViewId view;
  std::uint64_t sum_digest = 0;
  std::uint64_t weights_digest = 0;  ///< of the weights the step started from

  static void fields(auto& m, auto&& visit) {
    visit(m.step, m.view, m.sum_digest, m.weights_digest);
  }
};

/// "Send me this shard's samples."
struct FetchShard {
  ShardId shard;
  static void fields(auto& m, auto&& visit) { visit(m.shard); }
};

/// "I cannot go on", with the reason: the workload threw.
struct Failed {
  std::int32_t exit_code = 1;
  std::string reason;
  static void fields(auto& m, auto&& visit) { visit(m.exit_code, m.reason); }
};

/// "I would like to go": takes no more tickets, gives back those in hand, and stays until what it
/// has banked is committed.
struct Leave {
  static void fields(auto& /*m*/, auto&& visit) { visit(); }
};

/// The answer to Finish: the digest of the final weights.
struct Bye {
  std::uint64_t weights_digest = 0;
  static void fields(auto& m, auto&& visit) { visit(m.weights_digest); }
};

// Coordinator -> member -------------------------------------------------------------------------

/// The answer to a Hello: what a member needs to know of the run.
struct Welcome {
  std::uint64_t samples = 0, batch_size = 0, shards = 0;  ///< the shard plan
  std::uint32_t has_dataset = 0;                          ///< 1: shards can be fetched
  std::uint64_t seed = 0;
  std::uint64_t shuffle_seed = 0;  ///< of the samples' order

  static void fields(auto& m, auto&& visit) {
    visit(m.samples, m.batch_size, m.shards, m.has_dataset, m.seed, m.shuffle_seed);
  }
};

/// The chain's first member broadcasts its weights and optimiser state to the others, newcomers all
/// of them, in the named exchange.
struct Load {
  comm::View chain;
  comm::ExchangeId exchange;
  Version version;

  static void fields(auto& m, auto&& visit) { visit(m.chain, m.exchange, m.version); }
};

/// Somebody who took part in this exchange is lost: give it up. Nothing else is void.
struct Abandon {
  comm::ExchangeId exchange;
  static void fields(auto& m, auto&& visit) { visit(m.exchange); }
};

/// "You are not in the view any more": all that the volunteer holds of the run is void. It may say
/// Hello again, unless it is told not to.
struct Expelled {
  std::uint8_t may_return = 1;
  std::string reason;
  static void fields(auto& m, auto&& visit) { visit(m.may_return, m.reason); }
};

/// A ticket: permission to compute one batch at one weights version.
struct Grant {
  TicketId ticket;
  Work work;
  Version version;
  double deadline_s = 0;     ///< from now; past it, another volunteer may get the batch as well
  double most_norm = 0;      ///< a gradient beyond it is Spoiled
  std::uint8_t awaited = 0;  ///< 1: its Done may close the step, and should be heard at once

  static void fields(auto& m, auto&& visit) {
    visit(m.ticket, m.work, m.version, m.deadline_s, m.most_norm, m.awaited);
  }
};

/// A Done counts: its gradient is banked and joins the accumulator.
struct Accept {
  TicketId ticket;
  static void fields(auto& m, auto&& visit) { visit(m.ticket); }
};

/// A single ticket is void (its batch was banked elsewhere, or its gradient's norm is not
/// believed): drop the work, or its gradient.
struct Cancel {
  TicketId ticket;
  static void fields(auto& m, auto&& visit) { visit(m.ticket); }
};

/// A shard this volunteer will soon need.
struct Prefetch {
  ShardId shard;
  static void fields(auto& m, auto&& visit) { visit(m.shard); }
};

/// Announces a shard's bytes, which follow on the data plane in pieces.
struct ShardOffer {
  ShardId shard;
  std::uint64_t bytes = 0;
  static void fields(auto& m, auto&& visit) { visit(m.shard, m.bytes); }
};

/// The K-th batch is banked. All tickets are void, unaccepted gradients are dropped, and the view's
/// accumulators are all-reduced in the named exchange. Said again, with another view and exchange,
/// when a member was lost meanwhile.
struct Close {
  StepId step;
  comm::View view;
  comm::ExchangeId exchange;
  std::uint64_t accepted = 0;  ///< batches banked at this member; it must have counted as many

  static void fields(auto& m, auto&& visit) { visit(m.step, m.view, m.exchange, m.accepted); }
};

/// All members hold the same sum: apply it. The rate comes along, so that no member evaluates a
/// schedule with a mathematical library of its own.
struct Commit {
  StepId step;
  std::uint64_t samples = 0;  ///< in the sum; the sum is divided by it
  double learning_rate = 0;

  static void fields(auto& m, auto&& visit) { visit(m.step, m.samples, m.learning_rate); }
};

/// No step follows for this member: answer with Bye, and leave.
struct Finish {
  std::uint8_t complete = 1;  ///< 0: work is left, or this member has not the final weights
  std::uint8_t lost = 0;      ///< 1: some rank was lost, and is not to be waited for
  static void fields(auto& m, auto&& visit) { visit(m.complete, m.lost); }
};

/// The run is over without a result.
struct Abort {
  std::int32_t exit_code = 1;
  std::string reason;
  static void fields(auto& m, auto&& visit) { visit(m.exit_code, m.reason); }
};

// Both ways -------------------------------------------------------------------------------------

/// "I am alive", sent when there was nothing else to say.
struct Heartbeat {
  static void fields(auto& /*m*/, auto&& visit) { visit(); }
};

/// The order is the wire's numbering: append, never reorder.
using Message = std::variant<Hello, Done, Reduced, FetchShard, Failed, Bye, Welcome, Grant, Accept,
                             Cancel, Prefetch, ShardOffer, Close, Commit, Finish, Abort, Heartbeat,
                             GiveBack, Ready, Load, Abandon, Expelled, Leave, Spoiled>;

/// What may lie until its receiver looks by itself: while batches are computed, nobody waits for
/// it.
inline bool is_routine(const Message& message) {
  return std::holds_alternative<Done>(message) || std::holds_alternative<Accept>(message) ||
         std::holds_alternative<Grant>(message) || std::holds_alternative<Prefetch>(message) ||
         std::holds_alternative<Heartbeat>(message);
}

/// A message and where it goes.
struct Envelope {
  Rank to;
  Message message;
};

/// Calls the handlers of a visitor made of lambdas: std::visit(overloaded{...}, message).
template <class... Handlers>
struct Overloaded : Handlers... {
  using Handlers::operator()...;
};
template <class... Handlers>
Overloaded(Handlers...) -> Overloaded<Handlers...>;  // which Clang 14 does not deduce by itself

}  // namespace daig::control
