#pragma once

/// A communicator that takes in ranks while it is in use.
///
/// The ranks that it begins with, the *founders*, exchange messages by another backend, MPI for
/// one. *Newcomers* exchange theirs with everybody over TCP. No founder waits for a newcomer: they
/// come and go at any time, and a newcomer that dies at whatever point of its coming is to the
/// others a rank that was never heard of.
///
/// Stock Open MPI can add processes to a job, too, but then the loss of an added host, or one that
/// cannot be reached, ends the job, and a process that dies in the midst of MPI_Comm_connect stops
/// the rank at the other end.

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include <daig/comm/communicator.hpp>
#include <daig/comm/detail/links.hpp>
#include <daig/comm/detail/mailbox.hpp>
#include <daig/comm/detail/mailbox_communicator.hpp>
#include <daig/comm/invitation.hpp>

namespace daig::comm {

/// Threads: as any communicator; a thread of its own serves the links.
class GrowingCommunicator final : public Communicator {
 public:
  /// A founder. Collective, without waiting.
  /// @throws IoError when the system does not let it listen.
  GrowingCommunicator(std::unique_ptr<Communicator> founders, Door door);

  /// A newcomer: returns once it has been let in by rank 0, and has a link to every rank that is
  /// not lost at the time.
  /// @throws PeerLost when rank 0 does not want it, or is gone; DeadlineExceeded naming who cannot
  /// be reached.
  GrowingCommunicator(const Invitation& invitation, Deadline deadline);

  ~GrowingCommunicator() override;
  GrowingCommunicator(const GrowingCommunicator&) = delete;
  GrowingCommunicator& operator=(const GrowingCommunicator&) = delete;
  GrowingCommunicator(GrowingCommunicator&&) = delete;
  GrowingCommunicator& operator=(GrowingCommunicator&&) = delete;

  Rank rank() const override { return rank_; }
  /// One more than the greatest rank so far.
  int size() const override;

  Transfer send(Rank to, Tag tag, std::span<const std::byte> bytes) override;
  Transfer receive(Rank from, Tag tag, std::span<std::byte> bytes) override;
  std::optional<Message> take(Tag tag, std::size_t max_bytes) override;
  void park(Deadline until, Urgency urgency = Urgency::prompt) override;
  void wake() noexcept override;
  void nudge(Rank rank) noexcept override;

  void lose(Rank rank) override;
  void forgo_farewell() noexcept override {
    if (founders_) founders_->forgo_farewell();
  }

  /// Newcomers open the channel that rank 0 opened last. With its first, rank 0 publishes where to
  /// knock: earlier there is nothing that a newcomer could take part in.
  Channel open_channel() override;

  void brief(const std::vector<std::byte>& bytes) override { briefing_ = bytes; }
  const std::vector<std::byte>* briefing() const override {
    return founders_ ? nullptr : &briefing_;
  }

 private:
  bool is_founder(Rank rank) const { return founders_ && rank.value() < founders_->size(); }
  void stir() noexcept;
  void join(const Invitation& invitation, Deadline deadline);
  std::optional<detail::Answer> knock(const Invitation& invitation, Deadline deadline);
  void meet(const std::vector<detail::Neighbour>& neighbours, Deadline deadline);
  void attend_door();
  void let_in(detail::Links::Request request);
  void publish();

  const Rank rank_;
  const std::unique_ptr<Communicator> founders_;  ///< none: this is a newcomer
  const Door door_;
  const std::shared_ptr<detail::Mailbox> box_ = std::make_shared<detail::Mailbox>();
  detail::Links links_;
  std::vector<std::byte> briefing_;
  bool published_ = false;

  // Rank 0's:
  std::map<Rank, std::string> addresses_;  ///< where the other ranks can be knocked at
  std::set<Rank> lost_;
};

}  // namespace daig::comm

#ifndef DAIG_COMPILED
#include <daig/comm/detail/growing.ipp>
#endif
