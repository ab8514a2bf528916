#pragma once

/// The broadcast, as an object that is driven by polling.
///
/// A pipelined chain: the root sends segments to the member after it, which passes them on, and so
/// on round the view. Not a binomial tree, whose root sends everything log2(n) times: over a
/// network the root's link is the limit, and the chain's root sends once. Within one machine there
/// is no such link, and a tree would be the faster one (measured with 7 ranks on 2 cores: 0.5 ms
/// instead of 1.1 ms for 1 MB, 56 ms instead of 71 ms for 64 MB); but weights travel to where
/// volunteers are.

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include <daig/collective/detail/transfer_window.hpp>
#include <daig/comm/communicator.hpp>
#include <daig/comm/tag.hpp>
#include <daig/comm/view.hpp>

namespace daig::collective {

/// How a broadcast uses the network; the same segment size on all members.
struct BroadcastOptions {
  std::size_t segment_bytes = std::size_t{256} << 10;
  std::size_t window = 4;  ///< sends, and receives, under way at a time
};

/// One attempt of one broadcast: every member's bytes become the root's. Every member of the view
/// makes one, with the same view, exchange, root and number of bytes, and polls it to its end.
///
/// Cost: each byte is received once by every member but the root, and sent once by every member but
/// the last.
class ChainBroadcast {
 public:
  ChainBroadcast(comm::Communicator& communicator, const comm::View& view,
                 comm::ExchangeId exchange, Rank root, std::span<std::byte> bytes,
                 BroadcastOptions options = {});

  /// Does what can be done now, without blocking; true when this member has everything and has
  /// passed it on. @throws PeerLost when a member broke the protocol.
  bool poll();

  bool done() const { return receives_.ended() == to_receive_ && sends_.ended() == to_send_; }

  /// Gives the attempt up, as RingAllReduce does; `buffer` owns the bytes.
  void abandon(const std::shared_ptr<const void>& buffer);

 private:
  bool advance();
  std::span<std::byte> segment(std::size_t index) const;

  comm::Communicator& communicator_;
  comm::Tag tag_;
  std::span<std::byte> bytes_;
  std::size_t segment_bytes_;
  std::size_t window_;
  Rank previous_;
  Rank next_;
  std::size_t to_receive_ = 0;  ///< segments; none at the root
  std::size_t to_send_ = 0;     ///< none at the end of the chain
  detail::TransferWindow receives_;
  detail::TransferWindow sends_;
};

// ---------------------------------------------------------------------------------------------

inline ChainBroadcast::ChainBroadcast(comm::Communicator& communicator, const comm::View& view,
                                      comm::ExchangeId exchange, Rank root,
                                      std::span<std::byte> bytes, BroadcastOptions options)
    : communicator_(communicator),
      tag_(comm::tag_of(exchange)),
      bytes_(bytes),
      segment_bytes_(options.segment_bytes),
      window_(options.window),
      receives_(options.window),
      sends_(options.window) {
  expects(segment_bytes_ > 0, "segments of at least a byte");
  const std::optional<std::size_t> position = view.position(communicator.rank());
  const std::optional<std::size_t> root_position = view.position(root);
  expects(position && root_position, "a member of the view, and a root that is one, too");
  const std::size_t members = view.size();
  previous_ = view.members[(*position + members - 1) % members];
  next_ = view.members[(*position + 1) % members];
  const std::size_t segments = (bytes.size() + segment_bytes_ - 1) / segment_bytes_;
  if (*position != *root_position) to_receive_ = segments;
  if (next_ != root) to_send_ = segments;
}

inline bool ChainBroadcast::poll() {
  for (std::size_t round = 0; round < window_; ++round) {
    if (!advance()) return done();
  }
  communicator_.wake();  // more may be ready: the caller's next park returns at once
  return done();
}

inline bool ChainBroadcast::advance() {
  bool advanced = false;
  while (receives_.end_one()) advanced = true;
  while (sends_.end_one()) advanced = true;
  while (!receives_.full() && receives_.started() < to_receive_) {
    receives_.start(communicator_.receive(previous_, tag_, segment(receives_.started())));
    advanced = true;
  }
  const std::size_t present = to_receive_ == 0 ? to_send_ : receives_.ended();
  while (!sends_.full() && sends_.started() < std::min(to_send_, present)) {
    sends_.start(communicator_.send(next_, tag_, segment(sends_.started())));
    advanced = true;
  }
  return advanced;
}

inline std::span<std::byte> ChainBroadcast::segment(std::size_t index) const {
  const std::size_t begin = index * segment_bytes_;
  return bytes_.subspan(begin, std::min(segment_bytes_, bytes_.size() - begin));
}

inline void ChainBroadcast::abandon(const std::shared_ptr<const void>& buffer) {
  receives_.abandon(communicator_, buffer);
  sends_.abandon(communicator_, buffer);
  communicator_.refuse(tag_);
}

}  // namespace daig::collective
