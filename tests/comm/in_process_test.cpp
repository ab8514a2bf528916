#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <daig/comm/in_process.hpp>

#include "comm/communicator_contract.hpp"

BOOST_AUTO_TEST_SUITE(in_process_test)

namespace data = boost::unit_test::data;
using namespace daig;

BOOST_DATA_TEST_CASE(keeps_the_contract,
                     data::make(test::communicator_contract()) * data::make(test::rank_counts()),
                     contract_case, ranks) {
  const test::Problems problems = test::run_ranks(ranks, contract_case.run);
  BOOST_TEST(problems.none(), problems.text());
}

BOOST_AUTO_TEST_CASE(every_rank_runs_once) {
  std::array<std::atomic<int>, 4> runs{};
  comm::run_in_process(4, [&](comm::Communicator& ranks) {
    ++runs.at(static_cast<std::size_t>(ranks.rank().value()));
  });
  for (const auto& count : runs) BOOST_TEST(count == 1);
}

BOOST_AUTO_TEST_CASE(one_error_ends_every_waiting_rank) {
  std::atomic<int> ended{0};
  const auto body = [&](comm::Communicator& ranks) {
    if (ranks.rank() == Rank{2}) throw InputError("no such file");
    try {
      if (ranks.rank() == Rank{0}) {
        comm::wait_for_message(ranks, comm::Tag{1}, 1, test::patience(), "a message");
      } else {
        std::array<std::byte, 1> byte;
        comm::Transfer receiving = ranks.receive(Rank{2}, comm::Tag{1}, byte);
        comm::wait(ranks, receiving, test::patience(), "a receive");
      }
    } catch (const PeerLost&) {
      ++ended;
      throw;
    }
  };
  // The cause is thrown, not the PeerLost of rank 0 that follows from it.
  BOOST_CHECK_EXCEPTION(comm::run_in_process(4, body), InputError, [](const InputError& error) {
    return std::string(error.what()) == "no such file";
  });
  BOOST_TEST(ended == 3);
}

BOOST_AUTO_TEST_CASE(a_closed_world_still_hands_out_what_has_arrived) {
  comm::InProcessWorld world(2);
  world.at(Rank{0}).post(Rank{1}, comm::Tag{1}, std::vector<std::byte>(3));
  world.close("closed by the test");
  comm::Communicator& other = world.at(Rank{1});
  const auto message = other.take(comm::Tag{1}, 3);
  BOOST_REQUIRE(message.has_value());
  BOOST_TEST(message->bytes.size() == 3U);
  BOOST_CHECK_THROW(other.take(comm::Tag{1}, 3), PeerLost);
  BOOST_CHECK_THROW(other.park(test::patience()), PeerLost);
}

BOOST_AUTO_TEST_SUITE_END()
