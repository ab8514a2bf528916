#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <daig/data/batch.hpp>

BOOST_AUTO_TEST_SUITE(batch_test)

using namespace daig::data;

namespace {

template <class T>
std::vector<float> converted(ElementType type, const std::vector<T>& values) {
  std::vector<float> floats(values.size(), -1);
  to_floats(type, std::as_bytes(std::span(values)), floats);
  return floats;
}

template <class T>
std::size_t first_bad(ElementType type, const std::vector<T>& values) {
  return find_not_finite(type, std::as_bytes(std::span(values)));
}

}  // namespace

BOOST_AUTO_TEST_CASE(bytes_become_what_numpy_makes_of_x_over_255) {
  std::vector<std::uint8_t> all(256);
  std::vector<float> expected(256);
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i] = static_cast<std::uint8_t>(i);
    expected[i] = static_cast<float>(i) / 255.0F;
  }
  BOOST_CHECK(converted(ElementType::u8, all) == expected);
  BOOST_TEST(expected.front() == 0.0F);
  BOOST_TEST(expected.back() == 1.0F);
}

BOOST_AUTO_TEST_CASE(other_types_are_converted_plainly) {
  BOOST_CHECK((converted(ElementType::i32, std::vector<std::int32_t>{-3, 0, 16777217}) ==
               std::vector<float>{-3, 0, 16777216}));
  BOOST_CHECK((converted(ElementType::i64, std::vector<std::int64_t>{-5, std::int64_t{1} << 40}) ==
               std::vector<float>{-5, 0x1p40F}));
  BOOST_CHECK((converted(ElementType::f32, std::vector<float>{1.5F, -0.1F}) ==
               std::vector<float>{1.5F, -0.1F}));
  BOOST_CHECK((converted(ElementType::f64, std::vector<double>{1.5, 0.1}) ==
               std::vector<float>{1.5F, 0.1F}));
}

BOOST_AUTO_TEST_CASE(a_number_that_is_not_finite_is_found_wherever_it_is) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  constexpr float nan = std::numeric_limits<float>::quiet_NaN();
  for (const std::size_t size : {1U, 7U, 1023U, 1024U, 1025U, 5000U}) {
    for (const std::size_t place : {std::size_t{0}, size / 2, size - 1}) {
      for (const float bad : {infinity, -infinity, nan}) {
        BOOST_TEST_CONTEXT(size << " " << place << " " << bad) {
          std::vector<float> singles(size, 1);
          std::vector<double> doubles(size, -1);
          BOOST_TEST(first_bad(ElementType::f32, singles) == size);
          BOOST_TEST(first_bad(ElementType::f64, doubles) == size);
          singles.back() = bad;  // a later one does not matter
          singles[place] = bad;
          doubles[place] = bad;
          BOOST_TEST(first_bad(ElementType::f32, singles) == place);
          BOOST_TEST(first_bad(ElementType::f64, doubles) == place);
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_double_too_large_for_a_float_is_not_finite_in_the_model) {
  BOOST_TEST(first_bad(ElementType::f64, std::vector<double>{1, 1e300}) == 1u);
  BOOST_TEST(first_bad(ElementType::f64, std::vector<double>{3.4e38, -3.4e38}) == 2u);
}

BOOST_AUTO_TEST_CASE(integers_are_finite_whatever_their_bits) {
  BOOST_TEST(first_bad(ElementType::u8, std::vector<std::uint8_t>(9, 255)) == 9u);
  BOOST_TEST(first_bad(ElementType::i32, std::vector<std::int32_t>(9, 0x7F800000)) == 9u);
  BOOST_TEST(first_bad(ElementType::i64, std::vector<std::int64_t>(9, -1)) == 9u);
}

BOOST_AUTO_TEST_CASE(as_many_elements_as_floats_are_expected) {
  std::vector<float> room(3);
  const std::vector<std::int32_t> values(2);
  BOOST_CHECK_THROW(to_floats(ElementType::i32, std::as_bytes(std::span(values)), room),
                    daig::ContractViolation);
}

BOOST_AUTO_TEST_SUITE_END()
