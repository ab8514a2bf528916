#pragma once

/// The narrow contract between DAIG and whatever moves its bytes.
///
/// Bytes, ranks, tags and deadlines; nothing typed, nothing collective. Typed operations and
/// collectives are written once above it, and one contract test suite runs over every backend.

#include <algorithm>
#include <cstddef>
#include <deque>
#include <iterator>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <daig/comm/tag.hpp>
#include <daig/comm/transfer.hpp>
#include <daig/core/deadline.hpp>
#include <daig/core/error.hpp>
#include <daig/core/id.hpp>

namespace daig::comm {

/// A whole message whose size the receiver did not know.
struct Message {
  Rank from;
  std::vector<std::byte> bytes;
};

/// How soon what is waited for is worth having, and so what waiting may cost where a backend must
/// keep asking.
enum class Urgency {
  prompt,  ///< in the midst of an exchange: everybody waits for everybody, and nobody computes
  soon,    ///< somebody idles until it comes
  nudged,  ///< the same, and whoever sends it nudges
  calm     ///< everybody is busy: others have better uses for the processor
};

/// One rank's access to the others.
///
/// Threads: one thread at a time may use a communicator (its rank's communication thread); only
/// `wake` may be called from any thread. Messages of one (sender, receiver, tag) arrive in the
/// order they were sent. A rank may send to itself.
class Communicator {
 public:
  Communicator() = default;
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;
  Communicator(Communicator&&) = delete;
  Communicator& operator=(Communicator&&) = delete;
  virtual ~Communicator() = default;

  virtual Rank rank() const = 0;
  virtual int size() const = 0;

  /// Starts sending; the bytes must stay as they are until the transfer is done.
  /// Cost: one message of bytes.size() bytes.
  virtual Transfer send(Rank to, Tag tag, std::span<const std::byte> bytes) = 0;

  /// Starts receiving the next message of this sender and tag. Its size must be bytes.size();
  /// another size is a broken protocol and makes the transfer throw PeerLost.
  virtual Transfer receive(Rank from, Tag tag, std::span<std::byte> bytes) = 0;

  /// Takes the next whole message of this tag, from any rank, if one has arrived. Never blocks.
  /// @throws PeerLost when the message is larger than max_bytes (it is taken and dropped).
  virtual std::optional<Message> take(Tag tag, std::size_t max_bytes) = 0;

  /// Gives the processor away until something may have happened: a message, a `wake`, or the
  /// deadline. May return early; call it in a loop around polls. A backend that cannot be told of
  /// arrivals sleeps in short, growing naps instead: ranks outnumber cores, so waiting never spins.
  virtual void park(Deadline until, Urgency urgency = Urgency::prompt) = 0;

  /// Makes the current or next `park` return. The only member that any thread may call.
  virtual void wake() noexcept = 0;

  /// Makes another rank's current or next `park` return, if that rank is within earshot (on the
  /// same machine, say): after a message that it should not sleep on. A hint, and never needed.
  /// Cost: a system call at most.
  virtual void nudge(Rank rank) noexcept = 0;

  /// Some rank is lost: the end must not wait for all ranks, as some backends' does. For good.
  virtual void forgo_farewell() noexcept {}

  /// Rank 0: the rank is lost, or has left. It may be heard of again.
  virtual void lose(Rank /*rank*/) {}

  /// Tags that nothing else on this communicator uses. All ranks open their channels in the same
  /// order. Cost: none, ranks only count.
  virtual Channel open_channel() { return Channel(channels_++); }

  /// Rank 0: what a program on a rank that comes later has to know before it takes part; at most
  /// 1 MiB. Nothing happens where no rank ever does.
  virtual void brief(const std::vector<std::byte>& /*bytes*/) {}
  /// What rank 0 had to say when this rank came; none for a rank that was there from the start.
  virtual const std::vector<std::byte>* briefing() const { return nullptr; }

