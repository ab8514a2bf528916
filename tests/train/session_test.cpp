#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "train/session_cases.hpp"

BOOST_AUTO_TEST_SUITE(session_test)

using namespace daig;
namespace data_set = boost::unit_test::data;

BOOST_DATA_TEST_CASE(in_process,
                     data_set::make(test::session_cases()) * data_set::make(test::rank_counts()),
                     session_case, ranks) {
  const test::Problems problems = test::run_ranks(ranks, session_case.run);
  BOOST_TEST(problems.none(), problems.text());
}

BOOST_AUTO_TEST_CASE(a_batch_larger_than_the_dataset_is_refused) {
  comm::run_in_process(1, [](comm::Communicator& ranks) {
    train::Options options;
    options.batch_size = 65;
    train::Session session(ranks, options, 3);
    BOOST_CHECK_THROW(session.set_up({.weights = std::vector<float>(3), .samples = 64}),
                      UsageError);
  });
}

BOOST_AUTO_TEST_CASE(options_that_make_no_sense_are_refused) {
  comm::run_in_process(1, [](comm::Communicator& ranks) {
    train::Options options;
    options.k = 0;
    BOOST_CHECK_THROW(train::Session(ranks, options, 3), UsageError);
    options = {};
    options.schedule = "sometimes";
    BOOST_CHECK_THROW(train::Session(ranks, options, 3), UsageError);
  });
}

BOOST_AUTO_TEST_SUITE_END()
