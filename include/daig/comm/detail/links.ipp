// The bodies of comm/detail/links.hpp.

#pragma once

#include <algorithm>
#include <cstring>
#include <utility>

#include <sys/eventfd.h>

#include <daig/comm/detail/links.hpp>
#include <daig/core/inline.hpp>
#include <daig/core/log.hpp>

namespace daig::comm::detail {

namespace links {

using namespace std::chrono_literals;

inline constexpr std::size_t most_guests = 64;
inline constexpr Duration guest_patience = 10s;   ///< for a stranger to say who it is
inline constexpr Duration connect_patience = 2s;  ///< for an address to answer at all
inline constexpr Duration answer_patience = 30s;  ///< a rank may stand still for a while
inline constexpr Duration rest = 500ms;           ///< between two rounds through the addresses
inline constexpr Duration farewell = 2s;
inline constexpr Duration longest_wait = 1h;
inline constexpr std::size_t read_at_once = std::size_t{1} << 18;
inline constexpr int turns = 16;  ///< of reading from one rank, before the next one's

}  // namespace links

class Links::Send final : public PendingTransfer {
 public:
  explicit Send(std::shared_ptr<const std::atomic<bool>> gone) : gone_(std::move(gone)) {}
  bool poll() override { return *gone_; }
  bool withdraw() noexcept override { return true; }  // the bytes were copied

 private:
  std::shared_ptr<const std::atomic<bool>> gone_;
};

DAIG_INLINE Links::Links(Rank own, std::string key, std::shared_ptr<Mailbox> box,
                         std::function<void()> wake)
    : own_(own),
      key_(std::move(key)),
      box_(std::move(box)),
      wake_(std::move(wake)),
      listening_(listen_anywhere()),
      addresses_(addresses_of(listening_)),
      stirred_(checked(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "an eventfd")),
      thread_([this] {
        log::set_rank(own_);
        serve();
      }) {}

DAIG_INLINE Links::~Links() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = Deadline::in(links::farewell);
  }
  stir();
}

DAIG_INLINE void Links::stir() noexcept {
  const std::uint64_t one = 1;
  static_cast<void>(::write(stirred_.get(), &one, sizeof one));
}

DAIG_INLINE Links::Link& Links::link_to(Rank rank) {
  if (rank.value() >= size_) size_ = rank.value() + 1;
  return links_[rank];
}

DAIG_INLINE Links::Standing Links::standing(Rank rank) const {
  const std::lock_guard lock(mutex_);
  const auto link = links_.find(rank);
  return link == links_.end() ? Standing::none : link->second.standing;
}

DAIG_INLINE void Links::pursue(Rank rank, const std::string& addresses) {
  Pursuit pursuit{rank, parse_addresses(addresses), Deadline::in(Duration::zero())};
  if (pursuit.addresses.empty()) throw InputError("no address to reach a rank at");
  {
    const std::lock_guard lock(mutex_);
    link_to(rank);
    pursuits_.push_back(std::move(pursuit));
  }
  stir();
}

DAIG_INLINE void Links::adopt(Rank rank, FileDescriptor connection, std::vector<std::byte> answer,
                              std::vector<std::byte> arrived) {
  {
    const std::lock_guard lock(mutex_);
    take_over(rank, std::move(connection), std::move(answer), arrived);
  }
  stir();
}

DAIG_INLINE std::optional<Links::Request> Links::next_request() {
  const std::lock_guard lock(mutex_);
  if (requests_.empty()) return std::nullopt;
  Request request = std::move(requests_.front());
  requests_.pop_front();
  return request;
}

DAIG_INLINE void Links::refuse(const Request& request, Answer::Verdict verdict,
                               const std::string& reason) {
  write_some(request.connection, encode(Answer{.verdict = verdict, .reason = reason}));
}

