#include <cstdint>
#include <cstdlib>
#include <numeric>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <data/array_files.hpp>
#include <support/temporary_folder.hpp>

#include <daig/core/error.hpp>
#include <daig/data/array_source.hpp>

BOOST_AUTO_TEST_SUITE(array_source_test)

using namespace daig;
using namespace daig::data;
using namespace daig::test;

namespace {

std::string refusal(const Bytes& file) {
  const std::string text = error_of<InputError>([&] { open_bytes(file, "some/x.gz"); });
  BOOST_TEST(text.starts_with("some/x.gz: "), text);
  return text;
}

/// An IDX file of some pages, so that it goes through the reader's buffers several times.
Bytes large_idx() {
  Bytes pixels(300000);
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    pixels[i] = static_cast<std::byte>(i * 7 + i / 251);
  }
  return idx(0x08, {300, 1000}, pixels);
}

class TemporaryDirectoryVariable {
 public:
  explicit TemporaryDirectoryVariable(const std::string& value) {
    if (const char* before = std::getenv("TMPDIR")) before_ = before;
    ::setenv("TMPDIR", value.c_str(), 1);
  }
  TemporaryDirectoryVariable(const TemporaryDirectoryVariable&) = delete;
  TemporaryDirectoryVariable& operator=(const TemporaryDirectoryVariable&) = delete;
  TemporaryDirectoryVariable(TemporaryDirectoryVariable&&) = delete;
  TemporaryDirectoryVariable& operator=(TemporaryDirectoryVariable&&) = delete;
  ~TemporaryDirectoryVariable() {
    if (before_.empty()) {
      ::unsetenv("TMPDIR");
    } else {
      ::setenv("TMPDIR", before_.c_str(), 1);
    }
  }

 private:
  std::string before_;
};

}  // namespace

BOOST_AUTO_TEST_CASE(the_format_is_known_by_the_bytes_and_not_by_the_name) {
  const TemporaryFolder folder;
  write_file(folder / "a.txt", npy("<f4", "(1,)", raw<float>({5})));
  BOOST_CHECK(read_all<float>(open_array(folder / "a.txt")) == std::vector<float>{5});
  write_file(folder / "b.npy", idx(0x08, {1}, to_bytes("x")));
  BOOST_CHECK(read_all<char>(open_array(folder / "b.npy")) == std::vector<char>{'x'});
  write_file(folder / "c", gzip(npy("<f4", "(1,)", raw<float>({6}))));
  const ArraySource zipped = open_array(folder / "c");
  BOOST_TEST(zipped.name() == (folder / "c").native());
  BOOST_CHECK(read_all<float>(zipped) == std::vector<float>{6});
}

BOOST_AUTO_TEST_CASE(other_files_are_refused_with_a_way_out) {
  BOOST_TEST(contains(refusal({}), "is empty"));
  BOOST_TEST(contains(refusal(to_bytes("\x89HDF\r\n\x1a\n")), "neither a .npy, .npz nor IDX file"));
  BOOST_TEST(contains(refusal(to_bytes("1,2,3\n4,5,6\n")), "numpy.save"));
  BOOST_TEST(contains(refusal(gzip(to_bytes("text"))), "neither a .npy, .npz nor IDX file"));
  BOOST_TEST(contains(refusal(gzip({})), "is empty"));
}

BOOST_AUTO_TEST_CASE(samples_outside_and_wrong_rooms_break_the_contract) {
  const ArraySource array = open_bytes(npy("<i4", "(3, 2)", Bytes(24)));
  Bytes room(8);
  BOOST_CHECK_NO_THROW(array.read(2, 1, room));
  BOOST_CHECK_THROW(array.read(3, 1, room), ContractViolation);
  BOOST_CHECK_THROW(array.read(0, 2, room), ContractViolation);
  BOOST_CHECK_THROW(array.read(~std::uint64_t{0}, 1, room), ContractViolation);
  BOOST_CHECK_THROW(array.read(1, ~std::uint64_t{0}, room), ContractViolation);
  BOOST_CHECK_NO_THROW(array.read(3, 0, {}));
}

BOOST_AUTO_TEST_CASE(a_zipped_file_gives_the_samples_of_the_plain_one) {
  const Bytes plain = large_idx();
  const auto expected = read_all<std::uint8_t>(open_bytes(plain));
  BOOST_CHECK(read_all<std::uint8_t>(open_bytes(gzip(plain))) == expected);
  // Members that follow each other are one stream.
  const Bytes first(plain.begin(), plain.begin() + 1000);
  const Bytes second(plain.begin() + 1000, plain.end());
  BOOST_CHECK(read_all<std::uint8_t>(open_bytes(gzip(first) + gzip(second))) == expected);
}

BOOST_AUTO_TEST_CASE(every_truncation_of_a_zipped_file_is_an_error_with_the_name) {
  const Bytes whole = gzip(npy("<i4", "(5, 5)", Bytes(100)));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    BOOST_TEST_CONTEXT(size) {
      refusal({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)});
    }
  }
  const Bytes large = gzip(large_idx());
  const Bytes half(large.begin(), large.begin() + static_cast<std::ptrdiff_t>(large.size() / 2));
  BOOST_TEST(contains(refusal(half), "the gzip stream is truncated"));
}

BOOST_AUTO_TEST_CASE(every_damaged_byte_of_a_zipped_file_s_data_is_noticed) {
  const Bytes whole = gzip(idx(0x08, {4, 4}, to_bytes("0123456789abcdef")));
  constexpr std::size_t data_at = 11;  // before it: a time that nobody needs, padding of a block
  for (std::size_t at = data_at; at < whole.size(); ++at) {
    Bytes damaged = whole;
    damaged[at] ^= std::byte{0x10};
    BOOST_TEST_CONTEXT(at) {
      refusal(damaged);
    }
  }
  BOOST_TEST(contains(refusal(whole + to_bytes("tail")), "corrupt"));
}

BOOST_AUTO_TEST_CASE(a_zipped_file_grows_no_further_than_its_header_says) {
  const std::string more = refusal(gzip(idx(0x08, {2, 2}, Bytes(100000))));
  BOOST_TEST(contains(more, "holds more than the 16 bytes"), more);
  const std::string fewer = refusal(gzip(idx(0x08, {2, 100}, Bytes(50))));
  BOOST_TEST(contains(fewer, "truncated"), fewer);
  // Deflate cannot hold that much in so few bytes: known before anything is written.
  const std::string absurd = refusal(gzip(idx(0x08, {0x10000000, 0x10000000}, Bytes(50))));
  BOOST_TEST(contains(absurd, "compressed bytes can hold"), absurd);
}

BOOST_AUTO_TEST_CASE(a_zipped_file_leaves_nothing_behind_and_says_where_it_cannot_write) {
  const TemporaryFolder folder;
  const Bytes zipped = gzip(large_idx());
  {
    const TemporaryDirectoryVariable variable(folder.path().native());
    const ArraySource array = open_bytes(zipped);
    BOOST_CHECK(std::filesystem::is_empty(folder.path()));
    BOOST_TEST(read_samples<std::uint8_t>(array, 299, 1).size() == 1000u);
  }
  const std::string missing = (folder / "none").native();
  const TemporaryDirectoryVariable variable(missing);
  const std::string text = error_of<IoError>([&] { open_bytes(zipped); });
  BOOST_TEST(text.starts_with(missing + ": "), text);
  BOOST_TEST(contains(text, "set TMPDIR"), text);
}

BOOST_AUTO_TEST_SUITE_END()
