// The bodies of comm/growing.hpp.

#pragma once

#include <algorithm>
#include <fstream>
#include <system_error>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <poll.h>

#include <daig/comm/growing.hpp>
#include <daig/core/inline.hpp>
#include <daig/core/log.hpp>

namespace daig::comm {

namespace growing {

using namespace std::chrono_literals;

inline constexpr Duration farewell = 1s;
inline constexpr Duration pause = 100ms;          ///< before knocking, or looking, again
inline constexpr Duration connect_patience = 2s;  ///< for an address to answer at all
inline constexpr std::size_t read_at_once = std::size_t{1} << 16;
inline constexpr int most_skipped = 100'000;  ///< numbers of newcomers that never came

DAIG_INLINE std::vector<std::byte> bytes_of(const std::string& text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

DAIG_INLINE std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Waits until there is something to read, or a connection stands.
DAIG_INLINE void wait_for(const FileDescriptor& connection, short event, Deadline deadline) {
  pollfd wanted{connection.get(), event, 0};
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline.remaining());
  ::poll(&wanted, 1, static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 1000)));
}

}  // namespace growing

DAIG_INLINE GrowingCommunicator::GrowingCommunicator(std::unique_ptr<Communicator> founders,
                                                     Door door)
    : rank_(founders->rank()),
      founders_(std::move(founders)),
      door_(std::move(door)),
      links_(rank_, door_.key, box_, [this] { stir(); }) {
  if (rank_ != coordinator_rank) {
    founders_->post(coordinator_rank, door_tag, growing::bytes_of(links_.addresses()));
  }
}

DAIG_INLINE GrowingCommunicator::GrowingCommunicator(const Invitation& invitation,
                                                     Deadline deadline)
    : rank_(invitation.rank), links_(rank_, invitation.key, box_, [this] { stir(); }) {
  join(invitation, deadline);
}

/// Kept transfers may still use the other communicator.
DAIG_INLINE GrowingCommunicator::~GrowingCommunicator() {
  try {
    const Deadline deadline = Deadline::in(growing::farewell);
    while (collect_kept() > 0 && !deadline.expired()) park(deadline, Urgency::prompt);
  } catch (const std::exception& problem) {
    log::warning("leaving with transfers under way: {}", problem.what());
  }
  leave_kept_behind();
}

DAIG_INLINE int GrowingCommunicator::size() const {
  const int founders = founders_ ? founders_->size() : rank_.value() + 1;
  return std::max(founders, links_.size());
}

DAIG_INLINE void GrowingCommunicator::stir() noexcept {
  founders_ ? founders_->wake() : box_->wake();
}

DAIG_INLINE Transfer GrowingCommunicator::send(Rank to, Tag tag, std::span<const std::byte> bytes) {
  expects(to >= Rank{0} && to.value() < size(), "a rank of this communicator");
  if (is_founder(to)) return founders_->send(to, tag, bytes);
  if (to != rank_) return links_.send(to, tag, bytes);
  box_->deliver(rank_, tag, bytes);
  return Transfer();
}

DAIG_INLINE Transfer GrowingCommunicator::receive(Rank from, Tag tag, std::span<std::byte> bytes) {
  expects(from >= Rank{0} && from.value() < size(), "a rank of this communicator");
  if (is_founder(from)) return founders_->receive(from, tag, bytes);
  return Transfer(std::make_unique<detail::MailboxReceive>(box_, from, tag, bytes));
}

DAIG_INLINE std::optional<Message> GrowingCommunicator::take(Tag tag, std::size_t max_bytes) {
  if (rank_ == coordinator_rank) attend_door();
  std::optional<Message> message = box_->take(tag, max_bytes);
  if (!message && founders_) message = founders_->take(tag, max_bytes);
  if (message && !lost_.empty()) lost_.erase(message->from);
  return message;
}

DAIG_INLINE void GrowingCommunicator::park(Deadline until, Urgency urgency) {
  founders_ ? founders_->park(until, urgency) : box_->park(until);
}

DAIG_INLINE void GrowingCommunicator::wake() noexcept {
  stir();
}

/// Whoever has a link is woken by what arrives on it.
DAIG_INLINE void GrowingCommunicator::nudge(Rank rank) noexcept {
  if (is_founder(rank)) founders_->nudge(rank);
}

// Newcomers -------------------------------------------------------------------------------------

DAIG_INLINE void GrowingCommunicator::join(const Invitation& invitation, Deadline deadline) {
  const Deadline start = Deadline::in(Duration::zero());
  while (true) {
    std::optional<detail::Answer> answer = knock(invitation, deadline);
    if (answer && answer->verdict == detail::Answer::Verdict::refused) {
      throw PeerLost(
          fmt::format("rank 0 does not let rank {} join: {}", rank_.value(), answer->reason));
    }
    if (answer && answer->verdict == detail::Answer::Verdict::come_in) {
      briefing_ = std::move(answer->briefing);
      skip_channels(answer->channels);
      return meet(answer->neighbours, deadline);
    }
    if (deadline.expired()) {
      throw DeadlineExceeded(
          fmt::format("rank {} could not join: nobody answered at {} for {:.0f} s", rank_.value(),
                      invitation.addresses, seconds(Clock::now() - start.when())));
    }
    std::this_thread::sleep_for(growing::pause);
  }
}

