#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <daig/comm/self.hpp>

#include "comm/communicator_contract.hpp"

BOOST_AUTO_TEST_SUITE(self_test)

using namespace daig;

BOOST_DATA_TEST_CASE(keeps_the_contract, test::communicator_contract(), contract_case) {
  comm::SelfCommunicator self;
  BOOST_TEST(self.rank().value() == 0);
  BOOST_TEST(self.size() == 1);
  test::Problems problems;
  test::run_rank(self, contract_case.run, problems);
  BOOST_TEST(problems.none(), problems.text());
}

BOOST_AUTO_TEST_CASE(knows_no_other_rank) {
  comm::SelfCommunicator self;
  BOOST_CHECK_THROW(self.send(Rank{1}, comm::Tag{1}, {}), ContractViolation);
  BOOST_CHECK_THROW(self.receive(Rank{-1}, comm::Tag{1}, {}), ContractViolation);
}

// A kept receive refers to the mailbox, which must not go first.
BOOST_AUTO_TEST_CASE(ends_with_transfers_under_way) {
  const auto bytes = std::make_shared<std::vector<std::byte>>(1);
  {
    comm::SelfCommunicator self;
    self.keep_until_done(self.receive(Rank{0}, comm::Tag{1}, *bytes), bytes);
    BOOST_TEST(self.collect_kept() == 1U);
  }
  BOOST_TEST(bytes.use_count() == 1);
}

BOOST_AUTO_TEST_SUITE_END()
