#pragma once

/// The *thread* backend: n ranks that are threads of one process, for tests and for trying things
/// out on one machine.

#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include <daig/comm/detail/mailbox_communicator.hpp>
#include <daig/core/log.hpp>

namespace daig::comm {

/// The communicators of all ranks. It must outlive every transfer and every thread that uses them.
class InProcessWorld {
 public:
  explicit InProcessWorld(int size);

  int size() const { return static_cast<int>(communicators_.size()); }
  /// For the thread that is this rank.
  Communicator& at(Rank rank);

  /// Ends every rank's waiting: from now on parks, and polls for what has not arrived, throw
  /// PeerLost with this text. Any thread.
  void close(const std::string& why);

 private:
  std::vector<std::shared_ptr<detail::Mailbox>> boxes_;
  std::deque<detail::MailboxCommunicator> communicators_;
};

/// Runs `body` once for each rank, each on a thread of its own, and waits for all of them.
///
/// A rank that returns early is like a rank that died: the others find out by their deadlines. A
/// rank that throws closes the world, so that the others end soon; then its exception is thrown
/// here. That is the first in time, not the lowest rank's: what the others throw is mostly PeerLost
/// because of it.
void run_in_process(int size, const std::function<void(Communicator&)>& body);

// ---------------------------------------------------------------------------------------------

inline InProcessWorld::InProcessWorld(int size) {
  expects(size > 0, "at least one rank");
  for (int rank = 0; rank < size; ++rank) boxes_.push_back(std::make_shared<detail::Mailbox>());
  for (int rank = 0; rank < size; ++rank) communicators_.emplace_back(Rank{rank}, boxes_);
}

inline Communicator& InProcessWorld::at(Rank rank) {
  expects(rank.value() >= 0 && rank.value() < size(), "a rank of this world");
  return communicators_[static_cast<std::size_t>(rank.value())];
}

inline void InProcessWorld::close(const std::string& why) {
  for (const auto& box : boxes_) box->close(why);
}

inline void run_in_process(int size, const std::function<void(Communicator&)>& body) {
  InProcessWorld world(size);
  std::mutex mutex;
  std::exception_ptr first;
  {
    std::vector<std::jthread> ranks;
    for (int index = 0; index < size; ++index) {
      ranks.emplace_back([&, rank = Rank{index}] {
        log::set_rank(rank);
        try {
          body(world.at(rank));
        } catch (...) {
          {
            const std::lock_guard lock(mutex);
            if (!first) first = std::current_exception();
          }
          world.close(fmt::format("rank {} of this process ended with an error", rank.value()));
        }
      });
    }
  }
  if (first) std::rethrow_exception(first);
}

}  // namespace daig::comm
