#pragma once

/// The contract over MPI's point-to-point operations.

#include <atomic>
#include <deque>
#include <memory>
#include <vector>

#include <mpi.h>

#include <daig/comm/communicator.hpp>
#include <daig/comm/detail/nap.hpp>

namespace daig::comm {

/// All ranks of MPI_COMM_WORLD, in a communicator of their own.
///
/// Every message is matched by MPI_Improbe, and only then received, into as many bytes as it has.
/// MPI_Irecv would cost a call less, but its answer to a message that is too long is no protection:
/// Open MPI 4.1 writes past the end of the receive's bytes when the message comes in a single copy
/// between processes. Matching by hand also makes withdrawing a receive trivial.
class MpiCommunicator final : public Communicator {
 public:
  MpiCommunicator();
  ~MpiCommunicator() override;
  MpiCommunicator(const MpiCommunicator&) = delete;
  MpiCommunicator& operator=(const MpiCommunicator&) = delete;
  MpiCommunicator(MpiCommunicator&&) = delete;
  MpiCommunicator& operator=(MpiCommunicator&&) = delete;

  Rank rank() const override { return rank_; }
  int size() const override { return size_; }

  Transfer send(Rank to, Tag tag, std::span<const std::byte> bytes) override;
  Transfer receive(Rank from, Tag tag, std::span<std::byte> bytes) override;
  std::optional<Message> take(Tag tag, std::size_t max_bytes) override;
  void park(Deadline until, Urgency urgency) override { napper_.park(until, urgency); }
  void wake() noexcept override { napper_.wake(); }
  void nudge(Rank rank) noexcept override;
  void forgo_farewell() noexcept override { farewell_forgone() = true; }

  /// Whether MPI_Finalize would wait in vain, for this whole process.
  static std::atomic<bool>& farewell_forgone();

 private:
  class Receive;
  /// A message that take() has matched and that is coming in. One that is too large is dropped, but
  /// keeps its place.
  struct Incoming {
    Rank from;
    Tag tag;
    std::size_t size;
    std::shared_ptr<std::vector<std::byte>> bytes;  ///< none: too large
    Transfer transfer;
  };
  /// A message that MPI has set aside: it must be received by this handle.
  struct Matched {
    MPI_Message handle = MPI_MESSAGE_NULL;
    Rank from;
    Tag tag;
    std::size_t size = 0;
  };

  std::optional<Matched> match(int from, Tag tag);
  Transfer start(Matched matched, std::span<std::byte> bytes);
  void drop(Matched matched);
  bool match_expected(const Receive& receive);
  void match_incoming(Tag tag, std::size_t max_bytes);
  void exchange_bells();

  MPI_Comm mpi_ = MPI_COMM_NULL;
  Rank rank_;
  int size_ = 0;
  detail::Napper napper_;
  std::vector<detail::BellAddress> bells_;  ///< of all ranks
  std::deque<Receive*> expected_;  ///< receives without a message, in the order they were posted
  std::deque<Incoming> incoming_;  ///< in the order of arrival
};

}  // namespace daig::comm
