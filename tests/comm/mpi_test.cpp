#define BOOST_TEST_MODULE mpi
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "comm/communicator_contract.hpp"
#include "support/ranks_mpi.hpp"

using namespace daig;
using test::MpiWorld;

BOOST_TEST_GLOBAL_FIXTURE(MpiWorld);

BOOST_DATA_TEST_CASE(keeps_the_contract, test::communicator_contract(), contract_case) {
  const test::Problems problems = test::run_this_rank(contract_case.run);
  BOOST_TEST(problems.none(), problems.text());
}

BOOST_AUTO_TEST_CASE(was_launched_as_rank) {
  BOOST_TEST(comm::MpiEnvironment::launched_as_rank());
}

BOOST_AUTO_TEST_CASE(knows_no_other_ranks) {
  comm::Communicator& ranks = test::MpiWorld::communicator();
  BOOST_CHECK_THROW(ranks.send(Rank{ranks.size()}, comm::Tag{1}, {}), ContractViolation);
  BOOST_CHECK_THROW(ranks.receive(Rank{-1}, comm::Tag{1}, {}), ContractViolation);
}

// MPI counts in int; the size is refused before any byte is looked at.
BOOST_AUTO_TEST_CASE(refuses_what_mpi_cannot_count) {
  comm::Communicator& ranks = test::MpiWorld::communicator();
  std::byte byte{};
  const std::span<std::byte> huge(&byte, std::size_t{1} << 31);
  BOOST_CHECK_THROW(ranks.send(Rank{0}, comm::Tag{1}, huge), ContractViolation);
  BOOST_CHECK_THROW(ranks.receive(Rank{0}, comm::Tag{1}, huge), ContractViolation);
}
