#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <data/zip_files.hpp>
#include <support/temporary_folder.hpp>

#include <daig/core/error.hpp>
#include <daig/data/dataset.hpp>
#include <daig/data/npz.hpp>

BOOST_AUTO_TEST_SUITE(npz_test)

using namespace daig;
using namespace daig::data;
using namespace daig::test;

namespace {

const std::vector<float> features{1, 2, 3, 4, 5, 6};
const std::vector<std::int32_t> labels{7, 8, 9};

/// What numpy.savez writes, or numpy.savez_compressed.
std::vector<Zipped> pair(bool deflated) {
  return {{"x.npy", npy("<f4", "(3, 2)", raw(features)), deflated},
          {"y.npy", npy("<i4", "(3,)", raw(labels)), deflated}};
}

ArraySource open_member(const Bytes& file, std::string_view member) {
  return open_array(bytes_in_memory("some/x.npz", file), member);
}

std::string refusal(const Bytes& file, std::string_view member = {}) {
  const std::string text = error_of<InputError>([&] { open_member(file, member); });
  BOOST_TEST(text.starts_with("some/x.npz"), text);
  return text;
}

}  // namespace

BOOST_AUTO_TEST_CASE(members_are_read_stored_and_deflated_in_32_and_64_bits) {
  for (const bool deflated : {false, true}) {
    for (const ZipNumbers numbers : {ZipNumbers::bits_32, ZipNumbers::bits_64}) {
      const Bytes file = zip(pair(deflated), numbers);
      BOOST_CHECK((npz_names(*bytes_in_memory("f", file)) == std::vector<std::string>{"x", "y"}));
      const ArraySource x = open_member(file, "x");
      BOOST_TEST(x.name() == "some/x.npz:x");
      BOOST_TEST(x.count() == 3u);
      BOOST_CHECK(read_all<float>(x) == features);
      BOOST_CHECK((read_samples<float>(x, 1, 1) == std::vector<float>{3, 4}));
      BOOST_CHECK(read_all<std::int32_t>(open_member(file, "y.npy")) == labels);
    }
  }
}

BOOST_AUTO_TEST_CASE(an_array_of_many_pieces_is_unpacked_whole) {
  std::vector<std::int64_t> many(200000);
  for (std::size_t i = 0; i < many.size(); ++i) many[i] = static_cast<std::int64_t>(i * i % 977);
  const Bytes file = zip({{"a.npy", npy("<i8", "(200000,)", raw(many)), true}});
  BOOST_CHECK(read_all<std::int64_t>(open_member(file, "")) == many);
}

BOOST_AUTO_TEST_CASE(a_comment_may_follow) {
  Bytes file = zip(pair(false));
  file[file.size() - 2] = std::byte{5};
  file = file + to_bytes("PK\x05\x06!");
  BOOST_CHECK(read_all<float>(open_member(file, "x")) == features);
}

BOOST_AUTO_TEST_CASE(the_only_array_needs_no_name_and_several_do) {
  const Bytes one = zip({{"arr_0.npy", npy("<i4", "(3,)", raw(labels)), false}});
  BOOST_CHECK(read_all<std::int32_t>(open_member(one, "")) == labels);
  const std::string several = refusal(zip(pair(false)));
  BOOST_TEST(contains(several, "holds x, y; say which array is meant, as in some/x.npz:NAME"),
             several);
  BOOST_TEST(contains(refusal(zip(pair(false)), "z"), "has no array 'z'; it holds x, y"));
  BOOST_TEST(contains(refusal(zip({}), "z"), "it holds no array"));
  const std::string none = error_of<InputError>(
      [] { open_array(bytes_in_memory("y.npy", npy("<i4", "(3,)", raw(labels))), "x"); });
  BOOST_TEST(contains(none, "y.npy: is no .npz file"), none);
}

