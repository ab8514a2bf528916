#include <cstdint>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <data/array_files.hpp>

#include <daig/core/error.hpp>
#include <daig/data/idx.hpp>

BOOST_AUTO_TEST_SUITE(idx_test)

using namespace daig;
using namespace daig::data;
using namespace daig::test;

namespace {

std::string refusal(const Bytes& file) {
  const std::string text = error_of<InputError>([&] { open_bytes(file, "some/x-idx"); });
  BOOST_TEST(text.starts_with("some/x-idx: "), text);
  return text;
}

template <class T>
void check_type(unsigned code, ElementType type) {
  BOOST_TEST_CONTEXT(name_of(type)) {
    const std::vector<T> values{T(1), T(2), T(3), T(125), T(100), T(0)};
    for (const bool zipped : {false, true}) {
      const Bytes file = idx(code, {2, 3}, raw(values, ByteOrder::big));
      const ArraySource array = open_bytes(zipped ? gzip(file) : file);
      BOOST_CHECK(array.type() == type);
      BOOST_TEST(array.count() == 2u);
      BOOST_TEST(array.sample_size() == 3u);
      BOOST_CHECK(read_all<T>(array) == values);
      BOOST_CHECK(
          (read_samples<T>(array, 1, 1) == std::vector<T>(values.begin() + 3, values.end())));
    }
  }
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_type_plain_and_zipped) {
  check_type<std::uint8_t>(0x08, ElementType::u8);
  check_type<std::int8_t>(0x09, ElementType::i8);
  check_type<std::int16_t>(0x0B, ElementType::i16);
  check_type<std::int32_t>(0x0C, ElementType::i32);
  check_type<float>(0x0D, ElementType::f32);
  check_type<double>(0x0E, ElementType::f64);
}

BOOST_AUTO_TEST_CASE(other_types_are_refused_by_name) {
  BOOST_TEST(contains(refusal(idx(0x0A, {1}, Bytes(1))), "0x0A; DAIG reads"));
  BOOST_TEST(contains(refusal(idx(0xFF, {1}, Bytes(1))), "0xFF"));
}

BOOST_AUTO_TEST_CASE(absurd_shapes_are_refused_before_anything_is_allocated) {
  const std::uint32_t huge = 0xFFFFFFFF;
  BOOST_TEST(
      contains(refusal(idx(0x0E, {huge, huge, huge, huge}, Bytes(8))), "more than 2^62 bytes"));
  BOOST_TEST(contains(refusal(idx(0x08, {huge, 0x10000000}, Bytes(8))), "truncated"));
  BOOST_TEST(contains(refusal(idx(0x08, {3, 0}, {})), "holds no element"));
  BOOST_TEST(contains(refusal(idx(0x08, {}, Bytes(1))), "has 0 axes"));
  BOOST_TEST(
      contains(refusal(idx(0x08, std::vector<std::uint32_t>(33, 1), Bytes(1))), "has 33 axes"));
  BOOST_TEST(
      contains(refusal(idx(0x08, std::vector<std::uint32_t>(33, 1), Bytes(1))), "from 1 to 32"));
}

BOOST_AUTO_TEST_CASE(every_truncation_and_any_excess_is_an_error_with_the_name) {
  const Bytes whole = idx(0x0C, {2, 2}, Bytes(16));
  BOOST_CHECK_NO_THROW(open_bytes(whole));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    BOOST_TEST_CONTEXT(size) {
      refusal({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)});
    }
  }
  BOOST_TEST(contains(refusal(whole + Bytes(1)), "appended"));
}

BOOST_AUTO_TEST_CASE(the_parser_alone_knows_its_magic) {
  BOOST_TEST(!is_idx(Bytes(3)));
  BOOST_TEST(!is_idx(Bytes(4)));  // no type is zero
  BOOST_CHECK_THROW(parse_idx_header(to_bytes("hello"), "x"), InputError);
}

BOOST_AUTO_TEST_SUITE_END()
