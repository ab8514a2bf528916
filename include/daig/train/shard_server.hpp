#pragma once

/// The coordinator's side of shard distribution: reads shards from disk and sends them.

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include <daig/comm/communicator.hpp>
#include <daig/control/message.hpp>
#include <daig/core/id.hpp>
#include <daig/data/shard.hpp>
#include <daig/data/shard_plan.hpp>
#include <daig/train/pieces.hpp>

namespace daig::train {

/// Reads one shard of a plan from wherever the data is. Called from one thread.
using ReadShard = std::function<data::Shard(const data::ShardPlan&, ShardId)>;

/// Owns a thread that reads, so that a slow disk never delays a step; all else belongs to the
/// communication thread. Memory: at most `max_ready` shards that are read or being sent.
class ShardServer {
 public:
  ShardServer(comm::Communicator& communicator, comm::Tag tag, data::ShardPlan plan,
              ReadShard read);
  ShardServer(const ShardServer&) = delete;
  ShardServer& operator=(const ShardServer&) = delete;
  ShardServer(ShardServer&&) = delete;
  ShardServer& operator=(ShardServer&&) = delete;
  /// Sends under way are left to the communicator, bytes and all.
  ~ShardServer();

  /// A volunteer wants a shard. Answered in the order of the requests.
  void request(Rank from, ShardId shard);

  /// A volunteer is gone: nothing more is read or sent for it. What is on its way is left to the
  /// communicator.
  void forget(Rank gone);

  /// A shard that is ready to go: offers must be sent in the order in which pieces are posted.
  struct Ready {
    Rank to;
    std::shared_ptr<const data::Shard> shard;
  };

  /// The next shard that was read, if any. @throws what the reading threw.
  std::optional<Ready> poll();

  /// Pieces are under way, which MPI moves on only when it is asked.
  bool busy() const { return !sending_.empty(); }

  /// Sends the pieces. Cost: one message per MiB.
  void send(const Ready& ready);

  std::uint64_t bytes_sent() const { return bytes_sent_; }

 private:
  struct Sending {
    Rank to;
    std::shared_ptr<const data::Shard> shard;
    std::deque<comm::Transfer> pieces;
  };
  static constexpr std::size_t max_ready = 4;

  void read_loop(const std::stop_token& stop);
  void leave_to_communicator(Sending& sending);

  comm::Communicator& communicator_;
  comm::Tag tag_;
  data::ShardPlan plan_;
  ReadShard read_;
  std::deque<Sending> sending_;
  std::uint64_t bytes_sent_ = 0;

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<std::pair<Rank, ShardId>> requests_;
  std::deque<Ready> ready_;
  std::size_t unsent_ = 0;  ///< read, and not yet gone
  std::exception_ptr failure_;

  std::jthread reader_;  ///< last: it uses the members above
};

// ---------------------------------------------------------------------------------------------

inline ShardServer::ShardServer(comm::Communicator& communicator, comm::Tag tag,
                                data::ShardPlan plan, ReadShard read)
    : communicator_(communicator),
      tag_(tag),
      plan_(plan),
      read_(std::move(read)),
      reader_([this](const std::stop_token& stop) { read_loop(stop); }) {}

inline ShardServer::~ShardServer() {
  for (Sending& sending : sending_) leave_to_communicator(sending);
}

inline void ShardServer::leave_to_communicator(Sending& sending) {
  for (comm::Transfer& piece : sending.pieces) {
    communicator_.keep_until_done(std::move(piece), sending.shard);
  }
}

inline void ShardServer::forget(Rank gone) {
  for (Sending& sending : sending_) {
    if (sending.to == gone) leave_to_communicator(sending);
  }
  std::size_t dropped = std::erase_if(sending_, [&](const auto& s) { return s.to == gone; });
  {
    const std::scoped_lock lock(mutex_);
    std::erase_if(requests_, [&](const auto& request) { return request.first == gone; });
    dropped += std::erase_if(ready_, [&](const Ready& ready) { return ready.to == gone; });
    unsent_ -= dropped;
  }
  changed_.notify_one();
}

inline void ShardServer::request(Rank from, ShardId shard) {
  {
    const std::scoped_lock lock(mutex_);
    requests_.emplace_back(from, shard);
  }
  changed_.notify_one();
}

inline std::optional<ShardServer::Ready> ShardServer::poll() {
  std::size_t gone = 0;
  while (!sending_.empty()) {
    auto& pieces = sending_.front().pieces;
    while (!pieces.empty() && pieces.front().done()) pieces.pop_front();
    if (!pieces.empty()) break;
    sending_.pop_front();
    ++gone;
  }
  const std::scoped_lock lock(mutex_);
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
  unsent_ -= gone;
  if (gone > 0) changed_.notify_one();
  if (ready_.empty()) return std::nullopt;
  Ready ready = std::move(ready_.front());
  ready_.pop_front();
  return ready;
}

inline void ShardServer::send(const Ready& ready) {
  Sending& sending = sending_.emplace_back(Sending{ready.to, ready.shard, {}});
  for (const auto piece : pieces_of(ready.shard->encoded())) {
    sending.pieces.push_back(communicator_.send(ready.to, tag_, piece));
  }
  bytes_sent_ += ready.shard->encoded().size();
}

inline void ShardServer::read_loop(const std::stop_token& stop) {
  while (true) {
    std::pair<Rank, ShardId> wanted;
    {
      std::unique_lock lock(mutex_);
      const auto can_read = [this] { return !requests_.empty() && unsent_ < max_ready; };
      if (!changed_.wait(lock, stop, can_read)) return;
      wanted = requests_.front();
      requests_.pop_front();
      ++unsent_;
    }
    std::exception_ptr failure;
    Ready ready{wanted.first, nullptr};
    try {
      ready.shard = std::make_shared<const data::Shard>(read_(plan_, wanted.second));
    } catch (...) {
      failure = std::current_exception();
    }
    {
      const std::scoped_lock lock(mutex_);
      failure_ = failure;
      if (!failure) ready_.push_back(std::move(ready));
    }
    communicator_.wake();
    if (failure) return;
  }
}

}  // namespace daig::train
