#define BOOST_TEST_MODULE collective_mpi
#include <boost/test/unit_test.hpp>

#include "collective/all_reduce_cases.hpp"
#include "collective/broadcast_cases.hpp"
#include "support/ranks_mpi.hpp"

using namespace daig;
using test::MpiWorld;

BOOST_TEST_GLOBAL_FIXTURE(MpiWorld);

namespace {

void run(const test::RankBody& body) {
  const test::Problems problems = test::run_this_rank(body);
  BOOST_TEST(problems.none(), problems.text());
}

}  // namespace

BOOST_AUTO_TEST_CASE(broadcasts) {
  run(test::broadcasts_reach_everyone);
  run(test::blobs_bring_their_size);
  run(test::blobs_have_a_limit);
  run(test::a_silent_root_meets_the_deadline);
}

BOOST_AUTO_TEST_CASE(float_sums_are_right) {
  run(test::all_reduce_is_right<float>);
}

BOOST_AUTO_TEST_CASE(double_sums_are_right) {
  run(test::all_reduce_is_right<double>);
}

BOOST_AUTO_TEST_CASE(listeners_hear_the_sum) {
  run(test::listeners_hear_the_sum<float>);
  run(test::listeners_hear_the_sum<double>);
}

BOOST_AUTO_TEST_CASE(exchanges_follow_each_other) {
  run(test::exchanges_follow_each_other);
}

BOOST_AUTO_TEST_CASE(abandoned_attempts_leave_no_trace) {
  run(test::abandoned_attempts_leave_no_trace);
}