DAIG_INLINE Transfer Links::send(Rank to, Tag tag, std::span<const std::byte> bytes) {
  std::array<std::byte, header_bytes> header;
  const Tag::rep tag_value = tag.value();
  const std::uint64_t size = bytes.size();
  std::memcpy(header.data(), &tag_value, sizeof tag_value);
  std::memcpy(header.data() + sizeof tag_value, &size, sizeof size);
  const std::lock_guard lock(mutex_);
  Link& link = link_to(to);
  if (link.standing == Standing::down) return Transfer();
  std::size_t written = 0;
  if (link.standing == Standing::up && link.out.empty()) {
    written = write_some(link.connection, header, bytes).value_or(0);
    if (written == header.size() + bytes.size()) return Transfer();
  }
  Outgoing rest{{}, 0, std::make_shared<std::atomic<bool>>(false)};
  rest.bytes.reserve(header.size() + bytes.size());
  rest.bytes.insert(rest.bytes.end(), header.begin(), header.end());
  rest.bytes.insert(rest.bytes.end(), bytes.begin(), bytes.end());
  rest.written = written;
  auto gone = rest.gone;
  link.out.push_back(std::move(rest));
  if (link.standing == Standing::up) stir();
  return Transfer(std::make_unique<Send>(std::move(gone)));
}

// The thread ------------------------------------------------------------------------------------

/// One look at everything, after every event.
DAIG_INLINE void Links::serve() {
  std::vector<pollfd> watched;
  while (true) {
    TimePoint until;
    {
      const std::lock_guard lock(mutex_);
      if (has_ended()) return;
      until = gather(watched);
    }
    const Duration left =
        std::clamp<Duration>(until - Clock::now(), Duration::zero(), links::longest_wait);
    ::poll(watched.data(), watched.size(),
           static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(left).count()));
    std::uint64_t stirs = 0;
    static_cast<void>(::read(stirred_.get(), &stirs, sizeof stirs));
    bool has_news = false;
    {
      const std::lock_guard lock(mutex_);
      accept_guests();
      std::erase_if(guests_, [this](Guest& guest) { return hear_guest(guest); });
      std::erase_if(pursuits_, [this](Pursuit& pursuit) { return advance(pursuit); });
      for (auto& [rank, link] : links_) {
        read(rank, link);
        write(link);
      }
      has_news = std::exchange(has_news_, false);
    }
    if (has_news) wake_();
  }
}

/// What to wait for, and until when. Gathered anew each time: there are some hundred connections at
/// most, and looking at them costs about as much as the wait itself.
DAIG_INLINE TimePoint Links::gather(std::vector<pollfd>& watched) {
  TimePoint until = ending_ ? ending_->when() : TimePoint::max();
  watched = {{stirred_.get(), POLLIN, 0}};
  if (guests_.size() < links::most_guests) watched.push_back({listening_.get(), POLLIN, 0});
  for (const Guest& guest : guests_) {
    watched.push_back({guest.connection.get(), POLLIN, 0});
    until = std::min(until, guest.patience.when());
  }
  for (const Pursuit& pursuit : pursuits_) {
    const short event = pursuit.stage == Pursuit::Stage::connecting ? POLLOUT : POLLIN;
    watched.push_back({pursuit.connection.get(), event, 0});
    until = std::min(until, pursuit.until.when());
  }
  for (const auto& [rank, link] : links_) {
    if (link.standing != Standing::up) continue;
    const short out = link.out.empty() ? 0 : POLLOUT;
    watched.push_back({link.connection.get(), static_cast<short>(POLLIN | out), 0});
  }
  return until;
}

/// In the end everything is written first, and then all hang up at their own end only, until the
/// others have, too: closing a connection at which something is unread would take away what the
/// other end has not read yet.
DAIG_INLINE bool Links::has_ended() {
  if (!ending_) return false;
  if (ending_->expired()) return true;
  bool all_down = true;
  for (auto& [rank, link] : links_) {
    if (link.standing != Standing::up) continue;
    all_down = false;
    if (link.out.empty()) ::shutdown(link.connection.get(), SHUT_WR);
  }
  return all_down;
}

