#pragma once

/// Cases of the all-reduce that every backend runs, each on all ranks of a communicator.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>

#include <daig/collective/all_reduce.hpp>
#include <daig/collective/naive_all_reduce.hpp>
#include <daig/collective/ring_listener.hpp>
#include <daig/collective/ring_sum_reference.hpp>
#include <daig/core/random.hpp>

#include "support/ranks.hpp"

namespace daig::test {

using collective::RingAllReduce;
using collective::RingOptions;
using comm::Communicator;
using comm::ExchangeId;
using comm::View;

inline constexpr std::uint64_t all_reduce_seed = 7;

/// Each rank's own exchange ids, the same sequence everywhere.
class Exchanges {
 public:
  ExchangeId operator()() { return next_ = next_.next(); }

 private:
  ExchangeId next_{0};
};

/// 0, 1, around the number of members, and lengths of several segments.
inline std::vector<std::size_t> lengths(std::size_t members) {
  return {0, 1, members - 1, members, members + 1, 1000, 100'003};
}

/// All ranks; all in another order; all but rank 0, backwards.
inline std::vector<View> views(int size) {
  std::vector<View> all{comm::view_of_all(size)};
  View shuffled = all.front();
  Random random(all_reduce_seed, Stream::test);
  shuffle(shuffled.members, random);
  all.push_back(shuffled);
  if (size > 1) {
    View part = all.front();
    part.members.erase(part.members.begin());
    std::ranges::reverse(part.members);
    all.push_back(part);
  }
  return all;
}

/// Small integers, whose sums are exact in every order.
template <class T>
std::vector<T> exact_input(Rank rank, std::size_t length) {
  std::vector<T> values(length);
  for (std::size_t i = 0; i < length; ++i) {
    values[i] = static_cast<T>((i * 7 + static_cast<std::size_t>(rank.value()) * 13) % 101) - 50;
  }
  return values;
}

/// Values of many magnitudes, whose sums depend on the order.
template <class T>
std::vector<T> rough_input(Rank rank, std::size_t length) {
  Random random(all_reduce_seed, Stream::test, static_cast<std::uint32_t>(rank.value()));
  std::vector<T> values(length);
  for (T& value : values) {
    const double magnitude = std::exp2(static_cast<double>(random.below(30)));
    value = static_cast<T>(random.uniform(-1, 1) * magnitude);
  }
  return values;
}

template <class T>
bool same_bits(std::span<const T> a, std::span<const T> b) {
  return std::ranges::equal(std::as_bytes(a), std::as_bytes(b));
}

template <class T>
std::vector<T> ring_sum(const View& view, std::size_t length) {
  std::vector<std::vector<T>> inputs;
  for (const Rank member : view.members) inputs.push_back(rough_input<T>(member, length));
  std::vector<T> sum(length);
  collective::ring_sum_reference<T>({inputs.begin(), inputs.end()}, sum);
  return sum;
}

/// Against the naive all-reduce, for sums that are exact.
template <class T>
void agrees_with_naive(Communicator& ranks, const View& view, std::size_t length,
                       Exchanges& exchange, Problems& problems) {
  const std::vector<T> in = exact_input<T>(ranks.rank(), length);
  std::vector<T> naive(length);
  std::vector<T> out(length);
  collective::naive_all_reduce<T>(ranks, view, exchange(), in, naive, patience());
  collective::all_reduce<T>(ranks, view, exchange(), in, out, patience());
  problems.check(out == naive, fmt::format("length {}: not the naive sum", length));
  problems.check(in == exact_input<T>(ranks.rank(), length), "`in` is only read");
  std::vector<T> in_place = in;
  collective::all_reduce<T>(ranks, view, exchange(), in_place, in_place, patience());
  problems.check(in_place == naive, fmt::format("length {}: in place, not the naive sum", length));
}

/// Against the serial reference, bit for bit, however the values are cut into segments.
template <class T>
void has_the_reference_bits(Communicator& ranks, const View& view, std::size_t length,
                            Exchanges& exchange, Problems& problems) {
  const std::vector<T> expected = ring_sum<T>(view, length);
  const std::vector<T> in = rough_input<T>(ranks.rank(), length);
  const std::size_t some = length > 10'000 ? 40'000 : 64;
  for (const RingOptions options :
       {RingOptions{}, RingOptions{some, 1}, RingOptions{some + 1, 3}, RingOptions{1 << 20, 16}}) {
    const std::string what =
        fmt::format("seed {}, length {}, segments of {} bytes, window {}", all_reduce_seed, length,
                    options.segment_bytes, options.window);
    std::vector<T> out(length);
    collective::all_reduce<T>(ranks, view, exchange(), in, out, patience(), options);
    problems.check(same_bits<T>(out, expected), what);
    std::vector<T> in_place = in;
    collective::all_reduce<T>(ranks, view, exchange(), in_place, in_place, patience(), options);
    problems.check(same_bits<T>(in_place, expected), what + ", in place");
  }
}

/// Members that bring nothing: none, some, all but one, all.
template <class T>
void may_bring_nothing(Communicator& ranks, const View& view, std::size_t length,
                       Exchanges& exchange, Problems& problems) {
  for (const std::size_t every : {view.size() + 1, view.size(), std::size_t{2}, std::size_t{1}}) {
    // With `every` above the number of members all bring something; with 1 nobody does.
    const auto brings = [&](std::size_t member) { return (member + 1) % every != 0; };
    std::vector<std::vector<T>> inputs(view.size());
    for (std::size_t member = 0; member < view.size(); ++member) {
      if (brings(member)) inputs[member] = rough_input<T>(view.members[member], length);
    }
    std::vector<T> expected(length);
    collective::ring_sum_reference<T>({inputs.begin(), inputs.end()}, expected);
    const std::vector<T>& in = inputs[*view.position(ranks.rank())];
    std::vector<T> out(length, T{-1});
    collective::all_reduce<T>(ranks, view, exchange(), in, out, patience(), {64, 3});
    problems.check(same_bits<T>(out, expected),
                   fmt::format("seed {}, length {}, every {}th member brings nothing",
                               all_reduce_seed, length, every));
  }
}

/// The sum, of a member that does not wait until the listener has it, too.
template <class T>
std::vector<T> sum_of_the_hasty(Communicator& ranks, const View& ring, ExchangeId id,
                                const std::vector<T>& in, std::size_t length, RingOptions options) {
  const auto out = std::make_shared<std::vector<T>>(length, T{-1});
  collective::RingAllReduce<T> part(ranks, ring, id, in, *out, options);
  const Deadline deadline = patience();
  while (!part.poll()) {
    expects(!deadline.expired(), "the other members' sums");
    ranks.park(deadline);
  }
  part.leave_listener(out);
  return *out;
}

/// Rank 0 listens to the ring of all others, the last of whom brings nothing.
template <class T>
void listeners_hear_the_sum(Communicator& ranks, Problems& problems) {
  if (ranks.size() < 2) return;
  View ring = comm::view_of_all(ranks.size());
  ring.members.erase(ring.members.begin());
  Exchanges exchange;
  for (const std::size_t length : lengths(ring.size())) {
    std::vector<std::vector<T>> inputs;
    for (const Rank member : ring.members) inputs.push_back(rough_input<T>(member, length));
    if (inputs.size() > 1) inputs.back().clear();
    std::vector<T> expected(length);
    collective::ring_sum_reference<T>({inputs.begin(), inputs.end()}, expected);
    for (RingOptions options : {RingOptions{}, RingOptions{40, 1}, RingOptions{1000, 3}}) {
      if (length > 1000 && options.segment_bytes < 1000) continue;
      options.listener = Rank{0};
      const ExchangeId id = exchange();
      std::vector<T> out(length, T{-1});
      if (ranks.rank() == options.listener) {
        collective::RingListener<T> listener(ranks, ring, id, out, options);
        const Deadline deadline = patience();
        while (!listener.poll() && !deadline.expired()) ranks.park(deadline);
      } else if (const std::vector<T>& in = inputs[*ring.position(ranks.rank())];
                 id.value() % 2 == 0) {
        out = sum_of_the_hasty<T>(ranks, ring, id, in, length, options);
      } else {
        collective::all_reduce<T>(ranks, ring, id, in, out, patience(), options);
      }
      problems.check(same_bits<T>(out, expected),
                     fmt::format("seed {}, length {}, segments of {} bytes", all_reduce_seed,
                                 length, options.segment_bytes));
    }
  }
}

template <class T>
void all_reduce_is_right(Communicator& ranks, Problems& problems) {
  Exchanges exchange;
  for (const View& view : views(ranks.size())) {
    if (!view.position(ranks.rank())) continue;
    for (const std::size_t length : lengths(view.size())) {
      agrees_with_naive<T>(ranks, view, length, exchange, problems);
      has_the_reference_bits<T>(ranks, view, length, exchange, problems);
      if (length <= 1000) may_bring_nothing<T>(ranks, view, length, exchange, problems);
    }
  }
}

/// An exchange may follow another at once, with all members in different ones for a while.
inline void exchanges_follow_each_other(Communicator& ranks, Problems& problems) {
  const View view = comm::view_of_all(ranks.size());
  const std::vector<float> expected = ring_sum<float>(view, 5000);
  const std::vector<float> in = rough_input<float>(ranks.rank(), 5000);
  std::vector<float> out(in.size());
  for (std::uint32_t round = 0; round < 50; ++round) {
    collective::all_reduce<float>(ranks, view, ExchangeId{1000 + round}, in, out, patience(),
                                  {1024, 2});
    problems.check(same_bits<float>(out, expected), fmt::format("round {}", round));
  }
}

/// A member that never takes part: the others abandon the attempt, and succeed in a smaller view.
inline void abandoned_attempts_leave_no_trace(Communicator& ranks, Problems& problems) {
  if (ranks.size() < 2) return;
  constexpr std::size_t length = 300'000;
  constexpr ExchangeId failed{2000};
  constexpr ExchangeId repeated{2001};
  constexpr comm::Tag finished{300};
  const View all = comm::view_of_all(ranks.size());
  const Rank absent{ranks.size() - 1};
  View smaller{all.id.next(), all.members};
  smaller.members.pop_back();

  if (ranks.rank() == absent) {
    ranks.refuse(comm::tag_of(failed));
    const Deadline deadline = patience();
    for (std::size_t left = smaller.size(); left > 0 && !deadline.expired();) {
      ranks.collect_kept();
      if (ranks.take(finished, 0)) --left;
      ranks.park(Deadline::in(std::chrono::milliseconds(10)));
    }
    problems.check(!deadline.expired(), "the others never came free");
    return;
  }

  struct Buffers {
    std::vector<float> in;
    std::vector<float> out;
  };
  auto buffers = std::make_shared<Buffers>();
  buffers->in = rough_input<float>(ranks.rank(), length);
  buffers->out.resize(length);
  const std::vector<float> in = buffers->in;
  {
    RingAllReduce<float> ring(ranks, all, failed, buffers->in, buffers->out);
    const Deadline soon = Deadline::in(std::chrono::milliseconds(20));
    while (!soon.expired()) {
      problems.check(!ring.poll(), "an all-reduce without one of its members");
      ranks.park(soon);
    }
    ring.abandon(buffers);
  }
  problems.check(buffers->in == in, "a failed attempt changes nothing");
  std::vector<float> out(length);
  collective::all_reduce<float>(ranks, smaller, repeated, in, out, patience());
  problems.check(same_bits<float>(out, ring_sum<float>(smaller, length)), "the second attempt");

  const std::weak_ptr<Buffers> quarantined = buffers;
  buffers.reset();
  const Deadline deadline = patience();
  while (ranks.collect_kept() > 0 && !deadline.expired()) ranks.park(deadline);
  problems.check(quarantined.expired(), "buffers that nothing touches any more are let go");
  // The others may still be sending to this one: go on refusing until all are free.
  ranks.post(absent, finished, {});
  for (const Rank member : smaller.members) ranks.post(member, finished, {});
  for (std::size_t left = smaller.size(); left > 0 && !deadline.expired();) {
    ranks.collect_kept();
    if (ranks.take(finished, 0)) --left;
    ranks.park(Deadline::in(std::chrono::milliseconds(10)));
  }
  problems.check(!deadline.expired(), "all come free");
}

}  // namespace daig::test
