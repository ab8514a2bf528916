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

}  // namespace daig::train

#ifndef DAIG_COMPILED
#include <daig/train/detail/coordinator_loop.ipp>
#endif
