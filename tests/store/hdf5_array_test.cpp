#include <algorithm>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <data/array_files.hpp>
#include <hdf5.h>
#include <store/keras_sample.hpp>
#include <support/temporary_folder.hpp>

#include <daig/core/error.hpp>
#include <daig/store/hdf5_array.hpp>

BOOST_AUTO_TEST_SUITE(hdf5_array_test)

namespace {

using namespace daig;
using namespace daig::test;
using data::ElementType;
using keras::good;
namespace fs = std::filesystem;

enum class Kept { contiguous, chunked, packed, shuffled_with_checksum };

hid_t creation(Kept kept, const std::vector<hsize_t>& chunk) {
  const hid_t list = good(H5Pcreate(H5P_DATASET_CREATE));
  if (kept == Kept::contiguous) return list;
  good(H5Pset_chunk(list, static_cast<int>(chunk.size()), chunk.data()));
  if (kept == Kept::shuffled_with_checksum) good(H5Pset_shuffle(list));
  if (kept != Kept::chunked) good(H5Pset_deflate(list, 6));
  if (kept == Kept::shuffled_with_checksum) good(H5Pset_fletcher32(list));
  return list;
}

template <class T>
void write_array(const fs::path& path, const std::string& name, hid_t stored, hid_t held,
                 const std::vector<hsize_t>& shape, const std::vector<T>& values,
                 Kept kept = Kept::contiguous, const std::vector<hsize_t>& chunk = {},
                 hid_t access = H5P_DEFAULT) {
  const hid_t file = fs::exists(path)
                         ? good(H5Fopen(path.c_str(), H5F_ACC_RDWR, access))
                         : good(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access));
  const hid_t list = creation(kept, chunk);
  keras::create_array(file, name, stored, shape, list);
  const hid_t array = good(H5Dopen2(file, name.c_str(), H5P_DEFAULT));
  if (!values.empty()) {
    good(H5Dwrite(array, held, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()));
  }
  H5Dclose(array);
  H5Pclose(list);
  H5Fclose(file);
}

data::ArraySource open(const fs::path& path, const std::string& array = "") {
  return data::ArraySource(store::open_hdf5_array(path, array));
}

std::string refusal(const fs::path& path, const std::string& array = "") {
  const std::string text = error_of<InputError>([&] { open(path, array); });
  BOOST_TEST(text.starts_with(path.string()), text);
  return text;
}

struct Folder {
  TemporaryFolder folder;
  fs::path path = folder / "f.h5";
};

std::vector<float> counted(std::size_t count) {
  std::vector<float> values(count);
  std::iota(values.begin(), values.end(), 0.0F);
  return values;
}

BOOST_FIXTURE_TEST_CASE(any_rows_of_any_storage, Folder) {
  const std::vector<float> values = counted(11 * 3 * 5);
  const auto all = [&](Kept kept, const std::vector<hsize_t>& chunk) {
    fs::remove(path);
    write_array(path, "/g/x", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, {11, 3, 5}, values, kept, chunk);
    const data::ArraySource array = open(path, "/g/x");
    BOOST_TEST(array.name() == path.string() + ":/g/x");
    BOOST_TEST(array.count() == 11u);
    BOOST_TEST(data::to_text(array.sample_shape()) == "(3, 5)");
    for (std::uint64_t first = 0; first < 11; ++first) {
      for (std::uint64_t count = 1; first + count <= 11; ++count) {
        const auto start = values.begin() + static_cast<std::ptrdiff_t>(15 * first);
        const std::vector<float> expected(start, start + static_cast<std::ptrdiff_t>(15 * count));
        BOOST_CHECK(read_samples<float>(array, first, count) == expected);
      }
    }
  };
  all(Kept::contiguous, {});
  for (const Kept kept : {Kept::chunked, Kept::packed, Kept::shuffled_with_checksum}) {
    all(kept, {4, 3, 5});
    all(kept, {3, 2, 2});
    all(kept, {11, 1, 1});
  }
}

