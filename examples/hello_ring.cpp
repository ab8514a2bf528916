// The smallest program: every rank brings a number, the ring adds them up.
//
//     mpirun -n 4 ./hello_ring          ranks are processes
//     ./hello_ring                      ranks are four threads of this process

#include <array>
#include <chrono>
#include <cstdio>

#include <daig/collective/all_reduce.hpp>
#include <daig/comm/in_process.hpp>
#include <daig/comm/mpi.hpp>

namespace {

void hello(daig::comm::Communicator& communicator) {
  const auto view = daig::comm::view_of_all(communicator.size());
  const std::array<float, 1> mine{static_cast<float>(communicator.rank().value() + 1)};
  std::array<float, 1> sum{};
  daig::collective::all_reduce<float>(communicator, view, daig::comm::ExchangeId{1}, mine, sum,
                                      daig::Deadline::in(std::chrono::seconds(10)));
  std::printf("rank %d of %d: the sum round the ring is %g\n", communicator.rank().value(),
              communicator.size(), static_cast<double>(sum[0]));
}

}  // namespace

int main() {
  if (!daig::comm::MpiEnvironment::launched_as_rank()) {
    daig::comm::run_in_process(4, hello);
    return 0;
  }
  daig::comm::MpiEnvironment mpi;
  const auto world = mpi.world();
  hello(*world);
}
