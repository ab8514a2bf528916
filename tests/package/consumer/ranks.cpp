#include <cstdio>

#include <daig/comm/mpi.hpp>

#include "ring_sum.hpp"

int main() {
  daig::comm::MpiEnvironment mpi;
  const auto world = mpi.world();
  const int ranks = world->size();
  const int sum = ring_sum(*world, world->rank().value() + 1);
  daig::expects(sum == ranks * (ranks + 1) / 2, "the sum of all ranks' numbers");
  if (world->rank() == daig::coordinator_rank) std::printf("%d ranks agree\n", ranks);
}
