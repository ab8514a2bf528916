#pragma once

/// The contract of a Communicator as test cases, one suite for every backend.
///
/// Every rank runs the same cases in the same order; each case has tags of its own, so that ranks
/// need not be in the same case at the same time.

#include <atomic>
#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <ostream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <daig/comm/communicator.hpp>
#include <daig/core/random.hpp>

#include "support/ranks.hpp"

namespace daig::test {

struct ContractCase {
  const char* name;
  void (*run)(comm::Communicator&, Problems&);
};

inline std::ostream& operator<<(std::ostream& out, const ContractCase& contract_case) {
  return out << contract_case.name;
}

/// All cases. Any number of ranks, one included.
const std::vector<ContractCase>& communicator_contract();

// ---------------------------------------------------------------------------------------------

namespace contract {

using comm::Communicator;
using comm::Message;
using comm::Tag;
using comm::Transfer;
using Bytes = std::vector<std::byte>;

inline Rank next(const Communicator& ranks) {
  return Rank{(ranks.rank().value() + 1) % ranks.size()};
}
inline Rank previous(const Communicator& ranks) {
  return Rank{(ranks.rank().value() + ranks.size() - 1) % ranks.size()};
}

/// Bytes that tell from whom they are and the how many-th message they are.
inline Bytes bytes_of(Rank from, int index, std::size_t size) {
  Random random(1, Stream::test, static_cast<std::uint32_t>(from.value()),
                static_cast<std::uint32_t>(index));
  Bytes bytes(size);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random() & 0xFF);
  return bytes;
}

inline Bytes receive_now(Communicator& ranks, Rank from, Tag tag, std::size_t size) {
  Bytes bytes(size);
  Transfer transfer = ranks.receive(from, tag, bytes);
  wait(ranks, transfer, patience(), "a message of the test");
  return bytes;
}

/// Until nothing is kept, or long enough.
inline bool all_kept_end(Communicator& ranks) {
  const Deadline deadline = patience();
  while (ranks.collect_kept() > 0) {
    if (deadline.expired()) return false;
    ranks.park(Deadline::in(std::chrono::milliseconds(10)));
  }
  return true;
}

inline void order_and_tags(Communicator& ranks, Problems& problems) {
  constexpr Tag even{100};
  constexpr Tag odd{101};
  constexpr int count = 50;
  for (int index = 0; index < count; ++index) {
    ranks.post(next(ranks), index % 2 == 0 ? even : odd, bytes_of(ranks.rank(), index, 8));
  }
  const Rank from = previous(ranks);
  for (const int parity : {1, 0}) {
    for (int index = parity; index < count; index += 2) {
      const Bytes got = receive_now(ranks, from, parity == 0 ? even : odd, 8);
      problems.check(got == bytes_of(from, index, 8),
                     fmt::format("message {} out of place", index));
    }
  }
}

inline void receives_posted_ahead(Communicator& ranks, Problems& problems) {
  constexpr Tag tag{105};
  constexpr int count = 20;
  const Rank from = previous(ranks);
  std::vector<Bytes> got(count, Bytes(1000));
  std::vector<Transfer> transfers;
  for (Bytes& bytes : got) transfers.push_back(ranks.receive(from, tag, bytes));
  for (int index = 0; index < count; ++index) {
    ranks.post(next(ranks), tag, bytes_of(ranks.rank(), index, 1000));
  }
  for (int index = count - 1; index >= 0; --index) {
    const auto at = static_cast<std::size_t>(index);
    wait(ranks, transfers[at], patience(), "a receive posted ahead");
    problems.check(got[at] == bytes_of(from, index, 1000), fmt::format("message {}", index));
  }
}

inline void empty_messages(Communicator& ranks, Problems& problems) {
  constexpr Tag received{110};
  constexpr Tag taken{111};
  ranks.post(next(ranks), received, {});
  ranks.post(next(ranks), taken, {});
  problems.check(receive_now(ranks, previous(ranks), received, 0).empty(), "received");
  const Message message = wait_for_message(ranks, taken, 0, patience(), "an empty message");
  problems.check(message.bytes.empty() && message.from == previous(ranks), "taken");
}

inline void large_messages(Communicator& ranks, Problems& problems) {
  constexpr Tag tag{120};
  constexpr std::size_t size = (std::size_t{8} << 20) + 3;
  const Bytes out = bytes_of(ranks.rank(), 0, size);
  Bytes in(size);
  Transfer receiving = ranks.receive(previous(ranks), tag, in);
  Transfer sending = ranks.send(next(ranks), tag, out);
  wait(ranks, receiving, patience(), "a large message");
  wait(ranks, sending, patience(), "sending a large message");
  problems.check(in == bytes_of(previous(ranks), 0, size), "its bytes");
}

inline void sends_to_itself(Communicator& ranks, Problems& problems) {
  constexpr Tag tag{130};
  constexpr Tag taken{131};
  for (const std::size_t size : {std::size_t{1}, std::size_t{1} << 20}) {
    const Bytes out = bytes_of(ranks.rank(), 7, size);
    Bytes in(size);
    Transfer receiving = ranks.receive(ranks.rank(), tag, in);
    Transfer sending = ranks.send(ranks.rank(), tag, out);
    wait(ranks, receiving, patience(), "a message to oneself");
    wait(ranks, sending, patience(), "sending to oneself");
    problems.check(in == out, fmt::format("{} bytes to oneself", size));
    ranks.post(ranks.rank(), taken, out);
    const Message message = wait_for_message(ranks, taken, size, patience(), "its own message");
    problems.check(message.from == ranks.rank() && message.bytes == out, "its own message");
  }
}

/// Mixed sizes, so that a short message could overtake a long one.
inline void takes_in_order_from_any_rank(Communicator& ranks, Problems& problems) {
  constexpr Tag tag{140};
  constexpr int count = 20;
  const auto size_of = [](Rank from, int index) {
    return index % 3 == 0 ? 300'000 + static_cast<std::size_t>(from.value())
                          : static_cast<std::size_t>(index + from.value());
  };
  for (int index = 0; index < count; ++index) {
    ranks.post(Rank{0}, tag, bytes_of(ranks.rank(), index, size_of(ranks.rank(), index)));
  }
  if (ranks.rank() == Rank{0}) {
    std::vector<int> seen(static_cast<std::size_t>(ranks.size()));
    for (int message_index = 0; message_index < count * ranks.size(); ++message_index) {
      const Message message = wait_for_message(ranks, tag, 400'000, patience(), "any rank");
      const int index = seen[static_cast<std::size_t>(message.from.value())]++;
      problems.check(message.bytes == bytes_of(message.from, index, size_of(message.from, index)),
                     fmt::format("message {} of rank {}", index, message.from.value()));
    }
  }
  problems.check(all_kept_end(ranks), "sends that nobody waits for should end");
}

inline void drops_what_is_too_large(Communicator& ranks, Problems& problems) {
  constexpr Tag tag{150};
  for (const std::size_t size : {std::size_t{101}, std::size_t{3} << 20}) {
    ranks.post(next(ranks), tag, Bytes(size));
    ranks.post(next(ranks), tag, bytes_of(ranks.rank(), 1, 100));
    problems.check_throws<PeerLost>(
        [&] { wait_for_message(ranks, tag, 100, patience(), "a message"); }, "too large");
    const Message message = wait_for_message(ranks, tag, 100, patience(), "the next message");
    problems.check(message.bytes == bytes_of(previous(ranks), 1, 100), "the next message");
  }
  problems.check(all_kept_end(ranks), "a dropped message should not hold its sender");
}

inline void refuses_a_wrong_size(Communicator& ranks, Problems& problems) {
  constexpr Tag tag{160};
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{99}, std::size_t{101}, std::size_t{3} << 20}) {
    Bytes in(100);
    Transfer receiving = ranks.receive(previous(ranks), tag, in);
    ranks.post(next(ranks), tag, Bytes(size));
    problems.check_throws<PeerLost>([&] { wait(ranks, receiving, patience(), "a message"); },
                                    fmt::format("{} bytes instead of 100", size));
  }
  problems.check(all_kept_end(ranks), "a cut-off message should not hold its sender");
}

