#pragma once

/// A member of the view: takes part in every step, and computes if it trains.

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <daig/collective/chain_broadcast.hpp>
#include <daig/collective/ring_all_reduce.hpp>
#include <daig/collective/ring_listener.hpp>
#include <daig/comm/communicator.hpp>
#include <daig/control/message.hpp>
#include <daig/core/deadline.hpp>
#include <daig/data/shard_plan.hpp>
#include <daig/train/bank.hpp>
#include <daig/train/milestone.hpp>
#include <daig/train/replica.hpp>
#include <daig/train/shard_client.hpp>
#include <daig/train/ticket_desk.hpp>

namespace daig::train {

/// The coordinator ended the run; it has said why, and so has this text.
class RunAborted : public Error {
 public:
  using Error::Error;
};

struct MemberOptions {
  /// The coordinator, where it does not train: it gets every step's sum without being in the ring.
  std::optional<Rank> listener;
  std::uint64_t settings_digest = 0;
  std::size_t cache_bytes = std::size_t{1} << 30;  ///< for shards
  Duration heartbeat = std::chrono::milliseconds(250);
  Duration orphan_limit = std::chrono::seconds(30);  ///< without a word from the coordinator
  OnMilestone on_milestone = {};                     ///< for experiments; empty: nobody is told
};

/// The communication side of every rank of a run, the coordinator's own included: answers the
/// coordinator, takes part in the ring while the compute thread is still busy, applies the commits.
///
/// A member that is expelled (it was silent for too long) throws away all that it holds of the run
/// and begins anew, as a newcomer that is sent the weights.
///
/// Belongs to the communication thread. Memory: 4 bytes a weight for the step's sum, besides the
/// bank, the replica, the gradients in the compute thread's hands and the shards.
class Member {
 public:
  /// @param desk  where the compute thread works; null when this rank does not train
  /// @param bank  where its accepted gradients go
  Member(comm::Communicator& communicator, comm::Channel channel, Replica& replica,
         TicketDesk* desk, Bank& bank, MemberOptions options);
  Member(const Member&) = delete;
  Member& operator=(const Member&) = delete;
  Member(Member&&) = delete;
  Member& operator=(Member&&) = delete;
  /// Abandons an exchange under way: its buffers are left to the communicator.
  ~Member();

  /// Does what can be done now, without waiting. True when there was anything to do.
  /// @throws RunAborted, PeerLost when the coordinator is silent for too long, and what the compute
  /// thread's program threw.
  bool progress();

  /// Would like to leave the run: gives its tickets back, and is let go once what it has banked is
  /// committed. Any thread; wake the communicator then.
  void leave() noexcept { wants_to_leave_ = true; }

  /// How soon the next message should be looked for.
  comm::Urgency urgency() const;
  /// The run is over for this member, and the coordinator was told Bye.
  bool over() const { return over_; }
  /// Whether it ended with all work done.
  bool complete() const { return complete_; }
  /// Whether some rank was lost on the way, as far as this member knows.
  bool has_lost() const { return has_lost_; }
  /// What the run is about; nothing before the coordinator's Welcome.
  const std::optional<control::Welcome>& welcome() const { return welcome_; }
  /// Called after every commit, once the new weights are there.
  void on_commit(std::function<void(const control::Commit&)> call) { on_commit_ = std::move(call); }

 private:
  /// One attempt to sum a step's accumulators. The buffers are shared with the quarantine.
  struct Exchange {
    control::Close close;
    std::shared_ptr<const model::Accumulator> in;
    Buffer out;
    std::variant<collective::RingAllReduce<float>, collective::RingListener<float>> part;
  };

  /// The weights and optimiser state on their way to newcomers.
  struct Loading {
    control::Load load;
    std::shared_ptr<std::vector<std::byte>> state;
    collective::ChainBroadcast chain;
  };

  void on(const control::Welcome& welcome);
  void on(const control::Load& load);
  void on(const control::Abandon& abandon);
  void on(const control::Expelled& expelled);
  void on(const control::Grant& grant);
  void on(const control::Accept& accept);
  void on(const control::Cancel& cancel);
  void on(const control::Prefetch& prefetch);
  void on(const control::ShardOffer& offer);
  void on(const control::Close& close);
  void on(const control::Commit& commit);
  void on(const control::Finish& finish);
  void on(const control::Abort& abort);
  template <class Other>
  void on(const Other&) {}  // what members say, and heartbeats

  void say_hello();
  void say_leave();
  void drop_everything();
  void abandon_exchange();
  void abandon_loading();
  std::unique_ptr<Exchange> make_exchange(const control::Close& close);
  void fill_desk();
  std::optional<Assignment> assignment_of(const control::Grant& grant);
  void fetch(ShardId shard);
  void collect_outcomes();
  void poll_exchange();
  void poll_loading();
  void check_silence();
  void flush();
  void reach(Milestone milestone);
  void say(control::Message message) { outbox_.push_back(std::move(message)); }

  comm::Communicator& communicator_;
  comm::Channel channel_;
  Replica& replica_;
  TicketDesk* desk_;
  Bank& bank_;
  MemberOptions options_;
  ShardClient shards_;
  std::optional<control::Welcome> welcome_;
  std::optional<data::ShardPlan> plan_;
  std::function<void(const control::Commit&)> on_commit_;

  std::deque<control::Grant> granted_;             ///< not on the desk yet: the shard is on its way
  std::map<TicketId, ComputedGradient> awaiting_;  ///< done, neither accepted nor void yet
  BufferPool sums_;
  std::unique_ptr<Exchange> exchange_;
  Buffer sum_;  ///< of the closed step, once the exchange is over
  std::optional<Loading> loading_;

  std::uint32_t life_ = 0;  ///< how often it said Hello
  std::atomic<bool> wants_to_leave_ = false;
  bool leaving_ = false;  ///< and has said so
  std::vector<control::Message> outbox_;
  TimePoint heard_ = Clock::now();
  TimePoint spoken_{};
  bool busy_ = false;
  bool pressing_ = false;  ///< the coordinator should read the outbox at once
  bool over_ = false;
  bool complete_ = false;
  bool has_lost_ = false;
};

}  // namespace daig::train

#ifndef DAIG_COMPILED
#include <daig/train/detail/member.ipp>
#endif
