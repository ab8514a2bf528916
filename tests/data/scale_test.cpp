#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <daig/data/batch.hpp>
#include <daig/data/scale.hpp>

BOOST_AUTO_TEST_SUITE(scale_test)

using namespace daig::data;

BOOST_AUTO_TEST_CASE(numbers_and_fractions_are_read) {
  BOOST_CHECK((parse_scale("1/255") == Scale{1, 255}));
  BOOST_CHECK((parse_scale("0.5") == Scale{0.5F, 1}));
  BOOST_CHECK((parse_scale("-2") == Scale{-2, 1}));
  BOOST_CHECK((parse_scale("3/2e3") == Scale{3, 2000}));
}

BOOST_AUTO_TEST_CASE(what_is_no_scale_is_refused) {
  for (const char* text : {"", "/", "1/", "/255", "1/0", "0", "0/5", "nan", "inf", "1/inf", "1e99",
                           "1 / 255", "1/255/2", "half", "0x10"}) {
    BOOST_TEST_CONTEXT(text) {
      BOOST_CHECK(!parse_scale(text));
    }
  }
  BOOST_TEST(!is_usable({std::numeric_limits<float>::quiet_NaN(), 1}));
  BOOST_TEST(!is_usable({1, std::numeric_limits<float>::infinity()}));
}

BOOST_AUTO_TEST_CASE(only_bytes_are_scaled_unless_told) {
  BOOST_CHECK((default_scale(ElementType::u8) == Scale{1, 255}));
  for (const ElementType type : {ElementType::boolean, ElementType::i8, ElementType::u16,
                                 ElementType::i64, ElementType::f16, ElementType::f32}) {
    BOOST_CHECK(default_scale(type) == Scale{});
  }
}

BOOST_AUTO_TEST_CASE(a_fraction_divides_as_numpy_does) {
  std::vector<std::uint8_t> bytes(256);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i);
  const auto floats = [&](Scale scale) {
    std::vector<float> into(bytes.size());
    to_floats(ElementType::u8, std::as_bytes(std::span(bytes)), into, scale);
    return into;
  };
  const std::vector<float> divided = floats(*parse_scale("1/255"));
  const std::vector<float> halved = floats(*parse_scale("0.5"));
  const std::vector<float> raw = floats(*parse_scale("1"));
  const std::vector<float> both = floats(*parse_scale("2/3"));
  bool differs = false;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto value = static_cast<float>(i);
    BOOST_TEST(divided[i] == value / 255.0F);
    BOOST_TEST(halved[i] == value * 0.5F);
    BOOST_TEST(raw[i] == value);
    BOOST_TEST(both[i] == value * 2 / 3);
    differs = differs || divided[i] != value * (1.0F / 255);
  }
  BOOST_TEST(differs);  // which is why the fraction is kept
}

BOOST_AUTO_TEST_CASE(small_types_become_floats_too) {
  const auto check = [](ElementType type, const auto& values, const std::vector<float>& expected) {
    std::vector<float> into(expected.size());
    to_floats(type, std::as_bytes(std::span(values)), into);
    BOOST_CHECK(into == expected);
  };
  check(ElementType::boolean, std::vector<std::uint8_t>{0, 1}, {0, 1});
  check(ElementType::i8, std::vector<std::int8_t>{-128, 127}, {-128, 127});
  check(ElementType::i16, std::vector<std::int16_t>{-32768, 5}, {-32768, 5});
  check(ElementType::u16, std::vector<std::uint16_t>{65535, 0}, {65535, 0});
  check(ElementType::u32, std::vector<std::uint32_t>{0xFFFFFF00}, {4294967040.0F});
  check(ElementType::u64, std::vector<std::uint64_t>{std::uint64_t{1} << 63}, {0x1p63F});
  check(ElementType::f16, std::vector<std::uint16_t>{0x3C00, 0xC000}, {1, -2});
}

BOOST_AUTO_TEST_CASE(halves_that_are_not_finite_are_found) {
  const std::vector<std::uint16_t> halves{0x3C00, 0x7BFF, 0xFC00, 0x7C01};
  BOOST_TEST(find_not_finite(ElementType::f16, std::as_bytes(std::span(halves))) == 2u);
  BOOST_TEST(find_not_finite(ElementType::f16, std::as_bytes(std::span(halves).first(2))) == 2u);
}

BOOST_AUTO_TEST_SUITE_END()
