#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <daig/core/bytes.hpp>

BOOST_AUTO_TEST_SUITE(bytes_test)

using namespace daig;

namespace {

enum class Colour : std::uint8_t { red = 1, blue = 200 };

std::vector<std::byte> sample_record() {
  ByteWriter writer;
  writer.put(std::uint8_t{7});
  writer.put(std::int64_t{-2});
  writer.put(Colour::blue);
  writer.put(0.1);
  writer.put_text("one two");
  writer.put_text("");
  writer.put(std::numeric_limits<std::uint64_t>::max());
  return writer.take();
}

void read_sample(ByteReader reader) {
  (void)reader.get<std::uint8_t>();
  (void)reader.get<std::int64_t>();
  (void)reader.get<Colour>();
  (void)reader.get<double>();
  (void)reader.get_text();
  (void)reader.get_text();
  (void)reader.get<std::uint64_t>();
}

}  // namespace

static_assert(Scalar<float> && Scalar<Colour> && !Scalar<bool> && !Scalar<std::string>);

BOOST_AUTO_TEST_CASE(what_was_put_is_got) {
  const std::vector<std::byte> record = sample_record();
  ByteReader reader(record);
  BOOST_CHECK_EQUAL(reader.get<std::uint8_t>(), 7);
  BOOST_CHECK_EQUAL(reader.get<std::int64_t>(), -2);
  BOOST_CHECK(reader.get<Colour>() == Colour::blue);
  BOOST_CHECK_EQUAL(reader.get<double>(), 0.1);
  BOOST_CHECK_EQUAL(reader.get_text(), "one two");
  BOOST_CHECK_EQUAL(reader.get_text(), "");
  BOOST_CHECK_EQUAL(reader.remaining(), sizeof(std::uint64_t));
  BOOST_CHECK_EQUAL(reader.get<std::uint64_t>(), std::numeric_limits<std::uint64_t>::max());
  BOOST_CHECK(reader.at_end());
}

BOOST_AUTO_TEST_CASE(numbers_are_little_endian_and_unpadded) {
  ByteWriter writer;
  writer.put(std::uint8_t{1});
  writer.put(std::uint32_t{0x05040302});
  writer.put_text("A");
  const std::vector<std::byte> expected{std::byte{1}, std::byte{2},  std::byte{3}, std::byte{4},
                                        std::byte{5}, std::byte{1},  std::byte{0}, std::byte{0},
                                        std::byte{0}, std::byte{'A'}};
  BOOST_CHECK(writer.take() == expected);
}

BOOST_AUTO_TEST_CASE(a_record_cut_anywhere_is_refused) {
  const std::vector<std::byte> record = sample_record();
  BOOST_CHECK_NO_THROW(read_sample(ByteReader(record)));
  for (std::size_t size = 0; size < record.size(); ++size) {
    BOOST_TEST_CONTEXT("first " << size << " bytes") {
      BOOST_CHECK_THROW(read_sample(ByteReader(std::span(record).first(size))), InputError);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_text_longer_than_the_record_is_refused_and_nothing_taken) {
  ByteWriter writer;
  writer.put(std::numeric_limits<std::uint32_t>::max());
  writer.put(std::uint8_t{'A'});
  const std::vector<std::byte> record = writer.take();
  ByteReader reader(record);
  BOOST_CHECK_THROW(reader.get_text(), InputError);
  BOOST_CHECK_EQUAL(reader.remaining(), record.size());
}

BOOST_AUTO_TEST_CASE(bytes_are_views_of_the_record) {
  const std::vector<std::byte> record = sample_record();
  ByteReader reader(record);
  BOOST_CHECK(reader.get_bytes(3).data() == record.data());
  BOOST_CHECK(reader.get_bytes(0).empty());
  BOOST_CHECK_EQUAL(reader.remaining(), record.size() - 3);
  BOOST_CHECK_THROW(reader.get_bytes(record.size()), InputError);
}

BOOST_AUTO_TEST_CASE(a_writer_starts_afresh_after_it_gave_its_record) {
  ByteWriter writer;
  writer.put(std::uint16_t{1});
  BOOST_CHECK_EQUAL(writer.take().size(), 2u);
  BOOST_CHECK(writer.take().empty());
}

BOOST_AUTO_TEST_SUITE_END()
