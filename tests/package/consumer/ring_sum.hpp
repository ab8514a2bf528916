#pragma once

/// The consumer's own use of DAIG: every rank ends with the sum of all ranks' numbers.

#include <array>
#include <chrono>

#include <daig/collective/all_reduce.hpp>

inline float ring_sum(daig::comm::Communicator& communicator, float number) {
  const std::array<float, 1> mine{number};
  std::array<float, 1> sum{};
  daig::collective::all_reduce<float>(communicator, daig::comm::view_of_all(communicator.size()),
                                      daig::comm::ExchangeId{1}, mine, sum,
                                      daig::Deadline::in(std::chrono::seconds(30)));
  return sum[0];
}
