// More than 2^31 bytes through the ring. Not a Boost.Test program, as it is skipped unless asked
// for: it takes 4.4 GB for the values, up to as much again for messages, and a while.

#include <cstdlib>
#include <vector>

#include <daig/collective/all_reduce.hpp>

#include "support/ranks.hpp"

namespace {

using namespace daig;

constexpr std::size_t length = (std::size_t{1} << 29) + 50'000'003;  // floats: 2.3e9 bytes

/// Small integers: their sums are exact.
float input(std::size_t i, Rank rank) {
  return static_cast<float>(i % 1021) + static_cast<float>(rank.value());
}

void sums_two_huge_vectors(comm::Communicator& ranks, test::Problems& problems) {
  std::vector<float> values(length);
  for (std::size_t i = 0; i < length; ++i) values[i] = input(i, ranks.rank());
  collective::all_reduce<float>(ranks, comm::view_of_all(2), comm::ExchangeId{1}, values, values,
                                Deadline::in(std::chrono::minutes(10)));
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < length; ++i) {
    if (values[i] != input(i, Rank{0}) + input(i, Rank{1})) ++wrong;
  }
  problems.check(wrong == 0, fmt::format("{} of {} sums are wrong", wrong, length));
}

}  // namespace

int main() {
  if (std::getenv("DAIG_SLOW_TESTS") == nullptr) {
    fmt::print("skipped: set DAIG_SLOW_TESTS=1 to run it; it needs 9 GB of memory\n");
    return 77;
  }
  const test::Problems problems = test::run_ranks(2, sums_two_huge_vectors);
  fmt::print("{}\n", problems.none() ? "all sums are right" : problems.text());
  return problems.none() ? 0 : 1;
}
