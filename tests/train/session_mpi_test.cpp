#define BOOST_TEST_MODULE session_mpi
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "support/ranks_mpi.hpp"
#include "train/session_cases.hpp"

using namespace daig;
using test::MpiWorld;

BOOST_TEST_GLOBAL_FIXTURE(MpiWorld);

BOOST_DATA_TEST_CASE(under_mpi, boost::unit_test::data::make(test::session_cases()), session_case) {
  const test::Problems problems = test::run_this_rank(session_case.run);
  BOOST_TEST(problems.none(), problems.text());
}