inline void keeps_deadlines(Communicator& ranks, Problems& problems) {
  constexpr Tag tag{170};
  const auto soon = [] { return Deadline::in(std::chrono::milliseconds(5)); };
  Bytes in(1);
  Transfer receiving = ranks.receive(previous(ranks), tag, in);
  problems.check_throws<DeadlineExceeded>(
      [&] { wait(ranks, receiving, soon(), "what nobody sends"); }, "a receive");
  problems.check(!receiving.done(), "a receive is still there after a deadline");
  problems.check_throws<DeadlineExceeded>(
      [&] { wait_for_message(ranks, Tag{171}, 1, soon(), "what nobody sends"); }, "a take");
  problems.check(!ranks.take(Tag{171}, 1), "nothing to take");
}

inline void wake_ends_a_park(Communicator& ranks, Problems& problems) {
  ranks.wake();
  const Deadline deadline = patience();
  ranks.park(deadline);  // woken before it began
  problems.check(!deadline.expired(), "a wake before the park");
  for (int round = 0; round < 100; ++round) {
    std::atomic<bool> finished{false};
    const std::jthread other([&] {
      finished = true;
      ranks.wake();
    });
    while (!finished && !deadline.expired()) ranks.park(deadline);
  }
  problems.check(!deadline.expired(), "a wake from another thread");
}

