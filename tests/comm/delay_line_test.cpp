#include <boost/test/unit_test.hpp>

#include <daig/comm/detail/delay_line.hpp>

BOOST_AUTO_TEST_SUITE(delay_line_test)

using boost::test_tools::per_element;
using namespace daig;
using comm::Tag;
using comm::detail::DelayLine;
using comm::detail::HeldMessage;

namespace {

constexpr Rank a{1};
constexpr Rank b{2};
constexpr Tag tag{5};
constexpr Tag other_tag{6};

TimePoint at(int seconds) {
  return TimePoint(std::chrono::seconds(seconds));
}

enum class Send { done, unfinished };

/// Its bytes are one, its number.
HeldMessage message(int number, Rank to, Tag with, Send send = Send::done) {
  return {
      to, with, {std::byte(number)}, send == Send::done ? nullptr : std::make_shared<bool>(false)};
}

std::vector<int> numbers_due(DelayLine& line, TimePoint now) {
  std::vector<int> numbers;
  while (auto due = line.take_due(now)) numbers.push_back(std::to_integer<int>(due->bytes[0]));
  return numbers;
}

}  // namespace

BOOST_AUTO_TEST_CASE(an_empty_line_has_nothing_due) {
  DelayLine line;
  BOOST_TEST((line.next_due() == TimePoint::max()));
  BOOST_TEST(numbers_due(line, TimePoint::max()).empty());
}

BOOST_AUTO_TEST_CASE(messages_come_when_they_are_due) {
  DelayLine line;
  line.hold(message(0, a, tag), at(30));
  line.hold(message(1, a, other_tag), at(10));
  line.hold(message(2, b, tag), at(20));
  BOOST_TEST((line.next_due() == at(10)));
  BOOST_TEST(numbers_due(line, at(9)).empty());
  BOOST_TEST(numbers_due(line, at(20)) == (std::vector{1, 2}), per_element());
  BOOST_TEST((line.next_due() == at(30)));
  BOOST_TEST(numbers_due(line, TimePoint::max()) == std::vector{0}, per_element());
}

BOOST_AUTO_TEST_CASE(none_overtakes_another_of_its_receiver_and_tag) {
  DelayLine line;
  line.hold(message(0, a, tag), at(30));
  line.hold(message(1, a, tag), at(10));
  line.hold(message(2, a, tag), at(40));
  line.hold(message(3, a, tag), at(20));
  line.hold(message(4, a, other_tag), at(5));
  BOOST_TEST(numbers_due(line, at(29)) == std::vector{4}, per_element());
  BOOST_TEST(numbers_due(line, at(30)) == (std::vector{0, 1}), per_element());
  BOOST_TEST(numbers_due(line, at(40)) == (std::vector{2, 3}), per_element());
}

BOOST_AUTO_TEST_CASE(what_is_behind_an_unfinished_send_goes_with_it) {
  DelayLine line;
  line.hold(message(0, a, tag), at(1));
  line.hold(message(1, a, tag, Send::unfinished), at(1));
  line.hold(message(2, a, tag), at(1));
  line.hold(message(3, a, other_tag), at(2));
  line.hold(message(4, b, tag), at(2));
  line.drop_unfinished();
  BOOST_TEST(numbers_due(line, TimePoint::max()) == (std::vector{0, 3, 4}), per_element());
}

BOOST_AUTO_TEST_SUITE_END()
