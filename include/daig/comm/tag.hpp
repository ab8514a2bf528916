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

/// What ranks tell rank 0 of themselves (GrowingCommunicator). Those below are for programs of
/// their own.
inline constexpr Tag door_tag{1023};

/// The tags of one session. Sessions that follow each other on a communicator do not hear each
/// other: neither a rank that is ahead, nor the last words of one that failed.
class Channel {
 public:
  constexpr explicit Channel(std::uint32_t number) : number_(number) {}

  constexpr Tag to_coordinator() const { return tag(0); }  ///< control plane, member -> coordinator
  constexpr Tag to_member() const { return tag(1); }       ///< control plane, coordinator -> member
  constexpr Tag shard_data() const { return tag(2); }      ///< data plane, pieces of a shard
  /// Where a session's exchanges begin to count. Another session's are a million further on.
  constexpr ExchangeId first_exchange() const { return ExchangeId{(number_ << 20) + 1}; }

 private:
  constexpr Tag tag(std::uint32_t kind) const {
    return Tag{first_session_tag + 4 * (number_ % (std::uint32_t{1} << 24)) + kind};
  }
  static constexpr std::uint32_t first_session_tag = 1024;

  std::uint32_t number_;
};

/// The tag of an exchange. Repeats after 2^30 exchanges: at 1,000 steps a second, after 12 days
/// without a message that old having been received.
constexpr Tag tag_of(ExchangeId exchange) {
  constexpr std::uint32_t first = std::uint32_t{1} << 30;
  return Tag{first | (exchange.value() & (first - 1))};
}

}  // namespace daig::comm
