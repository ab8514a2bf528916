#define BOOST_TEST_MODULE data_element_type
#include <type_traits>

#include <boost/test/unit_test.hpp>

#include <daig/data/element_type.hpp>

using namespace daig::data;

BOOST_AUTO_TEST_CASE(sizes_are_those_of_the_types_that_are_dispatched_to) {
  for (const ElementType type :
       {ElementType::u8, ElementType::i32, ElementType::i64, ElementType::f32, ElementType::f64}) {
    BOOST_TEST_CONTEXT(name_of(type)) {
      BOOST_TEST(is_known(type));
      with_type(type, [type](auto element) {
        BOOST_TEST(sizeof element == size_of(type));
        BOOST_TEST(std::is_floating_point_v<decltype(element)> == is_floating(type));
      });
    }
  }
}

BOOST_AUTO_TEST_CASE(a_number_outside_the_list_is_no_type) {
  BOOST_TEST(!is_known(ElementType{0}));
  BOOST_TEST(!is_known(ElementType{6}));
  BOOST_CHECK_THROW(with_type(ElementType{6}, [](auto) {}), daig::ContractViolation);
}
