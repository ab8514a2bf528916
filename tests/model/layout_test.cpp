#include <cstddef>
#include <limits>

#include <boost/test/unit_test.hpp>

#include <daig/model/layout.hpp>

BOOST_AUTO_TEST_SUITE(layout_test)

using namespace daig;
using namespace daig::model;

BOOST_AUTO_TEST_CASE(an_empty_model_has_no_weights) {
  const Layout layout;
  BOOST_CHECK_EQUAL(layout.size(), 0u);
  BOOST_CHECK(layout.parameters().empty());
}

BOOST_AUTO_TEST_CASE(parameters_follow_each_other_without_gaps) {
  Layout layout;
  BOOST_CHECK_EQUAL(layout.add("dense/kernel", {784, 256}).offset, 0u);
  BOOST_CHECK_EQUAL(layout.add("dense/bias", {256}).offset, 784u * 256);
  const Parameter& last = layout.add("conv/kernel", {3, 3, 1, 32});
  BOOST_CHECK_EQUAL(last.offset, 784u * 256 + 256);
  BOOST_CHECK_EQUAL(last.size(), 288u);
  BOOST_CHECK_EQUAL(layout.size(), 784u * 256 + 256 + 288);
  BOOST_REQUIRE_EQUAL(layout.parameters().size(), 3u);
  BOOST_CHECK_EQUAL(layout.parameters()[1].name, "dense/bias");
}

BOOST_AUTO_TEST_CASE(a_scalar_is_one_element_and_an_empty_extent_none) {
  Layout layout;
  BOOST_CHECK_EQUAL(layout.add("scale", {}).size(), 1u);
  BOOST_CHECK_EQUAL(layout.add("nothing", {5, 0, 7}).size(), 0u);
  BOOST_CHECK_EQUAL(layout.add("after", {2}).offset, 1u);
  BOOST_CHECK_EQUAL(layout.size(), 3u);
}

BOOST_AUTO_TEST_CASE(a_name_is_used_once) {
  Layout layout;
  layout.add("kernel", {2});
  BOOST_CHECK_THROW(layout.add("kernel", {3}), ContractViolation);
  BOOST_CHECK_EQUAL(layout.size(), 2u);
}

BOOST_AUTO_TEST_CASE(a_number_of_elements_that_cannot_be_counted_is_refused) {
  constexpr std::size_t max = std::numeric_limits<std::size_t>::max();
  Layout layout;
  BOOST_CHECK_THROW(layout.add("square", {max / 2, 3}), ContractViolation);
  layout.add("most", {max - 1});
  BOOST_CHECK_THROW(layout.add("more", {2}), ContractViolation);
  BOOST_CHECK_EQUAL(layout.parameters().size(), 1u);
  BOOST_CHECK_EQUAL(layout.size(), max - 1);
}

BOOST_AUTO_TEST_CASE(parameters_are_trained_unless_something_else_is_said) {
  Layout layout;
  layout.add("kernel", {2});
  layout.add("bias", {3});
  BOOST_CHECK(layout.has_none(Role::statistic));
  const Parameter& mean = layout.add_statistic("mean", {4}, 0.75);
  BOOST_CHECK_EQUAL(mean.offset, 5u);
  BOOST_CHECK_EQUAL(mean.momentum, 0.75);
  layout.regularize(0, {.l2 = 0.5});
  layout.freeze(1);
  BOOST_CHECK(layout.parameters()[0].role == Role::trained);
  BOOST_CHECK((layout.parameters()[0].regularizer == Regularizer{0, 0.5}));
  BOOST_CHECK(layout.parameters()[1].role == Role::frozen);
  BOOST_CHECK(layout.parameters()[2].role == Role::statistic);
  BOOST_CHECK(!layout.has_none(Role::frozen));
  layout.freeze(0);
  layout.freeze(2);
  BOOST_CHECK(!layout.parameters()[0].regularizer.any());
  BOOST_CHECK(layout.has_none(Role::trained) && layout.has_none(Role::statistic));
}

BOOST_AUTO_TEST_CASE(roles_that_make_no_sense_are_refused) {
  Layout layout;
  BOOST_CHECK_THROW(layout.add_statistic("mean", {4}, 1.5), ContractViolation);
  BOOST_CHECK_THROW(layout.add_statistic("mean", {4}, -0.1), ContractViolation);
  BOOST_CHECK_THROW(layout.freeze(0), ContractViolation);
  layout.add("kernel", {2});
  layout.freeze(0);
  BOOST_CHECK_THROW(layout.regularize(0, {0.1, 0}), ContractViolation);
  BOOST_CHECK_THROW(layout.regularize(1, {0.1, 0}), ContractViolation);
  BOOST_CHECK_EQUAL(layout.size(), 2u);
}

BOOST_AUTO_TEST_SUITE_END()
