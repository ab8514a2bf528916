#include <cstdint>

#include <boost/test/unit_test.hpp>

#include <daig/data/shape.hpp>

BOOST_AUTO_TEST_SUITE(shape_test)

using namespace daig::data;

BOOST_AUTO_TEST_CASE(elements_are_the_product) {
  BOOST_TEST(elements_in(Shape{}, 8).value() == 1u);
  BOOST_TEST(elements_in(Shape{5}, 8).value() == 5u);
  BOOST_TEST(elements_in(Shape{60000, 28, 28}, 1).value() == 47040000u);
}

BOOST_AUTO_TEST_CASE(no_extent_makes_no_element_whatever_the_others_are) {
  const std::uint64_t huge = ~std::uint64_t{0};
  BOOST_TEST(elements_in(Shape{0, huge, huge}, 8).value() == 0u);
  BOOST_TEST(elements_in(Shape{huge, huge, 0}, 8).value() == 0u);
}

BOOST_AUTO_TEST_CASE(what_overflows_has_no_number_of_elements) {
  const std::uint64_t two_to_62 = std::uint64_t{1} << 62;
  BOOST_TEST(elements_in(Shape{two_to_62}, 1).value() == two_to_62);
  BOOST_TEST(!elements_in(Shape{two_to_62 + 1}, 1).has_value());
  BOOST_TEST(!elements_in(Shape{two_to_62 / 4 + 1}, 4).has_value());
  BOOST_TEST(!elements_in(Shape{std::uint64_t{1} << 32, std::uint64_t{1} << 32}, 1).has_value());
  BOOST_TEST(!elements_in(Shape{~std::uint64_t{0}, ~std::uint64_t{0}}, 8).has_value());
}

BOOST_AUTO_TEST_CASE(texts_are_those_of_numpy) {
  BOOST_TEST(to_text(Shape{}) == "()");
  BOOST_TEST(to_text(Shape{10}) == "(10,)");
  BOOST_TEST(to_text(Shape{60000, 28, 28}) == "(60000, 28, 28)");
}

BOOST_AUTO_TEST_SUITE_END()