/// Nothing when there is no answer at any of the addresses.
DAIG_INLINE std::optional<detail::Answer> GrowingCommunicator::knock(const Invitation& invitation,
                                                                     Deadline deadline) {
  using namespace detail;
  for (const sockaddr_in& address : parse_addresses(invitation.addresses)) {
    FileDescriptor connection = begin_to_connect(address);
    growing::wait_for(connection, POLLOUT,
                      std::min(deadline, Deadline::in(growing::connect_patience)));
    if (!is_writable(connection) || connection_error(connection) != 0) continue;
    const Knock knock{invitation.key, rank_, coordinator_rank, Knock::Wish::join,
                      links_.addresses()};
    if (!write_some(connection, encode(knock))) continue;
    std::vector<std::byte> arrived;
    std::vector<std::byte> bytes(growing::read_at_once);
    while (!deadline.expired()) {
      const auto got = read_some(connection, bytes);
      if (!got) break;  // somebody else, or rank 0 of another job
      arrived.insert(arrived.end(), bytes.begin(),
                     bytes.begin() + static_cast<std::ptrdiff_t>(*got));
      if (const auto greeting = take_greeting(arrived, max_answer_bytes)) {
        Answer answer = decode_answer(*greeting);
        if (answer.verdict == Answer::Verdict::come_in) {
          links_.adopt(coordinator_rank, std::move(connection), {}, std::move(arrived));
        }
        return answer;
      }
      growing::wait_for(connection, POLLIN, deadline);
    }
  }
  return std::nullopt;
}

/// Makes a link to everybody else, and waits for those who are not lost.
DAIG_INLINE void GrowingCommunicator::meet(const std::vector<detail::Neighbour>& neighbours,
                                           Deadline deadline) {
  using Standing = detail::Links::Standing;
  for (const detail::Neighbour& neighbour : neighbours) {
    links_.pursue(neighbour.rank, neighbour.addresses);
  }
  for (const detail::Neighbour& neighbour : neighbours) {
    while (neighbour.lost == 0 && links_.standing(neighbour.rank) == Standing::coming) {
      if (deadline.expired()) {
        throw DeadlineExceeded(fmt::format(
            "rank {} could not join: rank {} cannot be reached at {}; each machine must be able to "
            "reach every other one",
            rank_.value(), neighbour.rank.value(), neighbour.addresses));
      }
      box_->park(std::min(deadline, Deadline::in(growing::pause)));
    }
  }
}

// Rank 0 ----------------------------------------------------------------------------------------

DAIG_INLINE Channel GrowingCommunicator::open_channel() {
  const Channel channel = Communicator::open_channel();
  if (rank_ == coordinator_rank && !published_) publish();
  return channel;
}

/// The file appears as a whole, or not at all.
DAIG_INLINE void GrowingCommunicator::publish() {
  published_ = true;
  if (door_.file.empty()) return;
  const std::filesystem::path unfinished = door_.file.string() + ".new";
  std::ofstream(unfinished) << links_.addresses() << '\n';
  std::error_code error;
  std::filesystem::rename(unfinished, door_.file, error);
  if (error) {
    log::warning("nobody can join this run: {} cannot be written: {}", door_.file.string(),
                 error.message());
  }
}

DAIG_INLINE void GrowingCommunicator::lose(Rank rank) {
  if (rank_ != coordinator_rank) return;
  lost_.insert(rank);
  if (!door_.file.empty()) {
    std::ofstream(door_.file.string() + ".lost", std::ios::app) << rank.value() << '\n';
  }
}

/// Founders tell where they are as soon as they begin; newcomers are told of all who did.
DAIG_INLINE void GrowingCommunicator::attend_door() {
  const auto founders = static_cast<std::size_t>(founders_->size());
  const bool complete = addresses_.size() + 1 >= founders;
  if (!complete) {
    while (auto message = founders_->take(door_tag, detail::max_knock_bytes)) {
      addresses_[message->from] = growing::text_of(message->bytes);
    }
  }
  while (auto request = links_.next_request()) let_in(std::move(*request));
}

DAIG_INLINE void GrowingCommunicator::let_in(detail::Links::Request request) {
  using detail::Answer;
  using detail::Links;
  const Rank newcomer = request.knock.from;
  const auto refuse = [&](Answer::Verdict verdict, const std::string& reason) {
    Links::refuse(request, verdict, reason);
  };
  for (int rank = 1; rank < founders_->size(); ++rank) {
    if (addresses_.contains(Rank{rank}) || lost_.contains(Rank{rank})) continue;
    return refuse(Answer::Verdict::later, "not all have come that the job begins with");
  }
  if (!published_) return refuse(Answer::Verdict::later, "there is nothing to take part in");
  if (is_founder(newcomer) || addresses_.contains(newcomer)) {
    return refuse(Answer::Verdict::refused, "there was such a rank already");
  }
  if (newcomer.value() > size() + growing::most_skipped) {
    return refuse(Answer::Verdict::refused, "its number is out of all proportion");
  }
  Answer answer{.channels = channels() - 1, .briefing = briefing_};
  for (const auto& [rank, addresses] : addresses_) {
    if (links_.standing(rank) == Links::Standing::down) continue;
    answer.neighbours.push_back(
        {rank, lost_.contains(rank) ? std::uint8_t{1} : std::uint8_t{0}, addresses});
  }
  addresses_[newcomer] = request.knock.addresses;
  links_.adopt(newcomer, std::move(request.connection), encode(answer), {});
}

}  // namespace daig::comm
