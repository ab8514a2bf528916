#include "launcher/elasticity.hpp"

#include <boost/test/unit_test.hpp>

#include <daig/core/error.hpp>

BOOST_AUTO_TEST_SUITE(elasticity_test)

namespace {

using daig::launcher::check;
using daig::launcher::Elasticity;
using daig::launcher::GrowthLimits;

Elasticity with(std::optional<int> ranks, std::optional<int> min_ranks,
                std::optional<int> max_ranks) {
  Elasticity elasticity;
  elasticity.hostfile = "hosts";
  elasticity.ranks = ranks;
  elasticity.min_ranks = min_ranks;
  elasticity.max_ranks = max_ranks;
  return elasticity;
}

BOOST_AUTO_TEST_CASE(how_many_ranks_start) {
  const auto start = [](std::optional<int> ranks, std::optional<int> least, std::optional<int> most,
                        int room) { return with(ranks, least, most).ranks_to_start(room); };
  BOOST_TEST(start({}, {}, {}, 7) == 7);  // as many as there is room for
  BOOST_TEST(start({}, {}, 5, 7) == 5);
  BOOST_TEST(start({}, 2, {}, 7) == 7);
  BOOST_TEST(start({}, 2, 5, 3) == 3);
  BOOST_TEST(start(4, {}, {}, 7) == 4);
  BOOST_TEST(start(4, {}, {}, 2) == 4);  // they share
  BOOST_TEST(start(4, 2, {}, 2) == 2);
  BOOST_TEST(start(4, 2, {}, 3) == 3);
  BOOST_TEST(start(4, 2, 8, 7) == 4);
}

BOOST_AUTO_TEST_CASE(spare_slots_are_left_when_a_number_was_given_and_no_limit) {
  using enum GrowthLimits::SpareSlots;
  BOOST_TEST((with({}, {}, {}).limits().spare == taken));
  BOOST_TEST((with(4, {}, {}).limits().spare == left));
  BOOST_TEST((with(4, 2, {}).limits().spare == left));
  BOOST_TEST((with(4, {}, 8).limits().spare == taken));
  BOOST_TEST(with(4, {}, 8).limits().most_ranks.value() == 8);
}

BOOST_AUTO_TEST_CASE(options_that_contradict_each_other_are_refused) {
  check(with({}, {}, {}));
  check(with(4, 4, 4));
  check(Elasticity{});
  std::vector<Elasticity> bad{with(0, {}, {}), with(-1, {}, {}), with(200'000, {}, {}),
                              with({}, 0, {}), with({}, {}, 0),  with(2, 3, {}),
                              with({}, 4, 3),  with(4, {}, 3)};
  bad.push_back(with({}, 2, {}));
  bad.back().hostfile.clear();
  bad.push_back(with({}, {}, {}));
  bad.back().discover = "true";
  for (double Elasticity::*value :
       {&Elasticity::discover_every_s, &Elasticity::wait_limit_s, &Elasticity::start_limit_s}) {
    bad.push_back(with({}, {}, {}));
    bad.back().*value = -1;
  }
  for (const Elasticity& elasticity : bad) BOOST_CHECK_THROW(check(elasticity), daig::UsageError);
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
