#include <cmath>
#include <cstdint>
#include <limits>

#include <boost/test/unit_test.hpp>

#include <daig/data/element_type.hpp>

BOOST_AUTO_TEST_SUITE(element_type_test)

using namespace daig::data;

BOOST_AUTO_TEST_CASE(sizes_are_those_of_the_types_that_are_dispatched_to) {
  for (const ElementType type :
       {ElementType::boolean, ElementType::i8, ElementType::u8, ElementType::i16, ElementType::u16,
        ElementType::i32, ElementType::u32, ElementType::i64, ElementType::u64, ElementType::f16,
        ElementType::f32, ElementType::f64}) {
    BOOST_TEST_CONTEXT(name_of(type)) {
      BOOST_TEST(is_known(type));
      with_type(type, [type](auto element) {
        BOOST_TEST(sizeof element == size_of(type));
        BOOST_TEST(std::numeric_limits<decltype(element)>::is_integer != is_floating(type));
      });
    }
  }
}

BOOST_AUTO_TEST_CASE(a_number_outside_the_list_is_no_type) {
  BOOST_TEST(!is_known(ElementType{0}));
  BOOST_TEST(!is_known(ElementType{13}));
  BOOST_CHECK_THROW(with_type(ElementType{13}, [](auto) {}), daig::ContractViolation);
}

BOOST_AUTO_TEST_CASE(halves_are_what_ieee_754_says) {
  const auto value = [](unsigned bits) -> float { return Half{static_cast<std::uint16_t>(bits)}; };
  BOOST_TEST(value(0x0000) == 0.0F);
  BOOST_TEST(std::signbit(value(0x8000)));
  BOOST_TEST(value(0x3C00) == 1.0F);
  BOOST_TEST(value(0xC000) == -2.0F);
  BOOST_TEST(value(0x3555) == 0.333251953125F);
  BOOST_TEST(value(0x7BFF) == 65504.0F);
  BOOST_TEST(value(0x0400) == 0x1p-14F);
  BOOST_TEST(value(0x03FF) == 0x1.ff8p-15F);  // the greatest subnormal
  BOOST_TEST(value(0x0001) == 0x1p-24F);
  BOOST_TEST(value(0x7C00) == std::numeric_limits<float>::infinity());
  BOOST_TEST(value(0xFC00) == -std::numeric_limits<float>::infinity());
  BOOST_TEST(std::isnan(value(0x7C01)));
}

BOOST_AUTO_TEST_SUITE_END()
