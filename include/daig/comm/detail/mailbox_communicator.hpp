#pragma once

/// The communicator of a rank whose peers are in the same process: a mailbox each.

#include <memory>
#include <utility>
#include <vector>

#include <daig/comm/communicator.hpp>
#include <daig/comm/detail/mailbox.hpp>

namespace daig::comm::detail {

/// Delivers into the peers' mailboxes: a send is done when it returns.
class MailboxCommunicator : public Communicator {
 public:
  MailboxCommunicator(Rank rank, std::vector<std::shared_ptr<Mailbox>> boxes)
      : rank_(rank), boxes_(std::move(boxes)) {}

  Rank rank() const override { return rank_; }
  int size() const override { return static_cast<int>(boxes_.size()); }

  Transfer send(Rank to, Tag tag, std::span<const std::byte> bytes) override;
  Transfer receive(Rank from, Tag tag, std::span<std::byte> bytes) override;
  std::optional<Message> take(Tag tag, std::size_t max_bytes) override;
  void park(Deadline until, Urgency /*urgency*/) override { own().park(until); }
  void wake() noexcept override { own().wake(); }
  void nudge(Rank rank) noexcept override {
    if (exists(rank)) box(rank).wake();
  }

 private:
  Mailbox& own() { return box(rank_); }
  Mailbox& box(Rank rank) { return *boxes_[static_cast<std::size_t>(rank.value())]; }
  bool exists(Rank rank) const { return rank.value() >= 0 && rank.value() < size(); }

  Rank rank_;
  std::vector<std::shared_ptr<Mailbox>> boxes_;
};

// ---------------------------------------------------------------------------------------------

/// Shares the mailbox, so that a kept transfer may outlive the communicator's own members.
class MailboxReceive final : public PendingTransfer {
 public:
  MailboxReceive(std::shared_ptr<Mailbox> box, Rank from, Tag tag, std::span<std::byte> bytes)
      : box_(std::move(box)), receive_{from, tag, bytes, std::nullopt} {
    box_->post(receive_);
  }
  ~MailboxReceive() override { box_->withdraw(receive_); }

  bool poll() override { return box_->poll(receive_); }
  bool withdraw() noexcept override {
    box_->withdraw(receive_);
    return true;
  }

 private:
  std::shared_ptr<Mailbox> box_;
  PostedReceive receive_;
};

inline Transfer MailboxCommunicator::send(Rank to, Tag tag, std::span<const std::byte> bytes) {
  expects(exists(to), "a rank of this communicator");
  box(to).deliver(rank_, tag, bytes);
  return Transfer();
}

inline Transfer MailboxCommunicator::receive(Rank from, Tag tag, std::span<std::byte> bytes) {
  expects(exists(from), "a rank of this communicator");
  return Transfer(std::make_unique<MailboxReceive>(boxes_[static_cast<std::size_t>(rank_.value())],
                                                   from, tag, bytes));
}

inline std::optional<Message> MailboxCommunicator::take(Tag tag, std::size_t max_bytes) {
  return own().take(tag, max_bytes);
}

}  // namespace daig::comm::detail