/// Calm parks may be as long as a second: without nudges, these rounds outlast all patience.
inline void nudge_ends_a_calm_park(Communicator& ranks, Problems& problems) {
  constexpr Tag tag{175};
  const Deadline deadline = patience();
  const auto hears = [&] {
    while (!deadline.expired()) {
      if (ranks.take(tag, 1)) return true;
      ranks.park(deadline, comm::Urgency::calm);
    }
    return false;
  };
  for (int round = 0; round < 200; ++round) {
    if (ranks.rank() == Rank{0} || hears()) {
      ranks.post(next(ranks), tag, Bytes(1));
      ranks.nudge(next(ranks));
    }
    if (ranks.rank() == Rank{0}) hears();
  }
  problems.check(!deadline.expired(), "200 rounds of a token that nobody waits for wide awake");
}

inline void withdrawn_receive_eats_nothing(Communicator& ranks, Problems& problems) {
  constexpr Tag tag{180};
  constexpr Tag go{181};
  const Bytes untouched(100);
  Bytes withdrawn = untouched;
  Bytes destroyed = untouched;
  {
    Transfer receiving = ranks.receive(previous(ranks), tag, withdrawn);
    problems.check(receiving.withdraw(), "nothing is on its way");
    problems.check(receiving.done(), "a withdrawn receive is over");
    const Transfer unfinished = ranks.receive(previous(ranks), tag, destroyed);
  }
  ranks.post(previous(ranks), go, {});
  receive_now(ranks, next(ranks), go, 0);
  ranks.post(next(ranks), tag, bytes_of(ranks.rank(), 5, 100));
  problems.check(receive_now(ranks, previous(ranks), tag, 100) == bytes_of(previous(ranks), 5, 100),
                 "the message after a withdrawn receive");
  problems.check(withdrawn == untouched && destroyed == untouched, "bytes of a withdrawn receive");
}

inline void keeps_bytes_until_done(Communicator& ranks, Problems& problems) {
  constexpr Tag tag{190};
  constexpr Tag go{191};
  constexpr std::size_t size = std::size_t{1} << 20;
  std::weak_ptr<const Bytes> watched;
  {
    const auto bytes = std::make_shared<const Bytes>(bytes_of(ranks.rank(), 0, size));
    watched = bytes;
    ranks.keep_until_done(ranks.send(next(ranks), tag, *bytes), bytes);
  }
  ranks.post(previous(ranks), go, {});
  receive_now(ranks, next(ranks), go, 0);
  problems.check(
      receive_now(ranks, previous(ranks), tag, size) == bytes_of(previous(ranks), 0, size),
      "kept bytes");
  problems.check(all_kept_end(ranks), "what was received is not kept");
  problems.check(watched.expired(), "the bytes are let go");
}

