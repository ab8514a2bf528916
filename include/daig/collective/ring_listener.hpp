#pragma once

/// The listener's side of a ring all-reduce: gets the sum without being in the circle.

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <memory>
#include <span>

#include <daig/collective/detail/ring_plan.hpp>
#include <daig/collective/detail/transfer_window.hpp>
#include <daig/collective/ring_all_reduce.hpp>
#include <daig/comm/communicator.hpp>
#include <daig/comm/tag.hpp>
#include <daig/comm/view.hpp>

namespace daig::collective {

/// One attempt: `out` becomes the sum that the view's members all-reduce in this exchange, bit for
/// bit. They name this rank as RingOptions::listener; view, length and options are theirs. Used
/// like a RingAllReduce. For one who has nothing to add and would only pass on what others wait
/// for. May sleep until a member says that it has the sum: none waits for it before.
///
/// Cost: receives n * S messages, each value once, and sends none; a member of the ring receives
/// nearly twice as much, and sends as much.
template <std::floating_point T>
class RingListener {
 public:
  RingListener(comm::Communicator& communicator, const comm::View& view, comm::ExchangeId exchange,
               std::span<T> out, RingOptions options = {});

  /// As RingAllReduce::poll.
  bool poll();

  bool done() const { return receives_.ended() == messages_; }

  /// As RingAllReduce::abandon; `buffer` owns `out`.
  void abandon(const std::shared_ptr<const void>& buffer);

 private:
  bool advance();
  comm::Transfer start_receive(std::size_t message);

  comm::Communicator& communicator_;
  comm::Tag tag_;
  comm::View view_;
  std::span<T> out_;
  detail::RingPlan plan_;
  std::size_t messages_;
  std::size_t window_;
  detail::TransferWindow receives_;
};

// ---------------------------------------------------------------------------------------------

template <std::floating_point T>
RingListener<T>::RingListener(comm::Communicator& communicator, const comm::View& view,
                              comm::ExchangeId exchange, std::span<T> out, RingOptions options)
    : communicator_(communicator),
      tag_(comm::tag_of(exchange)),
      view_(view),
      out_(out),
      plan_({out.size(), view.size()}, 0,
            std::max<std::size_t>(1, options.segment_bytes / sizeof(T))),
      messages_(view.size() * plan_.segments()),
      window_(options.window * view.size()),
      receives_(window_) {
  expects(!view.position(communicator.rank()), "a listener from outside the view");
}

/// The rounds are bounded, as a RingAllReduce's.
template <std::floating_point T>
bool RingListener<T>::poll() {
  for (std::size_t round = 0; round < window_; ++round) {
    if (!advance()) return done();
  }
  communicator_.wake();
  return done();
}

template <std::floating_point T>
bool RingListener<T>::advance() {
  bool advanced = false;
  while (receives_.end_one()) advanced = true;
  while (!receives_.full() && receives_.started() < messages_) {
    receives_.start(start_receive(receives_.started()));
    advanced = true;
  }
  return advanced;
}

/// Message m is segment m / n of the chunk that member m % n finishes.
template <std::floating_point T>
comm::Transfer RingListener<T>::start_receive(std::size_t message) {
  const std::size_t member = message % view_.size();
  const Slice at = plan_.finished_by(member, message / view_.size());
  if (at.size == 0) return comm::Transfer();
  return communicator_.receive(view_.members[member], tag_,
                               std::as_writable_bytes(out_.subspan(at.begin, at.size)));
}

template <std::floating_point T>
void RingListener<T>::abandon(const std::shared_ptr<const void>& buffer) {
  receives_.abandon(communicator_, buffer);
  communicator_.refuse(tag_);
}

}  // namespace daig::collective
