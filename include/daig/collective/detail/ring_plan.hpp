#pragma once

/// Which message of a ring all-reduce carries what, and what it has to wait for. The words are
/// those of ring_all_reduce.hpp.

#include <algorithm>
#include <cstddef>

#include <daig/collective/ring_chunks.hpp>

namespace daig::collective::detail {

/// The messages of one member, 0 ... messages()-1 in each direction; message m = t*S + s.
class RingPlan {
 public:
  /// For the member at this position; segments hold at most `segment` values.
  RingPlan(RingChunks chunks, std::size_t position, std::size_t segment);

  /// How many messages are sent, and as many received: 2(n-1) * S.
  std::size_t messages() const { return 2 * gather_begin_; }
  /// Whether a received message is a partial sum, to be added to; the others are finished sums.
  bool reduces(std::size_t message) const { return message < gather_begin_; }
  /// Whether a sent message holds the member's own values; the others pass on what came in.
  bool sends_own(std::size_t message) const { return message < segments_; }

  /// The values of a message, among all values.
  Slice sent(std::size_t message) const { return slice(position_, message); }
  Slice received(std::size_t message) const {
    return slice(position_ + chunks_.members - 1, message);
  }
  /// A segment of the chunk with which the reduce-scatter ends at a member, finished.
  Slice finished_by(std::size_t position, std::size_t segment) const {
    return slice(position + 1, segment);
  }
  Slice finished(std::size_t segment) const { return finished_by(position_, segment); }
  std::size_t segments() const { return segments_; }
  /// Values in the largest message.
  std::size_t largest() const { return std::min(segment_, chunks_.largest()); }

  /// What is sent on came in one ring step before.
  bool may_send(std::size_t message, std::size_t receives_ended) const {
    return sends_own(message) || message - segments_ < receives_ended;
  }
  /// A finished sum comes to where its partial sum was sent from, n-1 ring steps before.
  bool may_receive(std::size_t message, std::size_t sends_ended) const {
    return reduces(message) || message - gather_begin_ < sends_ended;
  }
  /// The finished chunk comes in with the last ring step of the reduce-scatter.
  bool is_finished(std::size_t segment, std::size_t receives_ended) const {
    return chunks_.members == 1 || gather_begin_ - segments_ + segment < receives_ended;
  }

 private:
  Slice slice(std::size_t sender, std::size_t message) const;

  RingChunks chunks_;
  std::size_t position_;
  std::size_t segment_;
  std::size_t segments_;      ///< S
  std::size_t gather_begin_;  ///< the first message of the all-gather, (n-1) * S
};

// ---------------------------------------------------------------------------------------------

inline RingPlan::RingPlan(RingChunks chunks, std::size_t position, std::size_t segment)
    : chunks_(chunks),
      position_(position),
      segment_(segment),
      segments_((chunks.largest() + segment - 1) / segment),
      gather_begin_((chunks.members - 1) * segments_) {}

inline Slice RingPlan::slice(std::size_t sender, std::size_t message) const {
  const std::size_t step = message / segments_;
  const std::size_t members = chunks_.members;
  const Slice chunk = chunks_.chunk((sender + 2 * members - step) % members);
  const std::size_t offset = std::min(message % segments_ * segment_, chunk.size);
  return {chunk.begin + offset, std::min(segment_, chunk.size - offset)};
}

}  // namespace daig::collective::detail
