#pragma once

/// Cases of the broadcast that every backend runs, each on all ranks of a communicator.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

#include <fmt/format.h>

#include <daig/collective/broadcast.hpp>

#include "support/ranks.hpp"

namespace daig::test {

/// Every root, lengths around a segment and a window, a view in another order.
inline void broadcasts_reach_everyone(comm::Communicator& ranks, Problems& problems) {
  comm::View view = comm::view_of_all(ranks.size());
  std::rotate(view.members.begin(), view.members.begin() + ranks.size() / 2, view.members.end());
  comm::ExchangeId exchange{1};
  for (const Rank root : view.members) {
    for (const std::size_t length : {0U, 1U, 249U, 250U, 251U, 1000U, 1001U, 100'003U}) {
      for (const collective::BroadcastOptions options :
           {collective::BroadcastOptions{1000, 4}, {1000, 1}, {64 << 10, 2}, {}}) {
        std::vector<std::int32_t> expected(length);
        std::iota(expected.begin(), expected.end(), root.value());
        std::vector<std::int32_t> values = expected;
        if (ranks.rank() != root) values.assign(length, -1);
        collective::broadcast(ranks, view, exchange, root, std::span(values), patience(), options);
        exchange = exchange.next();
        problems.check(values == expected,
                       fmt::format("{} values of rank {}, segments of {} bytes", length,
                                   root.value(), options.segment_bytes));
      }
    }
  }
}

inline void blobs_bring_their_size(comm::Communicator& ranks, Problems& problems) {
  const comm::View view = comm::view_of_all(ranks.size());
  const Rank root{ranks.size() - 1};
  comm::ExchangeId exchange{10'000};
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{1} << 20}) {
    const std::vector<std::byte> blob(size, std::byte{42});
    const auto got = collective::broadcast_bytes(
        ranks, view, exchange, root, ranks.rank() == root ? blob : std::vector<std::byte>(3), size,
        patience());
    exchange = exchange.next();
    problems.check(got == blob, fmt::format("a blob of {} bytes", size));
  }
}

/// The limit is each member's own: the root believes in more than the others allow.
inline void blobs_have_a_limit(comm::Communicator& ranks, Problems& problems) {
  const comm::View view = comm::view_of_all(ranks.size());
  constexpr comm::ExchangeId exchange{20'000};
  if (ranks.rank() == Rank{0}) {
    collective::broadcast_bytes(ranks, view, exchange, Rank{0}, std::vector<std::byte>(101), 101,
                                patience());
    problems.check_throws<ContractViolation>(
        [&] {
          collective::broadcast_bytes(ranks, view, exchange.next(), Rank{0},
                                      std::vector<std::byte>(101), 100, patience());
        },
        "the root's own limit");
    return;
  }
  problems.check_throws<PeerLost>(
      [&] { collective::broadcast_bytes(ranks, view, exchange, Rank{0}, {}, 100, patience()); },
      "101 bytes where 100 are allowed");
}

inline void a_silent_root_meets_the_deadline(comm::Communicator& ranks, Problems& problems) {
  if (ranks.rank() == Rank{0}) return;
  const comm::View view = comm::view_of_all(ranks.size());
  std::vector<float> values(10);
  problems.check_throws<DeadlineExceeded>(
      [&] {
        collective::broadcast(ranks, view, comm::ExchangeId{30'000}, Rank{0}, std::span(values),
                              Deadline::in(std::chrono::milliseconds(5)));
      },
      "the root sends nothing");
}

}  // namespace daig::test
