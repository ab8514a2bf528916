// The bodies of train/coordinator_loop.hpp.

#pragma once

#include <daig/core/inline.hpp>
#include <daig/train/coordinator_loop.hpp>

namespace daig::train {

DAIG_INLINE CoordinatorLoop::CoordinatorLoop(comm::Communicator& communicator,
                                             comm::Channel channel,
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

DAIG_INLINE bool CoordinatorLoop::progress() {
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

DAIG_INLINE void CoordinatorLoop::abort(ExitCode code, const std::string& reason) {
  perform(coordinator_.abort(code, reason));
  flush();
}

DAIG_INLINE void CoordinatorLoop::receive(Rank from, const control::Message& message) {
  const auto* fetch = std::get_if<control::FetchShard>(&message);
  if (fetch == nullptr) return perform(coordinator_.receive(from, message, now()));
  if (!server_ || fetch->shard.value() >= coordinator_.plan().shards()) {
    log::warning("rank {} asks for shard {}, which there is not", from.value(),
                 fetch->shard.value());
    return;
  }
  server_->request(from, fetch->shard);
}

DAIG_INLINE void CoordinatorLoop::perform(control::Actions actions) {
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

DAIG_INLINE void CoordinatorLoop::flush() {
  for (auto& [to, messages] : outbox_) {
    if (messages.empty()) continue;
    communicator_.post(to, channel_.to_member(), control::encode_frame(messages));
    if (!std::ranges::all_of(messages, control::is_routine)) communicator_.nudge(to);
    messages.clear();
  }
}

}  // namespace daig::train