BOOST_AUTO_TEST_CASE(what_is_in_a_member_is_judged_as_a_file_would_be) {
  const auto member = [](Bytes content, bool deflated) {
    return zip({{"a.npy", std::move(content), deflated}});
  };
  for (const bool deflated : {false, true}) {
    const std::string objects = refusal(member(npy("|O", "(1,)", to_bytes("\x80\x04")), deflated));
    BOOST_TEST(objects.starts_with("some/x.npz:a: "), objects);
    BOOST_TEST(contains(objects, "np.load(r'some/x.npz', allow_pickle=True)['a']"), objects);
    BOOST_TEST(contains(refusal(member(npy("<c8", "(1,)", Bytes(8)), deflated)),
                        "np.load(r'some/x.npz')['a'].astype('f4')"));
    refusal(member(npy("<f4", "(3,)", Bytes(11)), deflated));
    refusal(member(npy("<f4", "(3,)", Bytes(13)), deflated));
    refusal(member(npy("<f8", "(1152921504606846,)", Bytes(8)), deflated));
    BOOST_TEST(contains(refusal(member(to_bytes("\x80\x04\x95"), deflated)), "is a pickle"));
    refusal(member({}, deflated));
  }
}

BOOST_AUTO_TEST_CASE(a_name_from_the_file_cannot_speak_to_a_shell) {
  const Bytes file = zip({{"a';$(rm)\x1b\".npy", npy("|O", "(1,)", Bytes(1)), false}});
  const std::string text = refusal(file);
  BOOST_TEST(text.starts_with("some/x.npz:a????rm???: "), text);
}

BOOST_AUTO_TEST_CASE(damage_is_found) {
  const Bytes whole = zip(pair(true));
  for (std::size_t size = 4; size < whole.size(); ++size) {
    BOOST_TEST_CONTEXT(size) {
      refusal({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)}, "x");
    }
  }
  Bytes changed = whole;
  changed[14] = changed[14] ^ std::byte{1};  // in a local header, which is not believed
  BOOST_CHECK_NO_THROW(open_member(changed, "x"));
  std::size_t refused = 0;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    Bytes damaged = whole;
    damaged[at] = damaged[at] ^ std::byte{0x40};
    try {
      BOOST_CHECK(read_all<float>(open_member(damaged, "x")) == features);
    } catch (const InputError&) {
      ++refused;
    }
  }
  BOOST_TEST(refused > 50u);
}

BOOST_AUTO_TEST_CASE(what_other_programs_do_to_members_is_refused) {
  const auto with = [](std::size_t at_in_directory, unsigned value) {
    Bytes file = zip({pair(false).front()});
    const Bytes mark = to_bytes("PK\x01\x02");
    const auto entry = std::search(file.begin(), file.end(), mark.begin(), mark.end());
    entry[static_cast<std::ptrdiff_t>(at_in_directory)] = static_cast<std::byte>(value);
    return file;
  };
  BOOST_TEST(contains(refusal(with(8, 1)), "is encrypted"));
  BOOST_TEST(contains(refusal(with(10, 12)), "packed in another way"));
  BOOST_TEST(contains(refusal(with(45, 0x10)), "does not lie where"));
  BOOST_TEST(contains(refusal(with(23, 0x10)), "does not lie where"));
}

BOOST_AUTO_TEST_CASE(a_dataset_is_four_arrays_or_two) {
  const TemporaryFolder folder;
  std::vector<Zipped> members{{"x_test.npy", npy("<f4", "(3, 2)", raw(features)), false},
                              {"x_train.npy", npy("<f4", "(3, 2)", raw(features)), true},
                              {"y_train.npy", npy("<i4", "(3,)", raw(labels)), true},
                              {"y_test.npy", npy("<i4", "(3,)", raw(labels)), false}};
  write_file(folder / "mnist.npz", zip(members));
  const DatasetSplits splits = open_dataset((folder / "mnist.npz").string());
  BOOST_TEST(splits.train.count() == 3u);
  BOOST_REQUIRE(splits.test);
  BOOST_CHECK(read_all<float>(splits.test->features()) == features);
  members.pop_back();
  write_file(folder / "half.npz", zip(members));
  BOOST_CHECK_THROW(open_dataset((folder / "half.npz").string()), InputError);
  members.erase(members.begin());
  write_file(folder / "train.npz", zip(members));
  BOOST_CHECK(!open_dataset((folder / "train.npz").string()).test);
  write_file(folder / "x.npy", npy("<i4", "(3,)", raw(labels)));
  const std::string other =
      error_of<InputError>([&] { open_dataset((folder / "x.npy").string()); });
  BOOST_TEST(contains(other, "--data and --labels"), other);
}

BOOST_AUTO_TEST_SUITE_END()
