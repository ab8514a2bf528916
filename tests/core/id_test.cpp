#include <concepts>
#include <set>
#include <unordered_set>

#include <boost/test/unit_test.hpp>

#include <daig/core/id.hpp>

BOOST_AUTO_TEST_SUITE(id_test)

using namespace daig;

template <class Left, class Right>
concept comparable = requires(Left left, Right right) {
  left == right;
};

// What must not compile, asked as a question.
static_assert(!std::convertible_to<int, Rank>, "a bare number is not a rank");
static_assert(!std::convertible_to<Rank, int>, "a rank is not a bare number");
static_assert(!std::constructible_from<BatchId, StepId>, "a step is not a batch");
static_assert(!std::assignable_from<BatchId&, StepId>);
static_assert(!comparable<BatchId, StepId>);
static_assert(comparable<BatchId, BatchId>);
static_assert(sizeof(Rank) == sizeof(std::int32_t), "costs what the integer costs");
static_assert(std::is_trivially_copyable_v<StepId>);

BOOST_AUTO_TEST_CASE(starts_at_zero_and_counts_up) {
  BOOST_CHECK_EQUAL(StepId{}.value(), 0u);
  BOOST_CHECK(StepId{}.next() == StepId{1});
  BOOST_CHECK(ViewId{41}.next() == ViewId{42});
}

BOOST_AUTO_TEST_CASE(compares_like_its_number) {
  BOOST_CHECK(Rank{-1} < Rank{0});
  BOOST_CHECK(Version{3} >= Version{3});
  BOOST_CHECK(TicketId{1} != TicketId{2});
}

BOOST_AUTO_TEST_CASE(serves_as_a_key) {
  const std::set<Rank> ordered{Rank{2}, Rank{0}, Rank{2}};
  BOOST_CHECK_EQUAL(ordered.size(), 2u);
  BOOST_CHECK(*ordered.begin() == coordinator_rank);
  std::unordered_set<BatchId> seen;
  for (std::uint64_t batch = 0; batch < 100; ++batch) seen.insert(BatchId{batch % 10});
  BOOST_CHECK_EQUAL(seen.size(), 10u);
}

BOOST_AUTO_TEST_SUITE_END()
