#pragma once

/// Where the messages for one rank arrive when the ranks are threads of one process.

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <daig/comm/communicator.hpp>
#include <daig/comm/detail/protocol_error.hpp>

namespace daig::comm::detail {

/// A receive that waits in a mailbox; everything but `from`, `tag` and `bytes` is the mailbox's.
struct PostedReceive {
  Rank from;
  Tag tag;
  std::span<std::byte> bytes;
  std::optional<std::size_t> arrived;  ///< size of the message, once it came
};

/// Posted receives and messages nobody has asked for yet, matched by sender and tag, in order.
///
/// Threads: any thread may deliver, wake and close; the rest is for the owning rank's thread. One
/// mutex guards everything, and bytes are copied under it: only so may a receive be withdrawn at
/// any time.
class Mailbox {
 public:
  /// Copies the bytes into the first receive posted for them (one copy), or keeps a copy of them.
  void deliver(Rank from, Tag tag, std::span<const std::byte> bytes);

  /// The receive must stay in place until it is polled to its end or withdrawn.
  void post(PostedReceive& receive);
  void withdraw(PostedReceive& receive);
  /// True once the bytes are there. @throws PeerLost on another size, or when the box is closed.
  bool poll(const PostedReceive& receive);

  std::optional<Message> take(Tag tag, std::size_t max_bytes);

  /// Returns once anything was delivered, or `wake` was called, since the last park returned: what
  /// happens between a poll and the park after it is not lost.
  void park(Deadline until);
  void wake();

  /// From now on, waiting for what has not arrived throws PeerLost with this text.
  void close(const std::string& why);

 private:
  struct Unexpected {
    Rank from;
    Tag tag;
    std::vector<std::byte> bytes;
  };
  static void copy_in(PostedReceive& receive, std::span<const std::byte> bytes);
  void check_open() const;

  std::mutex mutex_;
  std::condition_variable happened_;
  bool has_happened_ = false;
  std::optional<std::string> closed_;
  std::deque<PostedReceive*> posted_;
  std::deque<Unexpected> unexpected_;
};

// ---------------------------------------------------------------------------------------------

inline void Mailbox::deliver(Rank from, Tag tag, std::span<const std::byte> bytes) {
  {
    const std::lock_guard lock(mutex_);
    const auto match = std::ranges::find_if(posted_, [&](const PostedReceive* receive) {
      return receive->from == from && receive->tag == tag;
    });
    if (match != posted_.end()) {
      copy_in(**match, bytes);
      posted_.erase(match);
    } else {
      unexpected_.push_back({from, tag, {bytes.begin(), bytes.end()}});
    }
    has_happened_ = true;
  }
  happened_.notify_one();
}

inline void Mailbox::post(PostedReceive& receive) {
  const std::lock_guard lock(mutex_);
  const auto match = std::ranges::find_if(unexpected_, [&](const Unexpected& message) {
    return message.from == receive.from && message.tag == receive.tag;
  });
  if (match == unexpected_.end()) {
    posted_.push_back(&receive);
  } else {
    copy_in(receive, match->bytes);
    unexpected_.erase(match);
  }
}

inline void Mailbox::withdraw(PostedReceive& receive) {
  const std::lock_guard lock(mutex_);
  std::erase(posted_, &receive);
}

inline bool Mailbox::poll(const PostedReceive& receive) {
  const std::lock_guard lock(mutex_);
  if (!receive.arrived) {
    check_open();
    return false;
  }
  if (*receive.arrived != receive.bytes.size()) {
    throw PeerLost(wrong_size(receive.from, receive.tag, *receive.arrived, receive.bytes.size()));
  }
  return true;
}

inline std::optional<Message> Mailbox::take(Tag tag, std::size_t max_bytes) {
  const std::lock_guard lock(mutex_);
  const auto match = std::ranges::find(unexpected_, tag, &Unexpected::tag);
  if (match == unexpected_.end()) {
    check_open();
    return std::nullopt;
  }
  Message message{match->from, std::move(match->bytes)};
  unexpected_.erase(match);
  if (message.bytes.size() > max_bytes) {
    throw PeerLost(too_large(message.from, tag, message.bytes.size(), max_bytes));
  }
  return message;
}

inline void Mailbox::park(Deadline until) {
  std::unique_lock lock(mutex_);
  happened_.wait_until(lock, until.when(), [this] { return has_happened_ || closed_; });
  has_happened_ = false;
  check_open();
}

inline void Mailbox::wake() {
  {
    const std::lock_guard lock(mutex_);
    has_happened_ = true;
  }
  happened_.notify_one();
}

inline void Mailbox::close(const std::string& why) {
  {
    const std::lock_guard lock(mutex_);
    closed_ = why;
  }
  happened_.notify_one();
}

inline void Mailbox::copy_in(PostedReceive& receive, std::span<const std::byte> bytes) {
  receive.arrived = bytes.size();
  if (bytes.size() == receive.bytes.size()) std::ranges::copy(bytes, receive.bytes.begin());
}

inline void Mailbox::check_open() const {
  if (closed_) throw PeerLost(*closed_);
}

}  // namespace daig::comm::detail
