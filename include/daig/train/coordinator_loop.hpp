#pragma once

/// Drives the pure coordinator over a communicator: frames in, frames out, clock, ledger, shards.

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include <daig/comm/communicator.hpp>
#include <daig/control/coordinator.hpp>
#include <daig/control/wire.hpp>
#include <daig/core/deadline.hpp>
#include <daig/core/log.hpp>
#include <daig/metrics/recorder.hpp>
#include <daig/train/shard_server.hpp>

namespace daig::train {

/// Belongs to the communication thread of rank 0.
class CoordinatorLoop {
 public:
  /// @param read_shard  how shards are read; empty in a run without a dataset
  /// @param recorder    told of every committed step, once its Commit is on the way and before
  ///                    anything else is heard: the members do not wait for the ledger
  CoordinatorLoop(comm::Communicator& communicator, comm::Channel channel,
                  control::Coordinator coordinator, ReadShard read_shard,
                  metrics::Recorder& recorder);

  /// Does what can be done now, without waiting. True when there was anything to do.
  /// @throws what reading a shard or on_commit throws; call `abort` then.
  bool progress();

  /// Ends the run early: see Coordinator::stop.
  void stop() {
    perform(coordinator_.stop(now()));
    flush();
  }
  /// Ends the run without a result and tells everybody why.
  void abort(ExitCode code, const std::string& reason);

  /// For so long nothing presses, unless a member nudges.
  Duration leeway() const {
    return server_ && server_->busy() ? Duration::zero() : coordinator_.leeway();
  }
  const control::Coordinator& coordinator() const { return coordinator_; }
  /// Time since the run began.
  Duration now() const { return Clock::now() - start_; }
  std::uint64_t shard_bytes_sent() const { return server_ ? server_->bytes_sent() : 0; }

 private:
  void receive(Rank from, const control::Message& message);
  void perform(control::Actions actions);
  void flush();

  comm::Communicator& communicator_;
  comm::Channel channel_;
  control::Coordinator coordinator_;
  std::optional<ShardServer> server_;
  metrics::Recorder& recorder_;
  TimePoint start_ = Clock::now();
  Duration ticked_{};
  std::map<Rank, std::vector<control::Message>> outbox_;  ///< a frame for each rank
};

// ---------------------------------------------------------------------------------------------

inline CoordinatorLoop::CoordinatorLoop(comm::Communicator& communicator, comm::Channel channel,
                                        control::Coordinator coordinator, ReadShard read_shard,
                                        metrics::Recorder& recorder)
    : communicator_(communicator),
      channel_(channel),
      coordinator_(std::move(coordinator)),
      recorder_(recorder) {
  if (read_shard) {
    server_.emplace(communicator, channel.shard_data(), coordinator_.plan(), std::move(read_shard));
  }
}

inline bool CoordinatorLoop::progress() {
  bool busy = false;
  while (auto frame = communicator_.take(channel_.to_coordinator(), control::max_frame_bytes)) {
    busy = true;
    for (const control::Message& message : control::decode_frame(frame->bytes)) {
      receive(frame->from, message);
    }
  }
  if (server_) {
    while (const auto ready = server_->poll()) {
      busy = true;
      outbox_[ready->to].push_back(
          control::ShardOffer{ready->shard->id(), ready->shard->encoded().size()});
      server_->send(*ready);
    }
  }
  constexpr Duration tick_every = std::chrono::milliseconds(5);
  if (now() - ticked_ >= tick_every) {
    ticked_ = now();
    perform(coordinator_.tick(ticked_));
  }
  flush();
  return busy;
}

inline void CoordinatorLoop::abort(ExitCode code, const std::string& reason) {
  perform(coordinator_.abort(code, reason));
  flush();
}

inline void CoordinatorLoop::receive(Rank from, const control::Message& message) {
  const auto* fetch = std::get_if<control::FetchShard>(&message);
  if (fetch == nullptr) return perform(coordinator_.receive(from, message, now()));
  if (!server_ || fetch->shard.value() >= coordinator_.plan().shards()) {
    log::warning("rank {} asks for shard {}, which there is not", from.value(),
                 fetch->shard.value());
    return;
  }
  server_->request(from, fetch->shard);
}

inline void CoordinatorLoop::perform(control::Actions actions) {
  for (control::Envelope& envelope : actions.messages) {
    outbox_[envelope.to].push_back(std::move(envelope.message));
  }
  for (const Rank rank : actions.gone) {
    if (server_) server_->forget(rank);
    communicator_.lose(rank);
  }
  if (!actions.committed && actions.events.empty()) return;
  flush();
  if (actions.committed) recorder_.step_committed(*actions.committed);
  for (const metrics::Event& event : actions.events) recorder_.event(event.kind, event.fields);
}

inline void CoordinatorLoop::flush() {
  for (auto& [to, messages] : outbox_) {
    if (messages.empty()) continue;
    communicator_.post(to, channel_.to_member(), control::encode_frame(messages));
    if (!std::ranges::all_of(messages, control::is_routine)) communicator_.nudge(to);
    messages.clear();
  }
}

}  // namespace daig::train
