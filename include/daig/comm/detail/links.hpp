#pragma once

/// Connections of one rank to others, and the thread that serves them.

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include <netinet/in.h>
#include <poll.h>

#include <daig/comm/detail/greeting.hpp>
#include <daig/comm/detail/mailbox.hpp>
#include <daig/comm/detail/socket.hpp>
#include <daig/comm/tag.hpp>
#include <daig/comm/transfer.hpp>
#include <daig/core/deadline.hpp>
#include <daig/core/file_descriptor.hpp>
#include <daig/core/id.hpp>

namespace daig::comm::detail {

/// A TCP link to each of any number of ranks. What arrives goes into a mailbox.
///
/// On a link a message is its tag (32 bits), its size (64 bits) and its bytes. A link that has
/// ended is like a rank that died: nothing arrives any more, and sends vanish. Messages to a rank
/// that has no link yet wait for it.
///
/// Who may make a link: whoever knows the job's key. Nothing is encrypted, as with MPI.
///
/// Threads: all members may be called by any thread. A thread of its own accepts, connects, reads,
/// and writes what a send could not write at once.
class Links {
 public:
  /// Somebody wants to join, and waits for `adopt` or `refuse`.
  struct Request {
    FileDescriptor connection;
    Knock knock;
  };
  enum class Standing {
    none,    ///< nobody knows of it
    coming,  ///< being made
    up,
    down  ///< it has ended: the rank's process is gone, or the rank has hung up
  };

  /// @param key  of the job, which all must know
  /// @param box  where messages arrive
  /// @param wake  called by the own thread when something has arrived
  /// @throws IoError when the system does not let it listen.
  Links(Rank own, std::string key, std::shared_ptr<Mailbox> box, std::function<void()> wake);
  Links(const Links&) = delete;
  Links& operator=(const Links&) = delete;
  Links(Links&&) = delete;
  Links& operator=(Links&&) = delete;
  /// Sends what waits and hangs up; at most 2 s.
  ~Links();

  /// Where this rank can be knocked at (addresses_of).
  const std::string& addresses() const { return addresses_; }

  /// Makes a link to a rank, and tries again for as long as it takes, unless nobody answers there
  /// any more. @throws InputError when these are no addresses.
  void pursue(Rank rank, const std::string& addresses);

  /// Takes over a connection on which greetings have been exchanged, but for `answer`, which is
  /// written first; `arrived` was read after them.
  void adopt(Rank rank, FileDescriptor connection, std::vector<std::byte> answer,
             std::vector<std::byte> arrived);

  /// The next of those who want to join; nothing when nobody does.
  std::optional<Request> next_request();
  /// Answers one, and hangs up.
  static void refuse(const Request& request, Answer::Verdict verdict, const std::string& reason);

  Standing standing(Rank rank) const;
  /// One more than the greatest rank to which there is, or was, a link; 0 when there is none.
  int size() const { return size_; }

  /// Starts sending; the bytes may be used again at once, and the transfer is done when the
  /// system has taken all of them. Cost: a copy of what does not fit into the socket.
  Transfer send(Rank to, Tag tag, std::span<const std::byte> bytes);

 private:
  static constexpr std::size_t header_bytes = sizeof(Tag::rep) + sizeof(std::uint64_t);
  /// As large as MPI's may be.
  static constexpr std::uint64_t max_message_bytes = (std::uint64_t{1} << 31) - 1;

  struct Outgoing {
    std::vector<std::byte> bytes;
    std::size_t written = 0;
    std::shared_ptr<std::atomic<bool>> gone;
  };
  struct Link {
    FileDescriptor connection;
    Standing standing = Standing::coming;
    std::deque<Outgoing> out = {};
    std::vector<std::byte> incoming = {};  ///< a message, header and all, as far as it has come
  };
  /// Somebody who knocked and has not said who it is.
  struct Guest {
    FileDescriptor connection;
    Deadline patience;
    std::vector<std::byte> arrived = {};
  };
  /// An attempt to make a link.
  struct Pursuit {
    enum class Stage { resting, connecting, asking };

    Rank rank;
    std::vector<sockaddr_in> addresses;
    Deadline until;             ///< of the stage
    std::size_t next = 0;       ///< of the addresses
    bool may_be_there = false;  ///< some address of this round did not answer at all
    Stage stage = Stage::resting;
    FileDescriptor connection = {};
    std::vector<std::byte> arrived = {};
  };
  class Send;

  void serve();
  TimePoint gather(std::vector<pollfd>& watched);
  bool has_ended();
  void accept_guests();
  bool hear_guest(Guest& guest);
  void greet(Guest& guest, const Knock& knock);
  bool advance(Pursuit& pursuit);
  static std::optional<Answer::Verdict> hear_answer(Pursuit& pursuit);
  bool try_next_address(Pursuit& pursuit);
  void take_over(Rank rank, FileDescriptor connection, std::vector<std::byte> answer,
                 std::span<const std::byte> arrived);
  void read(Rank rank, Link& link);
  void take_in(Rank rank, Link& link, std::span<const std::byte> bytes);
  void write(Link& link);
  void end(Link& link);
  Link& link_to(Rank rank);
  void stir() noexcept;

  const Rank own_;
  const std::string key_;
  const std::shared_ptr<Mailbox> box_;
  const std::function<void()> wake_;
  const FileDescriptor listening_;
  const std::string addresses_;
  const FileDescriptor stirred_;  ///< an eventfd: the thread has something to look at
  std::atomic<int> size_ = 0;

  mutable std::mutex mutex_;  ///< guards what follows
  std::map<Rank, Link> links_;
  std::list<Guest> guests_;
  std::list<Pursuit> pursuits_;
  std::deque<Request> requests_;
  bool has_news_ = false;  ///< for the thread that parks
  std::optional<Deadline> ending_;

  std::vector<std::byte> scratch_;  ///< the thread's: what it read last
  std::jthread thread_;             ///< last: it uses all of them
};

}  // namespace daig::comm::detail

#ifndef DAIG_COMPILED
#include <daig/comm/detail/links.ipp>
#endif
