// The bodies of train/member.hpp.

#pragma once

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include <daig/control/wire.hpp>
#include <daig/core/digest.hpp>
#include <daig/core/inline.hpp>
#include <daig/core/log.hpp>
#include <daig/train/member.hpp>

namespace daig::train {

DAIG_INLINE Member::Member(comm::Communicator& communicator, comm::Channel channel,
                           Replica& replica, TicketDesk* desk, Bank& bank, MemberOptions options)
    : communicator_(communicator),
      channel_(channel),
      replica_(replica),
      desk_(desk),
      bank_(bank),
      options_(std::move(options)),
      shards_(communicator, channel.shard_data(), options_.cache_bytes),
      sums_(replica.weights()->size()) {
  say_hello();
  flush();
  reach(Milestone::hello);
}

DAIG_INLINE Member::~Member() {
  abandon_exchange();
  abandon_loading();
}

DAIG_INLINE void Member::say_hello() {
  control::Hello hello;
  hello.trains = desk_ == nullptr ? 0 : 1;
  hello.settings_digest = options_.settings_digest;
  hello.life = ++life_;
  say(hello);
}

DAIG_INLINE bool Member::progress() {
  busy_ = false;
  while (auto frame = communicator_.take(channel_.to_member(), control::max_frame_bytes)) {
    if (frame->from != coordinator_rank) continue;
    busy_ = true;
    heard_ = Clock::now();
    for (const control::Message& message : control::decode_frame(frame->bytes)) {
      std::visit([this](const auto& body) { on(body); }, message);
    }
    fill_desk();
  }
  if (shards_.poll()) {
    busy_ = true;
    fill_desk();
  }
  collect_outcomes();
  poll_exchange();
  poll_loading();
  say_leave();
  check_silence();
  flush();
  if (!exchange_ && !sum_) replica_.digest();  // now, while nobody waits for it
  return busy_;
}

/// In the ring everybody waits for everybody. A listener has time until the others say Reduced to
/// its own rank, and whoever has the sum waits for Commit: both come with a nudge. But what is left
/// to tell a listener may need help to get there.
DAIG_INLINE comm::Urgency Member::urgency() const {
  const bool listens = options_.listener == communicator_.rank();
  if ((exchange_ && !listens) || loading_) return comm::Urgency::prompt;
  if (shards_.busy() || (sum_ && communicator_.collect_kept() > 0)) return comm::Urgency::soon;
  if (exchange_ || sum_) return comm::Urgency::nudged;
  const bool idle = desk_ != nullptr && desk_->left() == 0;
  return idle ? comm::Urgency::soon : comm::Urgency::calm;
}

// The coordinator's words -----------------------------------------------------------------------

DAIG_INLINE void Member::on(const control::Welcome& welcome) {
  if (welcome.samples == 0 || welcome.batch_size == 0 || welcome.shards == 0) {
    throw PeerLost("the coordinator's Welcome has an empty plan");
  }
  welcome_ = welcome;
  plan_.emplace(welcome.samples, welcome.batch_size, welcome.shards);
}

DAIG_INLINE void Member::on(const control::Load& load) {
  abandon_loading();
  const bool is_source = load.chain.members.front() == communicator_.rank();
  auto state = std::make_shared<std::vector<std::byte>>();
  if (is_source) {
    *state = replica_.copy_state();
  } else {
    state->resize(replica_.state_bytes());
  }
  loading_.emplace(Loading{load, state,
                           collective::ChainBroadcast(communicator_, load.chain, load.exchange,
                                                      load.chain.members.front(), *state)});
}

/// Someone is lost who took part: what is banked here stays banked.
DAIG_INLINE void Member::on(const control::Abandon& abandon) {
  if (loading_ && loading_->load.exchange == abandon.exchange) return abandon_loading();
  abandon_exchange();
}

DAIG_INLINE void Member::on(const control::Expelled& expelled) {
  has_lost_ = true;
  if (expelled.may_return == 0) {
    throw RunAborted(fmt::format("this rank was expelled for good: {}", expelled.reason),
                     ExitCode::peer);
  }
  log::warning("expelled by the coordinator, since {}: beginning anew", expelled.reason);
  drop_everything();
  if (wants_to_leave_) {
    over_ = true;
    if (desk_ != nullptr) desk_->close();
    return;
  }
  say_hello();
}

DAIG_INLINE void Member::on(const control::Grant& grant) {
  if (leaving_) return;  // Leave is on its way, and gives it back
  granted_.push_back(grant);
}

DAIG_INLINE void Member::on(const control::Accept& accept) {
  const auto done = awaiting_.find(accept.ticket);
  if (done == awaiting_.end()) {
    throw PeerLost(fmt::format("the coordinator accepts ticket {}, which is not held here",
                               accept.ticket.value()));
  }
  bank_.deposit(std::move(done->second.gradient));
  awaiting_.erase(done);
  reach(Milestone::banked);
}

DAIG_INLINE void Member::on(const control::Cancel& cancel) {
  std::erase_if(granted_, [&](const auto& grant) { return grant.ticket == cancel.ticket; });
  if (desk_ != nullptr) desk_->cancel(cancel.ticket);
  awaiting_.erase(cancel.ticket);
}

DAIG_INLINE void Member::on(const control::Prefetch& prefetch) {
  fetch(prefetch.shard);
}

DAIG_INLINE void Member::on(const control::ShardOffer& offer) {
  shards_.on(offer);
}

DAIG_INLINE void Member::on(const control::Close& close) {
  abandon_exchange();
  granted_.clear();
  if (desk_ != nullptr) desk_->cancel_all();
  awaiting_.clear();
  const std::uint64_t banked = bank_.close()->batches();
  if (banked != close.accepted || close.step.value() != replica_.version().value()) {
    throw PeerLost(fmt::format(
        "the coordinator closes step {} with {} batches from here, but {} are banked for step {}",
        close.step.value(), close.accepted, banked, replica_.version().value()));
  }
  exchange_ = make_exchange(close);
}

DAIG_INLINE void Member::on(const control::Commit& commit) {
  if (!sum_ || commit.step.value() != replica_.version().value()) {
    throw PeerLost(fmt::format("the coordinator commits step {}, which is not reduced here",
                               commit.step.value()));
  }
  replica_.apply(*sum_, commit.samples, commit.learning_rate);
  sum_.reset();
  bank_.clear();
  reach(Milestone::committed);
  if (on_commit_) on_commit_(commit);
}

DAIG_INLINE void Member::on(const control::Finish& finish) {
  abandon_exchange();
  abandon_loading();
  say(control::Bye{replica_.digest()});
  if (desk_ != nullptr) desk_->close();
  complete_ = finish.complete != 0;
  has_lost_ |= finish.lost != 0;
  over_ = true;
}

DAIG_INLINE void Member::on(const control::Abort& abort) {
  throw RunAborted(abort.reason, ExitCode{abort.exit_code});
}

// Its own doings --------------------------------------------------------------------------------

DAIG_INLINE void Member::say_leave() {
  if (!wants_to_leave_ || leaving_ || over_) return;
  leaving_ = true;
  granted_.clear();
  if (desk_ != nullptr) desk_->cancel_all();
  say(control::Leave{});
}

/// Nothing of the run is left here but the shards, which are the same in every life.
DAIG_INLINE void Member::drop_everything() {
  abandon_exchange();
  abandon_loading();
  granted_.clear();
  awaiting_.clear();
  if (desk_ != nullptr) desk_->cancel_all();
  bank_.close();
  bank_.clear();
  shards_.ask_again();
  welcome_.reset();
}

/// Gives up the exchange, and a sum that it has brought already: the sum of another view counts.
DAIG_INLINE void Member::abandon_exchange() {
  sum_.reset();
  if (!exchange_) return;
  auto buffers = std::make_shared<std::pair<std::shared_ptr<const model::Accumulator>, Buffer>>(
      exchange_->in, exchange_->out);
  std::visit([&](auto& part) { part.abandon(buffers); }, exchange_->part);
  exchange_.reset();
}

DAIG_INLINE void Member::abandon_loading() {
  if (!loading_) return;
  loading_->chain.abandon(loading_->state);
  loading_.reset();
}

DAIG_INLINE std::unique_ptr<Member::Exchange> Member::make_exchange(const control::Close& close) {
  comm::View ring = close.view;
  if (options_.listener) std::erase(ring.members, *options_.listener);
  const auto in = bank_.close();
  const Buffer out = sums_.acquire();
  const std::span<float> sum(*out);
  if (options_.listener == communicator_.rank()) {
    return std::unique_ptr<Exchange>(new Exchange{
        close, in, out, collective::RingListener<float>(communicator_, ring, close.exchange, sum)});
  }
  return std::unique_ptr<Exchange>(
      new Exchange{close, in, out,
                   collective::RingAllReduce<float>(communicator_, ring, close.exchange, in->sum(),
                                                    sum, {.listener = options_.listener})});
}

/// Grants go to the desk in their order, each once its shard is here; all that can at once, as the
/// compute thread may take this thread's core with the first that it sees.
DAIG_INLINE void Member::fill_desk() {
  if (desk_ == nullptr) return;
  std::vector<Assignment> ready;
  while (!granted_.empty()) {
    std::optional<Assignment> assignment = assignment_of(granted_.front());
    if (!assignment) break;
    ready.push_back(std::move(*assignment));
    granted_.pop_front();
  }
  if (ready.empty()) return;
  desk_->put(std::move(ready));
  reach(Milestone::computing);
}

/// Nothing while the shard is on its way.
DAIG_INLINE std::optional<Assignment> Member::assignment_of(const control::Grant& grant) {
  Assignment assignment{grant.ticket,       grant.work,         grant.version,
                        replica_.weights(), grant.awaited != 0, grant.most_norm};
  if (!welcome_ || welcome_->has_dataset == 0) return assignment;
  if (grant.work.batch.value() >= plan_->batches()) {
    throw PeerLost(fmt::format("the coordinator grants batch {}, of {}", grant.work.batch.value(),
                               plan_->batches()));
  }
  const ShardId shard = plan_->shard_of(grant.work.batch);
  assignment.shard = shards_.find(shard);
  if (!assignment.shard) {
    fetch(shard);
    return std::nullopt;
  }
  assignment.plan = plan_;
  assignment.seeds = {welcome_->shuffle_seed, welcome_->seed};
  return assignment;
}

DAIG_INLINE void Member::fetch(ShardId shard) {
  if (desk_ == nullptr || !welcome_ || welcome_->has_dataset == 0) return;
  if (!shards_.must_fetch(shard)) return;
  say(control::FetchShard{shard});
  flush();
  reach(Milestone::fetching);
}

DAIG_INLINE void Member::collect_outcomes() {
  if (desk_ == nullptr) return;
  for (Outcome& outcome : desk_->take_outcomes()) {
    busy_ = true;
    if (auto* returned = std::get_if<control::GiveBack>(&outcome)) {
      say(*returned);
      continue;
    }
    if (auto* spoiled = std::get_if<control::Spoiled>(&outcome)) {
      say(*spoiled);
      continue;
    }
    auto& computed = std::get<ComputedGradient>(outcome);
    if (computed.awaited || desk_->left() < 2) pressing_ = true;
    say(control::Done{computed.ticket, computed.contribution.samples,
                      computed.contribution.loss_sum, computed.service_s, computed.norm,
                      computed.contribution.correct});
    awaiting_.emplace(computed.ticket, std::move(computed));
  }
  if (const std::exception_ptr failure = desk_->take_failure()) std::rethrow_exception(failure);
}

DAIG_INLINE void Member::poll_exchange() {
  if (!exchange_) return;
  const bool is_over = std::visit([](auto& part) { return part.poll(); }, exchange_->part);
  reach(Milestone::ring);
  if (!is_over) return;
  busy_ = true;
  sum_ = exchange_->out;
  if (auto* ring = std::get_if<collective::RingAllReduce<float>>(&exchange_->part)) {
    ring->leave_listener(sum_);
  }
  const control::Close close = std::move(exchange_->close);
  exchange_.reset();
  say(control::Reduced{close.step, close.view.id, digest(std::span<const float>(*sum_)),
                       replica_.digest()});
  flush();
  reach(Milestone::reduced);
}

DAIG_INLINE void Member::poll_loading() {
  if (!loading_) return;
  const bool is_over = loading_->chain.poll();
  reach(Milestone::loading);
  if (!is_over) return;
  busy_ = true;
  const Loading loaded = *std::exchange(loading_, std::nullopt);
  if (loaded.load.chain.members.front() == communicator_.rank()) return;
  replica_.load(loaded.load.version, *loaded.state);
  say(control::Ready{loaded.load.exchange});
}

DAIG_INLINE void Member::check_silence() {
  const TimePoint now = Clock::now();
  if (now - spoken_ > options_.heartbeat && !over_) say(control::Heartbeat{});
  if (now - heard_ > options_.orphan_limit) {
    throw PeerLost(
        fmt::format("the coordinator was not heard of for {:.0f} s", seconds(now - heard_)));
  }
}

DAIG_INLINE void Member::reach(Milestone milestone) {
  if (options_.on_milestone) options_.on_milestone(milestone, replica_.version());
}

DAIG_INLINE void Member::flush() {
  if (outbox_.empty()) return;
  communicator_.post(coordinator_rank, channel_.to_coordinator(), control::encode_frame(outbox_));
  if (pressing_ || !std::ranges::all_of(outbox_, control::is_routine)) {
    communicator_.nudge(coordinator_rank);
  }
  pressing_ = false;
  outbox_.clear();
  spoken_ = Clock::now();
}

}  // namespace daig::train
