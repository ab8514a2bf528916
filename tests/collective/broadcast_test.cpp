#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "collective/broadcast_cases.hpp"

BOOST_AUTO_TEST_SUITE(broadcast_test)

namespace data = boost::unit_test::data;
using namespace daig;

namespace {

void run(int ranks, const test::RankBody& body) {
  const test::Problems problems = test::run_ranks(ranks, body);
  BOOST_TEST(problems.none(), problems.text());
}

}  // namespace

BOOST_DATA_TEST_CASE(broadcasts_reach_everyone, data::make(test::rank_counts()), ranks) {
  run(ranks, test::broadcasts_reach_everyone);
}

BOOST_DATA_TEST_CASE(blobs_bring_their_size, data::make(test::rank_counts()), ranks) {
  run(ranks, test::blobs_bring_their_size);
}

BOOST_DATA_TEST_CASE(blobs_have_a_limit, data::make(test::rank_counts()), ranks) {
  run(ranks, test::blobs_have_a_limit);
}

BOOST_DATA_TEST_CASE(a_silent_root_meets_the_deadline, data::make(test::rank_counts()), ranks) {
  run(ranks, test::a_silent_root_meets_the_deadline);
}

BOOST_AUTO_TEST_CASE(the_root_must_be_a_member) {
  comm::InProcessWorld world(2);
  std::vector<float> values(10);
  BOOST_CHECK_THROW(
      collective::broadcast(world.at(Rank{0}), comm::View{ViewId{0}, {Rank{0}}},
                            comm::ExchangeId{1}, Rank{1}, std::span(values), test::patience()),
      ContractViolation);
}

BOOST_AUTO_TEST_SUITE_END()
