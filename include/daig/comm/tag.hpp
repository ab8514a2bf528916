#pragma once

/// Tags: what a message is about. A receive matches a send of exactly its tag.

#include <cstdint>

#include <daig/core/id.hpp>

namespace daig::comm {

/// Below 2^31, as MPI wants it. Messages of one (sender, receiver, tag) never overtake each other.
using Tag = Id<struct TagTag, std::uint32_t>;

/// Names one attempt of one exchange on the data plane (one ring all-reduce, one broadcast). Only
/// grows, and is never used twice, so that a message of an abandoned attempt finds no receive of a
/// later one.
using ExchangeId = Id<struct ExchangeTag, std::uint32_t>;

inline constexpr Tag to_coordinator{1};  ///< control plane, volunteer -> coordinator
inline constexpr Tag to_member{2};       ///< control plane, coordinator -> member of the view
inline constexpr Tag shard_data{3};      ///< data plane, pieces of a shard

/// The tag of an exchange. Repeats after 2^30 exchanges: at 1,000 steps a second, after 12 days
/// without a message that old having been received.
constexpr Tag tag_of(ExchangeId exchange) {
  constexpr std::uint32_t first = std::uint32_t{1} << 30;
  return Tag{first | (exchange.value() & (first - 1))};
}

}  // namespace daig::comm
