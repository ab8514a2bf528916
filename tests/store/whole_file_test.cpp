#include <stdexcept>

#include <boost/test/unit_test.hpp>
#include <support/temporary_folder.hpp>

#include <daig/core/error.hpp>
#include <daig/store/whole_file.hpp>

#include "file_bytes.hpp"

BOOST_AUTO_TEST_SUITE(whole_file_test)

using namespace daig;
namespace fs = std::filesystem;

namespace {

struct Place {
  test::TemporaryFolder folder;
  fs::path path = folder / "page.svg";

  std::ptrdiff_t files() const {
    return std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator());
  }
};

BOOST_FIXTURE_TEST_CASE(the_name_appears_once_the_file_is_whole, Place) {
  store::write_whole(path, [&](const fs::path& temporary) {
    BOOST_CHECK(!fs::exists(path));
    BOOST_CHECK_EQUAL(temporary.parent_path(), path.parent_path());
    test::write_bytes(temporary, "new");
  });
  BOOST_CHECK_EQUAL(test::read_bytes(path), "new");
  BOOST_CHECK_EQUAL(files(), 1);
}

BOOST_FIXTURE_TEST_CASE(what_fails_half_way_leaves_the_old_file, Place) {
  test::write_bytes(path, "old");
  BOOST_CHECK_THROW(store::write_whole(path,
                                       [](const fs::path& temporary) {
                                         test::write_bytes(temporary, "half");
                                         throw std::runtime_error("the other half is not there");
                                       }),
                    std::runtime_error);
  BOOST_CHECK_EQUAL(test::read_bytes(path), "old");
  BOOST_CHECK_EQUAL(files(), 1);
  BOOST_CHECK_THROW(store::write_whole(folder / "none" / "page.svg", [](const fs::path&) {}),
                    IoError);
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
