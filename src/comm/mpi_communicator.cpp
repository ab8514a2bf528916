#include "mpi_communicator.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <limits>
#include <utility>

#include <daig/comm/detail/protocol_error.hpp>
#include <daig/core/log.hpp>

#include "mpi_call.hpp"

namespace daig::comm {

namespace {

using namespace std::chrono_literals;

int count_of(std::size_t bytes) {
  expects(bytes <= static_cast<std::size_t>(std::numeric_limits<int>::max()),
          "a message below 2^31 bytes (MPI counts in int): cut it into segments");
  return static_cast<int>(bytes);
}

int mpi_tag(Tag tag) {
  expects(tag.value() <= static_cast<std::uint32_t>(std::numeric_limits<int>::max()),
          "a tag below 2^31");
  return static_cast<int>(tag.value());
}

/// A send, or the receive of a matched message.
class Operation final : public PendingTransfer {
 public:
  Operation(MPI_Request request, detail::Napper& napper) : request_(request), napper_(napper) {}
  /// MPI goes on by itself and may touch the bytes for as long as it likes.
  ~Operation() override {
    if (request_ != MPI_REQUEST_NULL) MPI_Request_free(&request_);
  }

  bool poll() override {
    int done = 0;
    check_mpi(MPI_Test(&request_, &done, MPI_STATUS_IGNORE), "MPI_Test");
    if (done != 0) napper_.active();
    return done != 0;
  }

 private:
  MPI_Request request_;
  detail::Napper& napper_;
};

}  // namespace

class MpiCommunicator::Receive final : public PendingTransfer {
 public:
  Receive(MpiCommunicator& ranks, Rank from, Tag tag, std::span<std::byte> bytes)
      : ranks_(ranks), from_(from), tag_(tag), bytes_(bytes) {
    ranks_.expected_.push_back(this);
  }
  ~Receive() override;

  bool poll() override;
  bool withdraw() noexcept override;

  bool expects_from(Rank from, Tag tag) const { return from == from_ && tag == tag_; }
  void start(Matched matched);

 private:
  friend class MpiCommunicator;
  enum class State { expected, coming, wrong_size };

