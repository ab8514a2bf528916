#pragma once

/// Runs a test's body on this process's rank, in a test program that mpirun has started.

#include <memory>

#include <boost/test/unit_test.hpp>

#include <daig/comm/mpi.hpp>
#include <daig/core/log.hpp>

#include "support/ranks.hpp"

namespace daig::test {

/// MPI for as long as the tests run: BOOST_TEST_GLOBAL_FIXTURE(MpiWorld) in the test program.
class MpiWorld {
 public:
  MpiWorld() {
    log::set_rank(world_->rank());
    current() = world_.get();
  }
  /// Every rank's communicator, in every test case.
  static comm::Communicator& communicator() { return *current(); }

 private:
  static comm::Communicator*& current() {
    static comm::Communicator* communicator = nullptr;
    return communicator;
  }

  comm::MpiEnvironment environment_;
  std::unique_ptr<comm::Communicator> world_ = environment_.world();
};

/// Collective: every process runs the same test cases in the same order.
inline Problems run_this_rank(const RankBody& body) {
  comm::Communicator& communicator = MpiWorld::communicator();
  Problems found;
  run_rank(communicator, body, found);
  Problems all;
  all.add_all(fmt::format("{} ranks, rank {}: ", communicator.size(), communicator.rank().value()),
              found);
  return all;
}

}  // namespace daig::test
