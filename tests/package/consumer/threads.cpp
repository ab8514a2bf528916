#include <cstdio>

#include <daig/comm/in_process.hpp>

#include "ring_sum.hpp"

int main() {
  daig::comm::run_in_process(4, [](daig::comm::Communicator& communicator) {
    const float sum = ring_sum(communicator, static_cast<float>(communicator.rank().value() + 1));
    daig::expects(sum == 10, "1 + 2 + 3 + 4");
  });
  std::puts("4 threads agree");
}
