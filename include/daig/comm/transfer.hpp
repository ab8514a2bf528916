#pragma once

/// A message on its way: the handle of one non-blocking send or receive.

#include <memory>
#include <utility>

namespace daig::comm {

/// What a backend knows of a send or receive under way.
class PendingTransfer {
 public:
  PendingTransfer() = default;
  PendingTransfer(const PendingTransfer&) = delete;
  PendingTransfer& operator=(const PendingTransfer&) = delete;
  PendingTransfer(PendingTransfer&&) = delete;
  PendingTransfer& operator=(PendingTransfer&&) = delete;
  /// Withdraws a receive that has not happened; lets go of a send (see Transfer).
  virtual ~PendingTransfer() = default;

  /// True once the bytes are there (receive) or may be reused (send). Never blocks. Drives
  /// progress.
  /// @throws PeerLost when a message of another size than the receive's arrived.
  virtual bool poll() = 0;

  /// Withdraws a receive; true when nothing touches its bytes from now on. False for a send, for a
  /// message that is already coming in, and by default: then the bytes are in use until `poll` says
  /// otherwise.
  virtual bool withdraw() noexcept { return false; }
};

/// Owns one send or receive. The bytes given to the operation must outlive it; destroying an
/// unfinished receive withdraws it at once, while an unfinished *send* may still read its bytes
/// until the communicator is gone: hand both to Communicator::keep_until_done instead.
class Transfer {
 public:
  Transfer() = default;  ///< a transfer that is done
  explicit Transfer(std::unique_ptr<PendingTransfer> pending) : pending_(std::move(pending)) {}

  /// True once the operation is over; then stays true. Never blocks.
  bool done() {
    if (pending_ && pending_->poll()) pending_.reset();
    return pending_ == nullptr;
  }

  /// Ends a receive whose message is not on its way yet; true when nothing touches the bytes any
  /// more. False: they are in use until `done`, see Communicator::keep_until_done.
  bool withdraw() noexcept {
    if (pending_ && pending_->withdraw()) pending_.reset();
    return pending_ == nullptr;
  }

 private:
  std::unique_ptr<PendingTransfer> pending_;
};

}  // namespace daig::comm