template <class T>
void check_type(const fs::path& path, hid_t stored, hid_t held, ElementType type) {
  BOOST_TEST_CONTEXT(data::name_of(type)) {
    fs::remove(path);
    const std::vector<T> values{T(1), T(2), T(125), T(0)};
    write_array(path, "x", stored, held, {4}, values);
    const data::ArraySource array = open(path);  // the only one needs no name
    BOOST_CHECK(array.type() == type);
    BOOST_CHECK(read_all<T>(array) == values);
  }
}

BOOST_FIXTURE_TEST_CASE(every_type_in_both_byte_orders, Folder) {
  check_type<std::uint8_t>(path, H5T_STD_U8LE, H5T_NATIVE_UINT8, ElementType::u8);
  check_type<std::int8_t>(path, H5T_STD_I8BE, H5T_NATIVE_INT8, ElementType::i8);
  check_type<std::int16_t>(path, H5T_STD_I16BE, H5T_NATIVE_INT16, ElementType::i16);
  check_type<std::uint16_t>(path, H5T_STD_U16LE, H5T_NATIVE_UINT16, ElementType::u16);
  check_type<std::int32_t>(path, H5T_STD_I32BE, H5T_NATIVE_INT32, ElementType::i32);
  check_type<std::uint32_t>(path, H5T_STD_U32LE, H5T_NATIVE_UINT32, ElementType::u32);
  check_type<std::int64_t>(path, H5T_STD_I64LE, H5T_NATIVE_INT64, ElementType::i64);
  check_type<std::uint64_t>(path, H5T_STD_U64BE, H5T_NATIVE_UINT64, ElementType::u64);
  check_type<float>(path, H5T_IEEE_F32BE, H5T_NATIVE_FLOAT, ElementType::f32);
  check_type<double>(path, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, ElementType::f64);
  const hid_t half = keras::number_type(keras::Number::f16);
  check_type<std::uint16_t>(path, half, half, ElementType::f16);
  H5Tclose(half);
  const hid_t boolean = good(H5Tenum_create(H5T_NATIVE_INT8));
  const std::int8_t no = 0, yes = 1;
  good(H5Tenum_insert(boolean, "FALSE", &no));
  good(H5Tenum_insert(boolean, "TRUE", &yes));
  fs::remove(path);
  write_array(path, "x", boolean, boolean, {3}, std::vector<std::uint8_t>{1, 0, 1});
  H5Tclose(boolean);
  BOOST_CHECK(open(path).type() == ElementType::boolean);
  BOOST_CHECK((read_all<std::uint8_t>(open(path)) == std::vector<std::uint8_t>{1, 0, 1}));
}