  MpiCommunicator& ranks_;
  Rank from_;
  Tag tag_;
  std::span<std::byte> bytes_;
  State state_ = State::expected;
  std::size_t arrived_ = 0;
  Transfer coming_;
};

bool MpiCommunicator::Receive::poll() {
  if (state_ == State::expected && !ranks_.match_expected(*this)) return false;
  if (state_ == State::wrong_size) {
    throw PeerLost(detail::wrong_size(from_, tag_, arrived_, bytes_.size()));
  }
  return coming_.done();
}

void MpiCommunicator::Receive::start(Matched matched) {
  arrived_ = matched.size;
  if (arrived_ == bytes_.size()) {
    state_ = State::coming;
    coming_ = ranks_.start(matched, bytes_);
  } else {
    state_ = State::wrong_size;
    ranks_.drop(matched);
  }
}

bool MpiCommunicator::Receive::withdraw() noexcept {
  if (state_ == State::expected) std::erase(ranks_.expected_, this);
  try {
    return coming_.done();
  } catch (const PeerLost&) {
    return true;
  }
}

/// A message that is coming in is written into bytes that are about to be somebody else's, so it
/// must come to its end. Those who may not wait keep the transfer (Communicator::keep_until_done).
MpiCommunicator::Receive::~Receive() {
  const Deadline deadline = Deadline::in(10s);
  while (!withdraw()) {
    if (deadline.expired()) {
      log::error(
          "rank {} stopped in the middle of a message, which may yet be written into memory that "
          "is used for something else by then: ending this process",
          from_.value());
      std::terminate();
    }
    ranks_.park(deadline, Urgency::prompt);
  }
}

MpiCommunicator::MpiCommunicator() {
  check_mpi(MPI_Comm_dup(MPI_COMM_WORLD, &mpi_), "MPI_Comm_dup");
  check_mpi(MPI_Comm_set_errhandler(mpi_, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  int rank = 0;
  check_mpi(MPI_Comm_rank(mpi_, &rank), "MPI_Comm_rank");
  rank_ = Rank{rank};
  check_mpi(MPI_Comm_size(mpi_, &size_), "MPI_Comm_size");
  exchange_bells();
}

/// Who can be rung by all others may sleep for long: ranks nudge each other when something presses.
void MpiCommunicator::exchange_bells() {
  const detail::BellAddress own = napper_.bell().address();
  bells_.resize(static_cast<std::size_t>(size_));
  constexpr int bytes = sizeof own;
  check_mpi(MPI_Allgather(&own, bytes, MPI_BYTE, bells_.data(), bytes, MPI_BYTE, mpi_),
            "MPI_Allgather");
  const bool all_here = own.hangs() && std::ranges::all_of(bells_, [&](const auto& bell) {
                          return bell.machine == own.machine;
                        });
  if (all_here) napper_.set_calm(1s);
}

std::atomic<bool>& MpiCommunicator::farewell_forgone() {
  static std::atomic<bool> forgone = false;
  return forgone;
}

void MpiCommunicator::nudge(Rank rank) noexcept {
  if (rank == rank_) return napper_.bell().note();
  const auto place = static_cast<std::size_t>(rank.value());
  if (place < bells_.size()) napper_.bell().ring(bells_[place]);
}

/// MPI_Comm_free is collective, and some member may be dead: the handle is left to MPI_Finalize.
MpiCommunicator::~MpiCommunicator() {
  for (Incoming& incoming : incoming_) {
    keep_until_done(std::move(incoming.transfer), std::move(incoming.bytes));
  }
  incoming_.clear();  // nobody is to take what is kept now
  try {
    const Deadline deadline = Deadline::in(1s);
    while (collect_kept() > 0 && !deadline.expired()) park(deadline, Urgency::prompt);
  } catch (const std::exception& problem) {
    log::warning("leaving with transfers under way: {}", problem.what());
  }
  leave_kept_behind();
}

Transfer MpiCommunicator::send(Rank to, Tag tag, std::span<const std::byte> bytes) {
  expects(to.value() >= 0 && to.value() < size_, "a rank of this communicator");
  MPI_Request request = MPI_REQUEST_NULL;
  check_mpi(MPI_Isend(bytes.data(), count_of(bytes.size()), MPI_BYTE, to.value(), mpi_tag(tag),
                      mpi_, &request),
            "MPI_Isend");
  napper_.active();
  return Transfer(std::make_unique<Operation>(request, napper_));
}

Transfer MpiCommunicator::receive(Rank from, Tag tag, std::span<std::byte> bytes) {
  expects(from.value() >= 0 && from.value() < size_, "a rank of this communicator");
  count_of(bytes.size());
  mpi_tag(tag);
  return Transfer(std::make_unique<Receive>(*this, from, tag, bytes));
}

std::optional<Message> MpiCommunicator::take(Tag tag, std::size_t max_bytes) {
  match_incoming(tag, max_bytes);
  std::vector<Rank> unfinished;  // their later messages have to wait
  for (auto incoming = incoming_.begin(); incoming != incoming_.end(); ++incoming) {
    if (incoming->tag != tag) continue;
    if (std::ranges::find(unfinished, incoming->from) != unfinished.end()) continue;
    if (!incoming->transfer.done()) {
      unfinished.push_back(incoming->from);
      continue;
    }
    const Incoming whole = std::move(*incoming);
    incoming_.erase(incoming);
    if (!whole.bytes) throw PeerLost(detail::too_large(whole.from, tag, whole.size, max_bytes));
    return Message{whole.from, std::move(*whole.bytes)};
  }
  return std::nullopt;
}

/// Open MPI looks first and takes in arrivals afterwards, for the next look: hence the second.
std::optional<MpiCommunicator::Matched> MpiCommunicator::match(int from, Tag tag) {
  int found = 0;
  MPI_Message handle = MPI_MESSAGE_NULL;
  MPI_Status status;
  for (int look = 0; look < 2 && found == 0; ++look) {
    check_mpi(MPI_Improbe(from, mpi_tag(tag), mpi_, &found, &handle, &status), "MPI_Improbe");
  }
  if (found == 0) return std::nullopt;
  napper_.active();
  int count = 0;
  check_mpi(MPI_Get_count(&status, MPI_BYTE, &count), "MPI_Get_count");
  return Matched{handle, Rank{status.MPI_SOURCE}, tag, static_cast<std::size_t>(count)};
}

Transfer MpiCommunicator::start(Matched matched, std::span<std::byte> bytes) {
  MPI_Request request = MPI_REQUEST_NULL;
  check_mpi(MPI_Imrecv(bytes.data(), count_of(bytes.size()), MPI_BYTE, &matched.handle, &request),
            "MPI_Imrecv");
  return Transfer(std::make_unique<Operation>(request, napper_));
}

/// MPI has no way to drop a message: it comes in, to where nobody looks, and so frees its sender.
void MpiCommunicator::drop(Matched matched) {
  auto bytes = std::make_shared<std::vector<std::byte>>(matched.size);
  keep_until_done(start(matched, *bytes), bytes);
}

/// Messages go to receives in the order these were posted, whichever is polled first.
bool MpiCommunicator::match_expected(const Receive& receive) {
  for (auto expected = expected_.begin(); expected != expected_.end();) {
    Receive& earliest = **expected;
    if (!earliest.expects_from(receive.from_, receive.tag_)) {
      ++expected;
      continue;
    }
    const auto matched = match(receive.from_.value(), receive.tag_);
    if (!matched) return false;
    expected = expected_.erase(expected);
    earliest.start(*matched);
    if (&earliest == &receive) return true;
  }
  return false;
}

/// MPI_Mrecv would take a message at once, but a large one needs its sender's help to come in, and
/// the sender may have stopped: so it comes in by and by.
void MpiCommunicator::match_incoming(Tag tag, std::size_t max_bytes) {
  while (const auto matched = match(MPI_ANY_SOURCE, tag)) {
    Incoming incoming{matched->from, tag, matched->size, nullptr, Transfer()};
    if (matched->size > max_bytes) {
      drop(*matched);
    } else {
      incoming.bytes = std::make_shared<std::vector<std::byte>>(matched->size);
      incoming.transfer = start(*matched, *incoming.bytes);
    }
    incoming_.push_back(std::move(incoming));
  }
}

}  // namespace daig::comm
