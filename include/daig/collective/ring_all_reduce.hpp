#pragma once

/// The ring all-reduce, as an object that is driven by polling.
///
/// Words. The n members of the view form a circle. The values are cut into n *chunks* (RingChunks),
/// each chunk into S *segments*. There are 2(n-1) *ring steps*; in step t member p sends chunk p-t
/// to member p+1 and receives chunk p-t-1 from member p-1 (all modulo n). In the first n-1 steps
/// (reduce-scatter) the receiver adds its own values to what it receives and passes the sum on; in
/// the other n-1 (all-gather) the finished sums go round. *Message* m = t*S + s carries segment s
/// of step t's chunk.
///
/// The steps overlap: message m waits for message m-S from the member before and for nothing else,
/// so that no member idles at the end of a step until the slowest link has come to it.

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include <daig/collective/detail/ring_plan.hpp>
#include <daig/collective/detail/transfer_window.hpp>
#include <daig/comm/communicator.hpp>
#include <daig/comm/tag.hpp>
#include <daig/comm/view.hpp>

namespace daig::collective {

/// How a ring all-reduce uses the network; the same on all members. No bit of the sum depends on
/// it.
struct RingOptions {
  std::size_t segment_bytes = std::size_t{256} << 10;
  std::size_t window = 4;             ///< sends, and receives, under way at a time
  std::optional<Rank> listener = {};  ///< no member of the view, but gets the sum (RingListener)
};

/// One attempt of one all-reduce: every member's `out` becomes the sum of all members' `in`, the
/// same bits everywhere and every time, in the order of additions of ring_sum_reference.
///
/// Every member of the view makes one, with the same view, exchange and length, and polls it until
/// it is done. `in` and `out` are the same (in place) or disjoint; when disjoint, `in` is only
/// read, so that a failed attempt changes nothing. An empty `in` stands for zeros: such a member
/// adds nothing and passes on what it receives.
///
/// Cost: a member sends and receives 2(n-1) * S messages with 2(n-1)/n * length values, and adds
/// (n-1)/n * length times; memory: window * segment_bytes. For a listener it sends S messages more
/// with length/n values, which nobody in the ring waits for.
/// Source: Patarasuk, Yuan, "Bandwidth optimal all-reduce algorithms for clusters of workstations",
/// J. Parallel Distrib. Comput. 69 (2009).
template <std::floating_point T>
class RingAllReduce {
 public:
  RingAllReduce(comm::Communicator& communicator, const comm::View& view, comm::ExchangeId exchange,
                std::span<const T> in, std::span<T> out, RingOptions options = {});

  /// Does what can be done now, without blocking; true when the sum is there. Call it after every
  /// park. @throws PeerLost when a member broke the protocol: the attempt must be abandoned.
  bool poll();

  bool done() const {
    return receives_.ended() == plan_.messages() && sends_.ended() == plan_.messages();
  }

  /// Whether the listener, too, has all that it is to get from here: until then, `out` must stay as
  /// it is. To be polled for, or left to the communicator.
  bool told() const { return tells_.ended() == to_tell_; }

  /// Once done: what the listener does not have yet goes on by itself; the communicator keeps
  /// `out`, by its owner, until it has. Not to be polled again.
  void leave_listener(const std::shared_ptr<const void>& out);

  /// Gives the attempt up. Receives are withdrawn; what still touches the buffers is kept by the
  /// communicator, and `buffers` (the owner of `in` and `out`) with it; late messages of the
  /// exchange are refused, so that the other members' buffers come free. Not to be polled again.
  ///
  /// Without this, the sends of a destroyed attempt go on reading `in` and `out`.
  void abandon(std::shared_ptr<const void> buffers);

 private:
  bool advance();
  bool adds(std::size_t message) const { return plan_.reduces(message) && !in_.empty(); }
  comm::Transfer start_receive(std::size_t message);
  comm::Transfer start_send(std::size_t message);
  comm::Transfer start_tell(std::size_t segment);
  void take_in(std::size_t message);
  std::span<T> scratch(std::size_t message, std::size_t size);

