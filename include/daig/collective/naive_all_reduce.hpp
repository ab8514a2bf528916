#pragma once

/// The all-reduce nobody can get wrong: the oracle beside the ring.

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include <daig/comm/communicator.hpp>
#include <daig/comm/tag.hpp>
#include <daig/comm/view.hpp>

namespace daig::collective {

/// Member 0 receives all inputs, adds them in the order of the view, and sends the sum to all. The
/// order of additions is not the ring's: equal bits are due only where sums are exact.
///
/// For tests: `in` and `out` may be the same; below 2^31 bytes.
/// Cost: at member 0, n-1 times the length received, and again sent.
template <class T>
void naive_all_reduce(comm::Communicator& communicator, const comm::View& view,
                      comm::ExchangeId exchange, std::span<const T> in, std::span<T> out,
                      Deadline deadline);

// ---------------------------------------------------------------------------------------------

template <class T>
void naive_all_reduce(comm::Communicator& communicator, const comm::View& view,
                      comm::ExchangeId exchange, std::span<const T> in, std::span<T> out,
                      Deadline deadline) {
  expects(in.size() == out.size(), "as many values in as out");
  const comm::Tag tag = comm::tag_of(exchange);
  const auto wait = [&](comm::Transfer transfer, const char* what) {
    comm::wait(communicator, transfer, deadline, what);
  };
  const Rank first = view.members.front();
  if (communicator.rank() != first) {
    wait(communicator.send(first, tag, std::as_bytes(in)), "an input to leave");
    wait(communicator.receive(first, tag, std::as_writable_bytes(out)), "the sum");
    return;
  }
  std::vector<T> sum(in.begin(), in.end());
  std::vector<T> input(in.size());
  for (std::size_t member = 1; member < view.size(); ++member) {
    wait(communicator.receive(view.members[member], tag, std::as_writable_bytes(std::span(input))),
         "a member's input");
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += input[i];
  }
  for (std::size_t member = 1; member < view.size(); ++member) {
    wait(communicator.send(view.members[member], tag, std::as_bytes(std::span(sum))),
         "a sum to leave");
  }
  std::ranges::copy(sum, out.begin());
}

}  // namespace daig::collective
