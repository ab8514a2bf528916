#include <atomic>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "collective/all_reduce_cases.hpp"

BOOST_AUTO_TEST_SUITE(all_reduce_test)

namespace data = boost::unit_test::data;
using namespace daig;

namespace {

void run(int ranks, const test::RankBody& body) {
  const test::Problems problems = test::run_ranks(ranks, body);
  BOOST_TEST(problems.none(), problems.text());
}

}  // namespace

BOOST_DATA_TEST_CASE(float_sums_are_right, data::make(test::rank_counts()), ranks) {
  run(ranks, test::all_reduce_is_right<float>);
}

BOOST_DATA_TEST_CASE(double_sums_are_right, data::make(test::rank_counts()), ranks) {
  run(ranks, test::all_reduce_is_right<double>);
}

BOOST_DATA_TEST_CASE(listeners_hear_the_sum, data::make(test::rank_counts()), ranks) {
  run(ranks, test::listeners_hear_the_sum<float>);
  run(ranks, test::listeners_hear_the_sum<double>);
}

BOOST_DATA_TEST_CASE(exchanges_follow_each_other, data::make(test::rank_counts()), ranks) {
  run(ranks, test::exchanges_follow_each_other);
}

BOOST_DATA_TEST_CASE(abandoned_attempts_leave_no_trace, data::make(test::rank_counts()), ranks) {
  run(ranks, test::abandoned_attempts_leave_no_trace);
}

BOOST_AUTO_TEST_CASE(refuses_what_makes_no_sense) {
  comm::InProcessWorld world(1);
  comm::Communicator& ranks = world.at(Rank{0});
  std::vector<float> values(10);
  const std::span<float> all(values);
  const auto ring = [&](const comm::View& view, std::span<const float> in, std::span<float> out) {
    collective::RingAllReduce<float>(ranks, view, comm::ExchangeId{1}, in, out);
  };
  const comm::View alone = comm::view_of_all(1);
  BOOST_CHECK_THROW(ring({ViewId{0}, {Rank{1}}}, all, all), ContractViolation);
  BOOST_CHECK_THROW(ring(alone, all.first(5), all.first(4)), ContractViolation);
  BOOST_CHECK_THROW(ring(alone, all.first(5), all.subspan(4, 5)), ContractViolation);
  ring(alone, all.first(5), all.subspan(5, 5));
}

BOOST_AUTO_TEST_CASE(meets_its_deadline) {
  comm::InProcessWorld world(2);  // whose rank 1 does nothing
  std::vector<float> values(10);
  BOOST_CHECK_THROW(
      collective::all_reduce<float>(world.at(Rank{0}), comm::view_of_all(2), comm::ExchangeId{1},
                                    values, values, Deadline::in(std::chrono::milliseconds(5))),
      DeadlineExceeded);
}

// A member with other segments breaks the protocol; nobody adds what does not fit.
BOOST_AUTO_TEST_CASE(finds_members_that_cut_otherwise) {
  std::atomic<int> found{0};
  const auto body = [&](comm::Communicator& ranks) {
    std::vector<float> values(1000);
    const std::size_t segment = ranks.rank() == Rank{0} ? 1000 : 2000;
    try {
      collective::all_reduce<float>(ranks, comm::view_of_all(2), comm::ExchangeId{1}, values,
                                    values, test::patience(), {segment, 4});
    } catch (const PeerLost&) {
      ++found;
      throw;
    }
  };
  BOOST_CHECK_THROW(comm::run_in_process(2, body), PeerLost);
  BOOST_TEST(found == 2);
}

BOOST_AUTO_TEST_SUITE_END()
