#pragma once

/// Runs a test's body on ranks that are threads of this process.

#include <chrono>
#include <exception>
#include <functional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include <daig/comm/in_process.hpp>

#include "support/problems.hpp"

namespace daig::test {

/// How long a test waits for what should come at once; only a failing test ever waits that long.
inline Deadline patience() {
  return Deadline::in(std::chrono::seconds(60));
}

/// The rank counts every collective piece of code is tested with.
inline const std::vector<int>& rank_counts() {
  static const std::vector<int> counts{1, 2, 3, 4, 7};
  return counts;
}

using RankBody = std::function<void(comm::Communicator&, Problems&)>;

/// Runs the body on one rank; what it throws is a problem.
inline void run_rank(comm::Communicator& communicator, const RankBody& body, Problems& problems);

/// Runs the body on n ranks, and returns what each of them found, for the main thread to assert.
inline Problems run_ranks(int size, const RankBody& body);

// ---------------------------------------------------------------------------------------------

inline void run_rank(comm::Communicator& communicator, const RankBody& body, Problems& problems) {
  try {
    body(communicator, problems);
  } catch (const std::exception& thrown) {
    problems.add(fmt::format("threw: {}", thrown.what()));
  }
}

inline Problems run_ranks(int size, const RankBody& body) {
  std::vector<Problems> found(static_cast<std::size_t>(size));
  comm::run_in_process(size, [&](comm::Communicator& communicator) {
    run_rank(communicator, body, found[static_cast<std::size_t>(communicator.rank().value())]);
  });
  Problems all;
  for (std::size_t rank = 0; rank < found.size(); ++rank) {
    all.add_all(fmt::format("{} ranks, rank {}: ", size, rank), found[rank]);
  }
  return all;
}

}  // namespace daig::test
