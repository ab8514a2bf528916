#include <cstdio>

#include <daig/comm/mpi.hpp>

#include "ring_sum.hpp"

int main() {
  daig::comm::MpiEnvironment mpi;
  const auto world = mpi.world();
  const int ranks = world->size();
  const float sum = ring_sum(*world, static_cast<float>(world->rank().value() + 1));
  daig::expects(sum == static_cast<float>(ranks * (ranks + 1) / 2), "1 + 2 + ... + ranks");
  if (world->rank() == daig::coordinator_rank) std::printf("%d ranks agree\n", ranks);
}
