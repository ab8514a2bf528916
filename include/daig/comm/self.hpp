#pragma once

/// The *self* backend: one rank, alone, that can send to itself.

#include <memory>

#include <daig/comm/detail/mailbox_communicator.hpp>

namespace daig::comm {

/// A communicator of one rank; what a program uses that was started without mpirun.
class SelfCommunicator final : public detail::MailboxCommunicator {
 public:
  SelfCommunicator() : MailboxCommunicator(Rank{0}, {std::make_shared<detail::Mailbox>()}) {}
};

}  // namespace daig::comm
