#include <filesystem>

#include <boost/test/unit_test.hpp>
#include <data/array_files.hpp>
#include <support/temporary_folder.hpp>
#include <sys/stat.h>

#include <daig/core/error.hpp>
#include <daig/data/byte_source.hpp>

BOOST_AUTO_TEST_SUITE(byte_source_test)

using namespace daig;
using namespace daig::data;
using namespace daig::test;

namespace {

Bytes read(const ByteSource& source, std::uint64_t offset, std::size_t count) {
  Bytes bytes(count);
  source.read(offset, bytes);
  return bytes;
}

}  // namespace

BOOST_AUTO_TEST_CASE(file_and_memory_give_the_same_bytes) {
  const TemporaryFolder folder;
  const Bytes content = to_bytes("0123456789");
  write_file(folder / "digits", content);
  for (const ByteSourcePtr& source :
       {open_file(folder / "digits"), bytes_in_memory("digits", content)}) {
    BOOST_TEST_CONTEXT(source->name()) {
      BOOST_TEST(source->size() == 10u);
      BOOST_CHECK(read(*source, 0, 10) == content);
      BOOST_CHECK(read(*source, 3, 4) == to_bytes("3456"));
      BOOST_CHECK(read(*source, 10, 0).empty());
      BOOST_CHECK_THROW(read(*source, 8, 3), ContractViolation);
      BOOST_CHECK_THROW(read(*source, 11, 0), ContractViolation);
      BOOST_CHECK_THROW(read(*source, ~std::uint64_t{0}, 2), ContractViolation);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_file_that_is_not_there_is_named) {
  const TemporaryFolder folder;
  const auto path = folder / "missing.npy";
  const std::string text = error_of<InputError>([&] { open_file(path); });
  BOOST_TEST(text == path.native() + ": cannot be opened: No such file or directory");
}

BOOST_AUTO_TEST_CASE(folders_and_pipes_are_refused_without_waiting) {
  const TemporaryFolder folder;
  const std::string text = error_of<InputError>([&] { open_file(folder.path()); });
  BOOST_TEST(text.starts_with(folder.path().native() + ": is not a regular file"));
  BOOST_REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  BOOST_TEST(contains(error_of<InputError>([&] { open_file(folder / "pipe"); }), "regular file"));
}

BOOST_AUTO_TEST_CASE(a_file_that_shrinks_under_the_reader_is_an_error_with_its_name) {
  const TemporaryFolder folder;
  const auto path = folder / "shrinking";
  write_file(path, Bytes(100));
  const ByteSourcePtr source = open_file(path);
  std::filesystem::resize_file(path, 40);
  BOOST_CHECK_NO_THROW(read(*source, 0, 40));
  const std::string text = error_of<InputError>([&] { read(*source, 0, 100); });
  BOOST_TEST(text.starts_with(path.native() + ": had 100 bytes when it was opened and now ends at "
                                              "byte 40"));
}

BOOST_AUTO_TEST_SUITE_END()