  /// Keeps a transfer and the bytes it touches until it is done, out of the caller's way: the
  /// quarantine of abandoned transfers, and the home of sends nobody waits for.
  void keep_until_done(Transfer transfer, std::shared_ptr<const void> bytes);

  /// Sends and forgets. Cost: one message; the bytes are kept until they have left.
  void post(Rank to, Tag tag, std::vector<std::byte> bytes);

  /// Takes and drops messages of this tag from now on, whenever `collect_kept` runs: what an
  /// abandoned exchange may still bring, so that the buffers of its senders come free. The last
  /// `remembered_refusals` tags are remembered.
  void refuse(Tag tag);
  static constexpr std::size_t remembered_refusals = 16;

  /// Lets go of what has finished among the kept transfers, failed ones included; returns how many
  /// are left. Cost: one poll for each kept transfer, one take for each refused tag.
  std::size_t collect_kept();

 protected:
  /// For a backend that cannot end its transfers: those left stay, with their bytes, until the
  /// process ends. Call it last in the destructor.
  void leave_kept_behind() noexcept;

  /// How many channels have been opened.
  std::uint32_t channels() const { return channels_; }
  /// For a rank that comes later: others opened so many before the one that it opens first.
  void skip_channels(std::uint32_t count) { channels_ = count; }

 private:
  struct Kept {
    Transfer transfer;
    std::shared_ptr<const void> bytes;
  };
  static bool is_over(Kept& kept);

  std::deque<Kept> kept_;
  std::deque<Tag> refused_;
  std::uint32_t channels_ = 0;
};

/// Waits for one transfer. @throws DeadlineExceeded naming `what`.
inline void wait(Communicator& communicator, Transfer& transfer, Deadline deadline,
                 const char* what);

/// Waits for the next whole message of a tag. @throws DeadlineExceeded naming `what`.
inline Message wait_for_message(Communicator& communicator, Tag tag, std::size_t max_bytes,
                                Deadline deadline, const char* what);

// ---------------------------------------------------------------------------------------------

inline void Communicator::keep_until_done(Transfer transfer, std::shared_ptr<const void> bytes) {
  Kept kept{std::move(transfer), std::move(bytes)};
  if (!is_over(kept)) kept_.push_back(std::move(kept));
}

inline void Communicator::post(Rank to, Tag tag, std::vector<std::byte> bytes) {
  collect_kept();
  auto owned = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
  keep_until_done(send(to, tag, *owned), owned);
}

inline void Communicator::refuse(Tag tag) {
  refused_.push_back(tag);
  if (refused_.size() > remembered_refusals) refused_.pop_front();
}

inline std::size_t Communicator::collect_kept() {
  for (const Tag tag : refused_) {
    while (take(tag, std::numeric_limits<std::size_t>::max())) {
    }
  }
  std::erase_if(kept_, is_over);
  return kept_.size();
}

inline void Communicator::leave_kept_behind() noexcept {
  static std::mutex mutex;
  static std::vector<Kept>* behind = new std::vector<Kept>;  // never destroyed
  const std::lock_guard lock(mutex);
  std::move(kept_.begin(), kept_.end(), std::back_inserter(*behind));
  kept_.clear();
}

inline bool Communicator::is_over(Kept& kept) {
  try {
    return kept.transfer.done();
  } catch (const PeerLost&) {
    return true;  // it failed, and nobody waits for it
  }
}

inline void wait(Communicator& communicator, Transfer& transfer, Deadline deadline,
                 const char* what) {
  while (!transfer.done()) {
    if (deadline.expired()) throw DeadlineExceeded(std::string("gave up waiting for ") + what);
    communicator.park(deadline);
  }
}

inline Message wait_for_message(Communicator& communicator, Tag tag, std::size_t max_bytes,
                                Deadline deadline, const char* what) {
  while (true) {
    if (auto message = communicator.take(tag, max_bytes)) return std::move(*message);
    if (deadline.expired()) throw DeadlineExceeded(std::string("gave up waiting for ") + what);
    communicator.park(deadline);
  }
}

}  // namespace daig::comm
