#include "launcher/data_files.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <daig/core/error.hpp>

#include "data/zip_files.hpp"
#include "support/temporary_folder.hpp"

BOOST_AUTO_TEST_SUITE(data_files_test)

namespace {

using namespace daig::test;
using daig::launcher::arrays_named;
using daig::launcher::comes_before;
using daig::launcher::open_arrays;
namespace fs = std::filesystem;

std::vector<std::string> names_of(const std::string& word) {
  std::vector<std::string> names;
  for (const auto& [file, member] : arrays_named(word)) {
    names.push_back(file.filename().string() + (member.empty() ? "" : "|" + member));
  }
  return names;
}

using Names = std::vector<std::string>;

BOOST_AUTO_TEST_CASE(numbers_in_names_count_as_numbers) {
  const Names sorted{"a",         "part-2",     "part-2b",  "part-10",
                     "part-10x1", "part-10x02", "part-100", "q"};
  Names names = sorted;
  std::ranges::sort(names, std::ranges::greater());
  std::ranges::sort(names, comes_before);
  BOOST_TEST(names == sorted, boost::test_tools::per_element());
  BOOST_TEST(!comes_before("x", "x"));
  BOOST_TEST(comes_before("x9999999999999999999998", "x9999999999999999999999"));
  BOOST_TEST(!comes_before("x01", "x1"));
  BOOST_TEST(!comes_before("x1", "x01"));
}

BOOST_AUTO_TEST_CASE(a_word_names_a_file_a_part_of_one_or_all_that_fit) {
  const TemporaryFolder folder;
  for (const char* name : {"part-10.npy", "part-2.npy", "part-1.npy", "a.npz", "odd:name.npy",
                           "odd[1].npy", "b1.npz", "b2.npz"}) {
    write_file(folder / name, {});
  }
  fs::create_directory(folder / "part-3.npy");
  const auto named = [&](const std::string& word) { return names_of((folder / word).string()); };
  BOOST_CHECK((named("part-*.npy") == Names{"part-1.npy", "part-2.npy", "part-10.npy"}));
  BOOST_CHECK((named("part-[12].npy") == Names{"part-1.npy", "part-2.npy"}));
  BOOST_CHECK((named("a.npz") == Names{"a.npz"}));
  BOOST_CHECK((named("a.npz:x") == Names{"a.npz|x"}));
  BOOST_CHECK((named("a.npz:x:y") == Names{"a.npz|x:y"}));
  BOOST_CHECK((named("b?.npz:/g/x") == Names{"b1.npz|/g/x", "b2.npz|/g/x"}));
  BOOST_CHECK((named("odd:name.npy") == Names{"odd:name.npy"}));
  BOOST_CHECK((named("odd[1].npy") == Names{"odd[1].npy"}));
  BOOST_CHECK((named("none.npy") == Names{"none.npy"}));  // whose opening says what is wrong
  const std::string nothing =
      error_of<daig::InputError>([&] { arrays_named((folder / "z*.npy").string()); });
  BOOST_TEST(contains(nothing, "z*.npy: no file fits this pattern"), nothing);
}

BOOST_AUTO_TEST_CASE(several_words_and_patterns_are_one_array) {
  const TemporaryFolder folder;
  const auto array = [](int value) {
    return npy("<i4", "(1,)", raw(std::vector<std::int32_t>{value}));
  };
  for (const int number : {2, 10, 1}) {
    write_file(folder / fmt::format("p{}.npy", number), array(number));
  }
  write_file(folder / "z.npz", zip({{"a.npy", array(77), true}, {"b.npy", array(78), false}}));
  const auto values = read_all<std::int32_t>(
      open_arrays({(folder / "z.npz:b").string(), (folder / "p*.npy").string(),
                   (folder / "z.npz:a.npy").string()}));
  BOOST_CHECK((values == std::vector<std::int32_t>{78, 1, 2, 10, 77}));
}

BOOST_AUTO_TEST_CASE(words_are_the_same_in_any_folder) {
  const auto absolute = daig::launcher::made_absolute({"a/*.npy", "/b.npz:x", ""});
  BOOST_TEST(absolute[0] == (fs::current_path() / "a/*.npy").string());
  BOOST_TEST(absolute[1] == "/b.npz:x");
  BOOST_TEST(absolute[2] == "");
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
