#pragma once

/// Broadcasts for those who have nothing else to do meanwhile.

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <daig/collective/chain_broadcast.hpp>
#include <daig/core/deadline.hpp>

namespace daig::collective {

/// A whole ChainBroadcast: every member's values become the root's. Collective over the view.
///
/// When it throws, its sends may go on reading the values for as long as the communicator lives.
/// @throws DeadlineExceeded, PeerLost
template <class T>
void broadcast(comm::Communicator& communicator, const comm::View& view, comm::ExchangeId exchange,
               Rank root, std::span<T> values, Deadline deadline, BroadcastOptions options = {});

/// Broadcasts a blob whose size only the root knows: returns the root's on every member. `blob`
/// counts at the root only; max_bytes, on each member, is checked before any memory is taken.
/// Cost: a broadcast of eight bytes, and one of the blob.
/// @throws DeadlineExceeded; PeerLost, also when the root's blob is larger than max_bytes.
inline std::vector<std::byte> broadcast_bytes(comm::Communicator& communicator,
                                              const comm::View& view, comm::ExchangeId exchange,
                                              Rank root, std::vector<std::byte> blob,
                                              std::size_t max_bytes, Deadline deadline,
                                              BroadcastOptions options = {});

// ---------------------------------------------------------------------------------------------

template <class T>
void broadcast(comm::Communicator& communicator, const comm::View& view, comm::ExchangeId exchange,
               Rank root, std::span<T> values, Deadline deadline, BroadcastOptions options) {
  static_assert(std::is_trivially_copyable_v<T>, "values travel as their bytes");
  ChainBroadcast chain(communicator, view, exchange, root, std::as_writable_bytes(values), options);
  while (!chain.poll()) {
    if (deadline.expired()) {
      throw DeadlineExceeded(fmt::format("gave up waiting for rank {}'s broadcast", root.value()));
    }
    communicator.park(deadline);
  }
}

inline std::vector<std::byte> broadcast_bytes(comm::Communicator& communicator,
                                              const comm::View& view, comm::ExchangeId exchange,
                                              Rank root, std::vector<std::byte> blob,
                                              std::size_t max_bytes, Deadline deadline,
                                              BroadcastOptions options) {
  const bool is_root = communicator.rank() == root;
  expects(!is_root || blob.size() <= max_bytes, "a blob of at most max_bytes");
  std::uint64_t size = blob.size();
  broadcast(communicator, view, exchange, root, std::span(&size, 1), deadline, options);
  if (size > max_bytes) {
    throw PeerLost(fmt::format("rank {} broadcasts {} bytes where at most {} are allowed",
                               root.value(), size, max_bytes));
  }
  if (!is_root) blob.resize(static_cast<std::size_t>(size));
  broadcast(communicator, view, exchange, root, std::span(blob), deadline, options);
  return blob;
}

}  // namespace daig::collective
