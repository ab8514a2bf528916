#pragma once

/// The all-reduce for those who have nothing else to do meanwhile.

#include <span>

#include <daig/collective/ring_all_reduce.hpp>
#include <daig/core/deadline.hpp>

namespace daig::collective {

/// A whole RingAllReduce: the sum of all members' `in`, in every member's `out`. Collective over
/// the view, and the listener, if there is one, has to listen.
///
/// When it throws, its sends may go on reading `in` and `out` for as long as the communicator
/// lives; who wants to try again uses RingAllReduce and abandons it.
/// @throws DeadlineExceeded, PeerLost
template <std::floating_point T>
void all_reduce(comm::Communicator& communicator, const comm::View& view, comm::ExchangeId exchange,
                std::span<const T> in, std::span<T> out, Deadline deadline,
                RingOptions options = {});

// ---------------------------------------------------------------------------------------------

template <std::floating_point T>
void all_reduce(comm::Communicator& communicator, const comm::View& view, comm::ExchangeId exchange,
                std::span<const T> in, std::span<T> out, Deadline deadline, RingOptions options) {
  RingAllReduce<T> ring(communicator, view, exchange, in, out, options);
  while (!ring.poll() || !ring.told()) {
    if (deadline.expired()) throw DeadlineExceeded("gave up waiting for the other members' sums");
    communicator.park(deadline);
  }
}

}  // namespace daig::collective
