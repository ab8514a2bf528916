#include <string>
#include <type_traits>

#include <boost/test/unit_test.hpp>

#include <daig/core/error.hpp>

BOOST_AUTO_TEST_SUITE(error_test)

using namespace daig;

namespace {

void take_positive(int number) {
  expects(number > 0, "a positive number");
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_kept_contract_costs_nothing_to_the_caller) {
  BOOST_CHECK_NO_THROW(take_positive(1));
}

BOOST_AUTO_TEST_CASE(a_broken_contract_names_the_place_and_the_wish) {
  try {
    take_positive(0);
    BOOST_FAIL("nothing was thrown");
  } catch (const ContractViolation& violation) {
    const std::string text = violation.what();
    BOOST_CHECK_NE(text.find("error_test.cpp:"), std::string::npos);
    BOOST_CHECK_NE(text.find("take_positive"), std::string::npos);
    BOOST_CHECK_NE(text.find("expects a positive number"), std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(a_contract_violation_is_no_error_that_one_recovers_from) {
  static_assert(!std::is_base_of_v<Error, ContractViolation>);
  static_assert(std::is_base_of_v<std::logic_error, ContractViolation>);
}

BOOST_AUTO_TEST_CASE(an_expectation_can_be_checked_at_compile_time) {
  constexpr auto half = [](int even) {
    expects(even % 2 == 0, "an even number");
    return even / 2;
  };
  static_assert(half(8) == 4);
}

BOOST_AUTO_TEST_CASE(each_error_says_how_its_program_ends) {
  BOOST_CHECK(UsageError("").exit_code() == ExitCode::usage);
  BOOST_CHECK(InputError("").exit_code() == ExitCode::input);
  BOOST_CHECK(IoError("").exit_code() == ExitCode::io);
  BOOST_CHECK(DeadlineExceeded("").exit_code() == ExitCode::peer);
  BOOST_CHECK(PeerLost("").exit_code() == ExitCode::peer);
}

BOOST_AUTO_TEST_CASE(the_exit_codes_are_those_that_scripts_rely_on) {
  BOOST_CHECK_EQUAL(static_cast<int>(ExitCode::success), 0);
  BOOST_CHECK_EQUAL(static_cast<int>(ExitCode::failure), 1);
  BOOST_CHECK_EQUAL(static_cast<int>(ExitCode::usage), 2);
  BOOST_CHECK_EQUAL(static_cast<int>(ExitCode::input), 3);
  BOOST_CHECK_EQUAL(static_cast<int>(ExitCode::io), 4);
  BOOST_CHECK_EQUAL(static_cast<int>(ExitCode::peer), 5);
  BOOST_CHECK_EQUAL(static_cast<int>(ExitCode::finding), 6);
}

BOOST_AUTO_TEST_CASE(an_input_error_says_where_before_what) {
  BOOST_CHECK_EQUAL(InputError("x.npy", "ends after 3 bytes").what(),
                    std::string("x.npy: ends after 3 bytes"));
}

BOOST_AUTO_TEST_SUITE_END()