BOOST_FIXTURE_TEST_CASE(two_arrays_of_one_file_are_read_by_several_threads, Folder) {
  const std::vector<float> values = counted(1000);
  write_array(path, "x", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, {100, 10}, values, Kept::packed,
              {7, 10});
  write_array(path, "y", H5T_STD_I32LE, H5T_NATIVE_FLOAT, {1000}, values);
  const data::ArraySource x = open(path, "/x");
  {
    const data::ArraySource y = open(path, "y");
    BOOST_TEST(read_samples<std::int32_t>(y, 999, 1).front() == 999);
  }  // the file is closed for one, and still open for the other
  std::vector<int> wrong(4);
  std::vector<std::thread> threads;
  for (std::size_t thread = 0; thread < wrong.size(); ++thread) {
    threads.emplace_back([&, thread] {
      for (std::uint64_t sample = thread; sample < 100; sample += 3) {
        const auto got = read_samples<float>(x, sample, 1);
        if (!std::equal(got.begin(), got.end(),
                        values.begin() + static_cast<std::ptrdiff_t>(10 * sample))) {
          ++wrong[thread];
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  BOOST_TEST(wrong == std::vector<int>(4), boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(which_array_is_meant_has_to_be_said, Folder) {
  write_array(path, "/b", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, {2}, counted(2));
  write_array(path, "/a/c", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, {2}, counted(2));
  BOOST_CHECK((store::hdf5_array_names(path) == std::vector<std::string>{"/a/c", "/b"}));
  BOOST_TEST(contains(refusal(path), "holds /a/c, /b; say which array is meant, as in"));
  BOOST_TEST(contains(refusal(path, "/d"), "has no array '/d' of numbers: /d cannot be found"));
  BOOST_TEST(contains(refusal(path, "/d"), "the file holds /a/c, /b"));
  BOOST_TEST(contains(refusal(path, "/a"), "has no array '/a'"));
}

BOOST_FIXTURE_TEST_CASE(what_is_no_array_of_samples_is_refused, Folder) {
  const hid_t text = good(H5Tcopy(H5T_C_S1));
  good(H5Tset_size(text, 4));
  write_array(path, "text", text, text, {1}, std::vector<char>{'a', 'b', 'c', 'd'});
  H5Tclose(text);
  write_array(path, "empty", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, {0, 3}, std::vector<float>{});
  write_array(path, "missing", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, {9}, std::vector<float>{},
              Kept::chunked, {3});
  keras::change(path, [](hid_t file) {
    const hid_t space = good(H5Screate(H5S_SCALAR));
    const hid_t scalar = good(
        H5Dcreate2(file, "scalar", H5T_IEEE_F32LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    const float value = 5;
    good(H5Dwrite(scalar, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, &value));
    H5Dclose(scalar);
    H5Sclose(space);
    good(H5Lcreate_external("/etc/passwd", "/x", file, "elsewhere", H5P_DEFAULT, H5P_DEFAULT));
    good(H5Lcreate_soft("/nowhere", file, "dangling", H5P_DEFAULT, H5P_DEFAULT));
    good(H5Lcreate_hard(file, "/", file, "round", H5P_DEFAULT, H5P_DEFAULT));
  });
  BOOST_TEST(contains(refusal(path, "text"), "nor integers"));
  BOOST_TEST(contains(refusal(path, "empty"), "holds no element"));
  BOOST_TEST(contains(refusal(path, "missing"), "too few"));
  BOOST_TEST(contains(refusal(path, "scalar"), "has 0 axes"));
  BOOST_TEST(contains(refusal(path, "elsewhere"), "has no array"));
  BOOST_TEST(contains(refusal(path, "dangling"), "has no array"));
}

BOOST_FIXTURE_TEST_CASE(a_table_is_no_array_and_hides_none, Folder) {
  write_array(path, "x", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, {2}, counted(2));
  const hid_t row = good(H5Tcreate(H5T_COMPOUND, 8));
  good(H5Tinsert(row, "a", 0, H5T_IEEE_F32LE));
  good(H5Tinsert(row, "b", 4, H5T_IEEE_F32LE));
  write_array(path, "table", row, row, {1}, counted(2));
  H5Tclose(row);
  BOOST_TEST(open(path).count() == 2u);
  BOOST_TEST(contains(refusal(path, "table"),
                      "has no array 'table' of numbers: the type of /table is of an "
                      "unusual kind; the file holds /x"));
}

BOOST_FIXTURE_TEST_CASE(an_array_in_other_files_is_refused, Folder) {
  const hid_t file = good(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
  const hid_t list = good(H5Pcreate(H5P_DATASET_CREATE));
  good(H5Pset_external(list, "/etc/passwd", 0, 8));
  keras::create_array(file, "x", H5T_IEEE_F32LE, {2}, list);
  H5Pclose(list);
  H5Fclose(file);
  BOOST_TEST(contains(refusal(path), "lies in another file"));
}

/// A file in HDF5 1.8's own format has other headers.
void write_in_format(const fs::path& path, H5F_libver_t format) {
  const hid_t access = good(H5Pcreate(H5P_FILE_ACCESS));
  good(H5Pset_libver_bounds(access, format, format));
  write_array(path, "x", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, {100, 10}, counted(1000), Kept::packed,
              {10, 10}, access);
  H5Pclose(access);
}

BOOST_FIXTURE_TEST_CASE(a_later_format_is_refused_with_advice, Folder) {
  write_in_format(path, H5F_LIBVER_V110);
  BOOST_TEST(contains(refusal(path), "h5repack -l CONTI --high=1"));
}

/// Where a text stands in a file for the first time.
std::size_t find(const Bytes& file, const std::string& text) {
  const Bytes sought = to_bytes(text);
  return static_cast<std::size_t>(
      std::search(file.begin(), file.end(), sought.begin(), sought.end()) - file.begin());
}

BOOST_FIXTURE_TEST_CASE(links_and_chunks_lie_inside_the_file, Folder) {
  write_in_format(path, H5F_LIBVER_V18);
  const Bytes in_format_of_1_8 = read_file(path);
  write_array(folder / "old.h5", "x", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, {100, 10}, counted(1000),
              Kept::packed, {10, 10});
  const Bytes old = read_file(folder / "old.h5");

  const auto refused = [&](Bytes file, std::size_t at, std::size_t bytes, const std::string& why) {
    BOOST_TEST_REQUIRE(at + bytes <= file.size());
    std::fill_n(file.begin() + static_cast<std::ptrdiff_t>(at), bytes, std::byte{0xFF});
    write_file(path, file);
    const std::string text = refusal(path, "x");
    BOOST_TEST(contains(text, why), text);
  };
  constexpr std::size_t tree_head = 24;
  constexpr std::size_t chunk_key = 8 + 8 * 3;
  const std::string links{"TREE\0", 5};
  const std::string chunks{"TREE\1", 5};
  const std::string beyond = "lies beyond the end of the file";
  refused(old, find(old, links), 4, "the list of links of / leads nowhere");
  refused(old, find(old, links) + tree_head + 8, 8, beyond);
  refused(old, find(old, links) + 6, 2, "has parts that overlap");  // 65,535 entries
  refused(old, find(old, "HEAP") + 24, 8, beyond);
  refused(old, find(old, "SNOD"), 4, "leads nowhere");
  refused(old, find(old, "SNOD") + 8, 8, "has a name without end");
  for (const Bytes& file : {old, in_format_of_1_8}) {
    refused(file, find(file, chunks), 4, "the place of /x leads nowhere");
    refused(file, find(file, chunks) + tree_head + chunk_key, 8, "the place of /x " + beyond);
    refused(file, find(file, chunks) + tree_head, 4, beyond);  // a chunk of 4 GB
  }
}

BOOST_FIXTURE_TEST_CASE(truncated_and_damaged_files_are_refused, Folder) {
  write_array(path, "x", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, {100, 10}, counted(1000), Kept::packed,
              {10, 10});
  const Bytes whole = read_file(path);
  BOOST_CHECK(store::is_hdf5_file(path));
  for (std::size_t size = 0; size < whole.size(); size += 97) {
    write_file(path, {whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)});
    refusal(path);
  }
  std::size_t refused = 0;
  for (std::size_t at = 0; at < whole.size(); at += 41) {
    Bytes damaged = whole;
    damaged[at] = damaged[at] ^ std::byte{0xFF};
    write_file(path, damaged);
    try {
      const data::ArraySource array = open(path);
      static_cast<void>(read_samples<float>(array, 0, std::min<std::uint64_t>(array.count(), 100)));
    } catch (const InputError&) {
      ++refused;
    }
  }
  BOOST_TEST(refused > 5u);
  write_file(path, to_bytes("no HDF5 at all"));
  BOOST_CHECK(!store::is_hdf5_file(path));
  BOOST_CHECK(!store::is_hdf5_file(folder / "none"));
  BOOST_CHECK(!store::is_hdf5_file(folder.path()));
  refusal(path);
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