  comm::Communicator& communicator_;
  comm::Tag tag_;
  std::span<const T> in_;
  std::span<T> out_;
  Rank next_;
  Rank previous_;
  detail::RingPlan plan_;
  std::size_t window_;
  std::optional<Rank> listener_;
  std::size_t to_tell_;  ///< segments
  /// Where partial sums arrive, a slot for each receive of the window. When not in place `out`
  /// itself would do; but a partial sum that is added to while it is in the cache, and written
  /// once, is faster, and this way both cases are one. It outlives the receives below.
  std::shared_ptr<T[]> scratch_;
  detail::TransferWindow receives_;
  detail::TransferWindow sends_;
  detail::TransferWindow tells_;  ///< sends to the listener
};

// ---------------------------------------------------------------------------------------------

namespace detail {

template <class T>
bool same_or_disjoint(std::span<const T> a, std::span<const T> b) {
  const std::less_equal<const T*> ends_before;
  return a.data() == b.data() || ends_before(a.data() + a.size(), b.data()) ||
         ends_before(b.data() + b.size(), a.data());
}

inline std::size_t position_in(const comm::View& view, Rank rank) {
  const auto position = view.position(rank);
  expects(position.has_value(), "a member of the view");
  return *position;
}

}  // namespace detail

template <std::floating_point T>
RingAllReduce<T>::RingAllReduce(comm::Communicator& communicator, const comm::View& view,
                                comm::ExchangeId exchange, std::span<const T> in, std::span<T> out,
                                RingOptions options)
    : communicator_(communicator),
      tag_(comm::tag_of(exchange)),
      in_(in),
      out_(out),
      plan_({out.size(), view.size()}, detail::position_in(view, communicator.rank()),
            std::max<std::size_t>(1, options.segment_bytes / sizeof(T))),
      window_(options.window),
      listener_(options.listener),
      to_tell_(listener_ ? plan_.segments() : 0),
      receives_(options.window),
      sends_(options.window),
      tells_(options.window) {
  expects(!listener_ || !view.position(*listener_), "a listener from outside the view");
  expects(in.size() == out.size() || in.empty(), "as many values in as out, or none");
  expects(detail::same_or_disjoint<T>(in, out), "`in` and `out` the same or disjoint");
  const std::size_t members = view.size();
  const std::size_t position = *view.position(communicator.rank());
  next_ = view.members[(position + 1) % members];
  previous_ = view.members[(position + members - 1) % members];
  scratch_ = std::make_shared_for_overwrite<T[]>(window_ * plan_.largest());
  if (members == 1 && in.empty()) std::ranges::fill(out, T{0});
  if (members == 1 && in.data() != out.data()) std::ranges::copy(in, out.begin());
}

/// At most `window` rounds, so that the caller comes to its other duties; the wake makes its next
/// park return, as more may be ready already.
template <std::floating_point T>
bool RingAllReduce<T>::poll() {
  for (std::size_t round = 0; round < window_; ++round) {
    if (!advance()) return done();
  }
  communicator_.wake();
  return done();
}

template <std::floating_point T>
bool RingAllReduce<T>::advance() {
  bool advanced = false;
  if (receives_.end_one()) {
    take_in(receives_.ended() - 1);
    advanced = true;
  }
  while (sends_.end_one()) advanced = true;
  while (tells_.end_one()) advanced = true;
  const auto room = [](const detail::TransferWindow& window, std::size_t messages) {
    return !window.full() && window.started() < messages;
  };
  while (room(receives_, plan_.messages()) &&
         plan_.may_receive(receives_.started(), sends_.ended())) {
    receives_.start(start_receive(receives_.started()));
    advanced = true;
  }
  while (room(sends_, plan_.messages()) && plan_.may_send(sends_.started(), receives_.ended())) {
    sends_.start(start_send(sends_.started()));
    advanced = true;
  }
  while (room(tells_, to_tell_) && plan_.is_finished(tells_.started(), receives_.ended())) {
    tells_.start(start_tell(tells_.started()));
    advanced = true;
  }
  return advanced;
}

template <std::floating_point T>
comm::Transfer RingAllReduce<T>::start_receive(std::size_t message) {
  const Slice at = plan_.received(message);
  if (at.size == 0) return comm::Transfer();
  const std::span<T> into =
      adds(message) ? scratch(message, at.size) : out_.subspan(at.begin, at.size);
  return communicator_.receive(previous_, tag_, std::as_writable_bytes(into));
}

template <std::floating_point T>
comm::Transfer RingAllReduce<T>::start_send(std::size_t message) {
  const Slice at = plan_.sent(message);
  if (at.size == 0) return comm::Transfer();
  const bool zeros = plan_.sends_own(message) && in_.empty();
  if (zeros) std::ranges::fill(out_.subspan(at.begin, at.size), T{0});
  const std::span<const T> values = plan_.sends_own(message) && !zeros ? in_ : out_;
  return communicator_.send(next_, tag_, std::as_bytes(values.subspan(at.begin, at.size)));
}

template <std::floating_point T>
comm::Transfer RingAllReduce<T>::start_tell(std::size_t segment) {
  const Slice at = plan_.finished(segment);
  if (at.size == 0) return comm::Transfer();
  return communicator_.send(*listener_, tag_, std::as_bytes(out_.subspan(at.begin, at.size)));
}

/// Two loops rather than one: each is free of overlaps, which the compiler can see and vectorise.
template <std::floating_point T>
void RingAllReduce<T>::take_in(std::size_t message) {
  if (!adds(message)) return;
  const Slice at = plan_.received(message);
  const T* partial = scratch(message, at.size).data();
  const T* own = in_.data() + at.begin;
  T* sum = out_.data() + at.begin;
  if (own == sum) {
    for (std::size_t i = 0; i < at.size; ++i) sum[i] += partial[i];
  } else {
    for (std::size_t i = 0; i < at.size; ++i) sum[i] = own[i] + partial[i];
  }
}

template <std::floating_point T>
std::span<T> RingAllReduce<T>::scratch(std::size_t message, std::size_t size) {
  return {scratch_.get() + message % window_ * plan_.largest(), size};
}

template <std::floating_point T>
void RingAllReduce<T>::leave_listener(const std::shared_ptr<const void>& out) {
  expects(done(), "the sum to be there");
  while (tells_.started() < to_tell_) tells_.start(start_tell(tells_.started()));
  tells_.abandon(communicator_, out);
}

template <std::floating_point T>
void RingAllReduce<T>::abandon(std::shared_ptr<const void> buffers) {
  const auto all = std::make_shared<std::pair<std::shared_ptr<T[]>, std::shared_ptr<const void>>>(
      scratch_, std::move(buffers));
  receives_.abandon(communicator_, all);
  sends_.abandon(communicator_, all);
  tells_.abandon(communicator_, all);
  communicator_.refuse(tag_);
}

}  // namespace daig::collective