DAIG_INLINE void Links::accept_guests() {
  while (guests_.size() < links::most_guests) {
    FileDescriptor connection(
        ::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!connection.is_open()) return;
    guests_.push_back({std::move(connection), Deadline::in(links::guest_patience)});
  }
}

/// True when the guest is one no more.
DAIG_INLINE bool Links::hear_guest(Guest& guest) {
  std::array<std::byte, 1024> bytes;
  std::optional<std::size_t> got;
  while ((got = read_some(guest.connection, bytes)).value_or(0) > 0) {
    guest.arrived.insert(guest.arrived.end(), bytes.begin(),
                         bytes.begin() + static_cast<std::ptrdiff_t>(*got));
    if (guest.arrived.size() > 2 * max_knock_bytes) return true;
  }
  if (!got || guest.patience.expired()) return true;  // also of one who has gone meanwhile
  try {
    const auto greeting = take_greeting(guest.arrived, max_knock_bytes);
    if (!greeting) return false;
    greet(guest, decode_knock(*greeting));
  } catch (const InputError& error) {
    log::debug("somebody knocked who is not of this job: {}", error.what());
  }
  return true;
}

DAIG_INLINE void Links::greet(Guest& guest, const Knock& knock) {
  const bool is_ours = knock.key == key_ && knock.to == own_ && knock.from != own_;
  if (!is_ours) throw InputError(fmt::format("rank {} with another key", knock.from.value()));
  if (knock.wish == Knock::Wish::join) {
    requests_.push_back({std::move(guest.connection), knock});
    has_news_ = true;
  } else {
    take_over(knock.from, std::move(guest.connection), encode(Answer{}), guest.arrived);
  }
}

/// True when the pursuit has come to its end.
DAIG_INLINE bool Links::advance(Pursuit& pursuit) {
  using Stage = Pursuit::Stage;
  if (pursuit.stage == Stage::connecting && is_writable(pursuit.connection)) {
    const Knock knock{key_, own_, pursuit.rank, Knock::Wish::link, addresses_};
    // A few bytes always fit into a socket that is fresh.
    if (connection_error(pursuit.connection) != 0 ||
        !write_some(pursuit.connection, encode(knock))) {
      return try_next_address(pursuit);
    }
    pursuit.stage = Stage::asking;
    pursuit.until = Deadline::in(links::answer_patience);
  }
  if (pursuit.stage == Stage::asking) {
    const std::optional<Answer::Verdict> verdict = hear_answer(pursuit);
    if (verdict == Answer::Verdict::come_in) {
      take_over(pursuit.rank, std::move(pursuit.connection), {}, pursuit.arrived);
      return true;
    }
    if (verdict) return try_next_address(pursuit);
  }
  if (!pursuit.until.expired()) return false;
  pursuit.may_be_there = true;
  return try_next_address(pursuit);
}

/// Nothing while there is no answer. Whoever hangs up in its place is somebody else.
DAIG_INLINE std::optional<Answer::Verdict> Links::hear_answer(Pursuit& pursuit) {
  std::array<std::byte, 4096> bytes;
  const auto got = read_some(pursuit.connection, bytes);
  if (!got) return Answer::Verdict::refused;
  pursuit.arrived.insert(pursuit.arrived.end(), bytes.begin(),
                         bytes.begin() + static_cast<std::ptrdiff_t>(*got));
  try {
    const auto greeting = take_greeting(pursuit.arrived, max_answer_bytes);
    if (!greeting) return std::nullopt;
    return decode_answer(*greeting).verdict;
  } catch (const InputError& error) {
    log::debug("rank {} is not where it was said to be: {}", pursuit.rank.value(), error.what());
    return Answer::Verdict::refused;
  }
}

