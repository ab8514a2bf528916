#pragma once

/// The consumer's own use of DAIG: every rank ends with the sum of all ranks' numbers.

#include <array>
#include <chrono>
#include <span>

#include <daig/comm/communicator.hpp>
#include <daig/comm/view.hpp>

/// Passes everybody's number once round the ring.
inline int ring_sum(daig::comm::Communicator& communicator, int number) {
  using namespace daig;
  const auto ranks = communicator.size();
  const Rank next{(communicator.rank().value() + 1) % ranks};
  const Rank previous{(communicator.rank().value() + ranks - 1) % ranks};
  const Deadline deadline = Deadline::in(std::chrono::seconds(30));
  std::array<int, 1> passing{number};
  int sum = number;
  for (int hop = 1; hop < ranks; ++hop) {
    std::array<int, 1> arriving{};
    const comm::Tag tag = comm::tag_of(comm::ExchangeId{static_cast<std::uint32_t>(hop)});
    comm::Transfer in =
        communicator.receive(previous, tag, std::as_writable_bytes(std::span(arriving)));
    comm::Transfer out = communicator.send(next, tag, std::as_bytes(std::span(passing)));
    comm::wait(communicator, out, deadline, "the next rank");
    comm::wait(communicator, in, deadline, "the previous rank");
    passing = arriving;
    sum += passing[0];
  }
  return sum;
}
