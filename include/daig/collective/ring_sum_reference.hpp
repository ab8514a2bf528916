#pragma once

/// What a ring all-reduce computes, bit for bit, by one process that has all the inputs.

#include <cstddef>
#include <span>
#include <vector>

#include <daig/collective/ring_chunks.hpp>
#include <daig/core/error.hpp>

namespace daig::collective {

/// Sums the members' inputs in the order of the ring; inputs[p] is that of the view's member p, and
/// may be empty for a member that adds nothing.
///
/// With n members, chunk c (see RingChunks) starts at member c and is passed on from member to
/// member, each adding its own values:
///
///     (((input[c] + input[c+1]) + input[c+2]) + ...) + input[c+n-1], indices modulo n.
///
/// Neither segments nor timing play a part: view, length and inputs decide every bit.
/// Cost: inputs.size() * out.size() additions.
template <class T>
void ring_sum_reference(const std::vector<std::span<const T>>& inputs, std::span<T> out);

// ---------------------------------------------------------------------------------------------

template <class T>
void ring_sum_reference(const std::vector<std::span<const T>>& inputs, std::span<T> out) {
  expects(!inputs.empty(), "at least one input");
  for (const auto& input : inputs) {
    expects(input.size() == out.size() || input.empty(), "inputs as long as `out`, or empty");
  }
  const RingChunks chunks{out.size(), inputs.size()};
  for (std::size_t c = 0; c < inputs.size(); ++c) {
    const Slice chunk = chunks.chunk(c);
    for (std::size_t i = chunk.begin; i < chunk.begin + chunk.size; ++i) {
      T sum = inputs[c].empty() ? T{0} : inputs[c][i];
      for (std::size_t step = 1; step < inputs.size(); ++step) {
        const std::span<const T> input = inputs[(c + step) % inputs.size()];
        if (!input.empty()) sum += input[i];
      }
      out[i] = sum;
    }
  }
}

}  // namespace daig::collective