/// Goes on to the next address, or rests before the first. True when nobody was there at any of
/// them: the rank's process is gone.
DAIG_INLINE bool Links::try_next_address(Pursuit& pursuit) {
  pursuit.connection.close();
  pursuit.arrived.clear();
  const bool begins = pursuit.stage == Pursuit::Stage::resting;
  if (begins) {
    pursuit.next = 0;
    pursuit.may_be_there = false;
  } else if (++pursuit.next == pursuit.addresses.size()) {
    if (!pursuit.may_be_there) {
      end(link_to(pursuit.rank));
      has_news_ = true;  // somebody may wait for the link
      return true;
    }
    pursuit.stage = Pursuit::Stage::resting;
    pursuit.until = Deadline::in(links::rest);
    return false;
  }
  pursuit.connection = begin_to_connect(pursuit.addresses[pursuit.next]);
  pursuit.stage = Pursuit::Stage::connecting;
  pursuit.until = Deadline::in(links::connect_patience);
  return false;
}

// Links -----------------------------------------------------------------------------------------

/// What an older connection was in the midst of cannot be ended on this one.
DAIG_INLINE void Links::take_over(Rank rank, FileDescriptor connection,
                                  std::vector<std::byte> answer,
                                  std::span<const std::byte> arrived) {
  prepare_link(connection);
  Link& link = link_to(rank);
  if (!link.out.empty() && link.out.front().written > 0) {
    *link.out.front().gone = true;
    link.out.pop_front();
  }
  link.connection = std::move(connection);
  link.standing = Standing::up;
  link.incoming.clear();
  if (!answer.empty()) {
    link.out.push_front({std::move(answer), 0, std::make_shared<std::atomic<bool>>(false)});
  }
  has_news_ = true;
  take_in(rank, link, arrived);
  write(link);
}

DAIG_INLINE void Links::read(Rank rank, Link& link) {
  scratch_.resize(links::read_at_once);
  for (int turn = 0; turn < links::turns && link.standing == Standing::up; ++turn) {
    const auto got = read_some(link.connection, scratch_);
    if (!got) return end(link);
    if (*got == 0) return;
    take_in(rank, link, std::span(scratch_).first(*got));
  }
}

DAIG_INLINE void Links::take_in(Rank rank, Link& link, std::span<const std::byte> bytes) {
  std::vector<std::byte>& message = link.incoming;
  const auto take = [&](std::size_t wanted) {
    const auto some = bytes.first(std::min(wanted - message.size(), bytes.size()));
    message.insert(message.end(), some.begin(), some.end());
    bytes = bytes.subspan(some.size());
    return message.size() == wanted;
  };
  while (message.size() >= header_bytes || !bytes.empty()) {
    if (message.size() < header_bytes && !take(header_bytes)) return;
    ByteReader header(message);
    const Tag tag{header.get<Tag::rep>()};
    const auto size = header.get<std::uint64_t>();
    if (size > max_message_bytes) {
      log::error("rank {} announced a message of {} bytes: hanging up", rank.value(), size);
      return end(link);
    }
    if (!take(header_bytes + size)) return;
    box_->deliver(rank, tag, std::span<const std::byte>(message).subspan(header_bytes));
    message.clear();
    has_news_ = true;
  }
}

DAIG_INLINE void Links::write(Link& link) {
  while (link.standing == Standing::up && !link.out.empty()) {
    Outgoing& first = link.out.front();
    const auto rest = std::span<const std::byte>(first.bytes).subspan(first.written);
    const auto written = write_some(link.connection, rest);
    if (!written) return end(link);
    first.written += *written;
    if (first.written < first.bytes.size()) return;
    *first.gone = true;
    link.out.pop_front();
    has_news_ = true;  // somebody may wait for that
  }
}

DAIG_INLINE void Links::end(Link& link) {
  has_news_ |= !link.out.empty();
  for (const Outgoing& outgoing : link.out) *outgoing.gone = true;
  link.out.clear();
  link.incoming.clear();
  link.connection.close();
  link.standing = Standing::down;
}

}  // namespace daig::comm::detail