/// A transfer that fails while nobody waits for it is over, too.
inline void kept_failures_are_over(Communicator& ranks, Problems& problems) {
  constexpr Tag tag{200};
  const auto bytes = std::make_shared<Bytes>(10);
  ranks.keep_until_done(ranks.receive(previous(ranks), tag, *bytes), bytes);
  ranks.post(next(ranks), tag, Bytes(11));
  problems.check(all_kept_end(ranks), "a failed transfer is not kept");
}

inline void refused_tags_free_their_senders(Communicator& ranks, Problems& problems) {
  constexpr Tag tag{210};
  for (const std::size_t size : {std::size_t{10}, std::size_t{1} << 20}) {
    ranks.post(next(ranks), tag, Bytes(size));
  }
  ranks.refuse(tag);
  problems.check(all_kept_end(ranks), "refused messages do not hold their sender");
  // The previous rank's messages may still be on their way: refuse them until it is free.
  constexpr Tag free{211};
  ranks.post(next(ranks), free, {});
  Transfer sender_is_free = ranks.receive(previous(ranks), free, {});
  const Deadline deadline = patience();
  while (!sender_is_free.done() && !deadline.expired()) {
    ranks.collect_kept();
    ranks.park(Deadline::in(std::chrono::milliseconds(10)));
  }
  problems.check(sender_is_free.done(), "the sender of refused messages comes free");
}

inline void all_pairs(Communicator& ranks, Problems& problems) {
  constexpr Tag tag{220};
  constexpr int count = 12;
  constexpr std::uint64_t seed = 20;
  const auto size_of = [&](Rank from, Rank to, int index) {
    Random random(seed, Stream::test,
                  static_cast<std::uint32_t>(from.value() * ranks.size() + to.value()),
                  static_cast<std::uint32_t>(index));
    return static_cast<std::size_t>(random.below(std::uint64_t{1} << (4 + index)));
  };
  struct Expected {
    Rank from;
    int index;
    Bytes bytes;
    Transfer transfer;
  };
  std::deque<Expected> expected;
  for (int index = 0; index < count; ++index) {
    for (int peer = 0; peer < ranks.size(); ++peer) {
      const Rank other{peer};
      ranks.post(other, tag, bytes_of(ranks.rank(), index, size_of(ranks.rank(), other, index)));
      expected.push_back({other, index, Bytes(size_of(other, ranks.rank(), index)), Transfer()});
      expected.back().transfer = ranks.receive(other, tag, expected.back().bytes);
    }
  }
  for (Expected& message : expected) {
    wait(ranks, message.transfer, patience(), "one of all pairs");
    problems.check(
        message.bytes == bytes_of(message.from, message.index, message.bytes.size()),
        fmt::format("seed {}: message {} of rank {}", seed, message.index, message.from.value()));
  }
  problems.check(all_kept_end(ranks), "all sends end");
}

}  // namespace contract

inline const std::vector<ContractCase>& communicator_contract() {
  static const std::vector<ContractCase> cases{
      {"order_and_tags", contract::order_and_tags},
      {"receives_posted_ahead", contract::receives_posted_ahead},
      {"empty_messages", contract::empty_messages},
      {"large_messages", contract::large_messages},
      {"sends_to_itself", contract::sends_to_itself},
      {"takes_in_order_from_any_rank", contract::takes_in_order_from_any_rank},
      {"drops_what_is_too_large", contract::drops_what_is_too_large},
      {"refuses_a_wrong_size", contract::refuses_a_wrong_size},
      {"keeps_deadlines", contract::keeps_deadlines},
      {"wake_ends_a_park", contract::wake_ends_a_park},
      {"nudge_ends_a_calm_park", contract::nudge_ends_a_calm_park},
      {"withdrawn_receive_eats_nothing", contract::withdrawn_receive_eats_nothing},
      {"keeps_bytes_until_done", contract::keeps_bytes_until_done},
      {"kept_failures_are_over", contract::kept_failures_are_over},
      {"refused_tags_free_their_senders", contract::refused_tags_free_their_senders},
      {"all_pairs", contract::all_pairs},
  };
  return cases;
}

}  // namespace daig::test
