#include <cstdint>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <data/array_files.hpp>
#include <support/temporary_folder.hpp>

#include <daig/core/error.hpp>
#include <daig/data/npy.hpp>

BOOST_AUTO_TEST_SUITE(npy_test)

using namespace daig;
using namespace daig::data;
using namespace daig::test;

namespace {

/// The error that opening these bytes as some/x.npy ends with.
std::string refusal(const Bytes& file) {
  const std::string text = error_of<InputError>([&] { open_bytes(file, "some/x.npy"); });
  BOOST_TEST(text.starts_with("some/x.npy: "), text);
  return text;
}

std::string refusal_of_text(std::string_view header, const Bytes& elements = {}) {
  return refusal(npy_of_text(header, elements));
}

/// 0, 1, 2, ... of shape (4, 2, 3), stored in every way.
template <class T>
void check_type(const std::string& kind, ElementType type) {
  std::vector<T> numbers(24);
  std::iota(numbers.begin(), numbers.end(), T{0});
  std::vector<T> columns;  // the first index fastest
  for (std::size_t k = 0; k < 3; ++k) {
    for (std::size_t j = 0; j < 2; ++j) {
      for (std::size_t i = 0; i < 4; ++i) columns.push_back(numbers[(i * 2 + j) * 3 + k]);
    }
  }
  for (const std::string order : {"<", ">", "|", "=", ""}) {
    for (const bool fortran : {false, true}) {
      for (const unsigned version : {1U, 2U, 3U}) {
        BOOST_TEST_CONTEXT(order << kind << " fortran " << fortran << " version " << version) {
          const auto byte_order = order == ">" ? ByteOrder::big : ByteOrder::little;
          const ArraySource array =
              open_bytes(npy(order + kind, "(4, 2, 3)",
                             raw(fortran ? columns : numbers, byte_order), fortran, version));
          BOOST_CHECK(array.type() == type);
          BOOST_TEST(array.count() == 4u);
          BOOST_TEST(to_text(array.sample_shape()) == "(2, 3)");
          BOOST_TEST(array.sample_size() == 6u);
          BOOST_TEST(array.sample_bytes() == 6 * sizeof(T));
          BOOST_TEST(read_all<T>(array) == numbers, boost::test_tools::per_element());
          const std::vector<T> middle(numbers.begin() + 6, numbers.begin() + 18);
          BOOST_TEST(read_samples<T>(array, 1, 2) == middle, boost::test_tools::per_element());
        }
      }
    }
  }
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_type_in_every_order_and_version) {
  check_type<std::uint8_t>("u1", ElementType::u8);
  check_type<std::uint8_t>("b1", ElementType::boolean);
  check_type<std::int8_t>("i1", ElementType::i8);
  check_type<std::int16_t>("i2", ElementType::i16);
  check_type<std::uint16_t>("u2", ElementType::u16);
  check_type<std::uint32_t>("u4", ElementType::u32);
  check_type<std::uint64_t>("u8", ElementType::u64);
  check_type<std::uint16_t>("f2", ElementType::f16);
  check_type<std::int32_t>("i4", ElementType::i32);
  check_type<std::int64_t>("i8", ElementType::i64);
  check_type<float>("f4", ElementType::f32);
  check_type<double>("f8", ElementType::f64);
}

BOOST_AUTO_TEST_CASE(extreme_values_survive_the_swap) {
  const std::vector<std::int64_t> integers{std::numeric_limits<std::int64_t>::min(), -1,
                                           0x0102030405060708};
  BOOST_CHECK(read_all<std::int64_t>(
                  open_bytes(npy(">i8", "(3,)", raw(integers, ByteOrder::big)))) == integers);
  const std::vector<double> numbers{-0.0, 1e-308, -1.5};
  BOOST_CHECK(read_all<double>(open_bytes(npy(">f8", "(3,)", raw(numbers, ByteOrder::big)))) ==
              numbers);
}

BOOST_AUTO_TEST_CASE(the_dict_may_be_written_in_any_way_that_python_reads) {
  const Bytes two = raw<float>({1, 2});
  for (const char* text : {
           "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }          \n",
           "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}",
           "{\"shape\":(2,),\"fortran_order\":False,\"descr\":\"<f4\"}\n",
           "  {  'shape'  :  ( 2 , ) , 'descr' : '<f4' , 'fortran_order' : False  }  \n\n",
           "{'shape': (2L,), 'fortran_order': False, 'descr': '<f4'}\n",
           "{'shape': (2, 1, 1), 'fortran_order': True, 'descr': '<f4'}\n",
       }) {
    BOOST_TEST_CONTEXT(text) {
      BOOST_CHECK(
          (read_all<float>(open_bytes(npy_of_text(text, two))) == std::vector<float>{1, 2}));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_damaged_dict_is_an_error_that_quotes_the_place) {
  struct Case {
    const char* text;
    const char* part;
  };
  for (const Case& each : {
           Case{"", "{ expected before ''"},
           Case{"[]", "{ expected before '[]'"},
           Case{"{", "a string expected before ''"},
           Case{"{}", "all of descr, fortran_order and shape expected"},
           Case{"{'descr': '<f4', 'shape': (2,)}", "all of descr, fortran_order and shape"},
           Case{"{'descr': '<f4', 'fortran_order': False}", "all of descr"},
           Case{"{'fortran_order': False, 'shape': (2,)}", "all of descr"},
           Case{"{'descr' '<f4'}", ": expected before ''<f4'}'"},
           Case{"{'descr: 5}", "a string that ends expected"},
           Case{"{'descr': 5}", "a string expected before '5}'"},
           Case{"{'descr': '<f4' 'shape': (2,)}", "} expected before ''shape'"},
           Case{"{'descr': '<f4', 'descr': '<f4'}", "each key once"},
           Case{"{'colour': 1}", "one of the keys descr, fortran_order and shape"},
           Case{"{'fortran_order': 0}", "True or False expected before '0}'"},
           Case{"{'fortran_order': Falsetto}", "} expected before 'tto}'"},
           Case{"{'shape': [2]}", "( expected before '[2]}'"},
           Case{"{'shape': 2}", "( expected before '2}'"},
           Case{"{'shape': (2)}", "the comma of a tuple expected before ')}'"},
           Case{"{'shape': (2 3)}", "the comma of a tuple"},
           Case{"{'shape': (2, 3 4)}", ") expected before '4)}'"},
           Case{"{'shape': (-2,)}", "an extent from 0 to 2^64 - 1 expected before '-2,)}'"},
           Case{"{'shape': (2.5,)}", "the comma of a tuple"},
           Case{"{'shape': (18446744073709551616,)}", "an extent from 0 to 2^64 - 1"},
           Case{"{'shape': (,)}", "an extent"},
           Case{"{'shape': (1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1)}",
                "no more than 32 axes"},
           Case{"{'descr': '<f4', 'fortran_order': False, 'shape': (2,)} more",
                "the end of the header expected before 'more'"},
           Case{"{'\x01\xff': 1}", "one of the keys"},
       }) {
    BOOST_TEST_CONTEXT(each.text) {
      const std::string text = refusal_of_text(each.text, raw<float>({1, 2}));
      BOOST_TEST(contains(text, "its .npy header is damaged"), text);
      BOOST_TEST(contains(text, each.part), text);
      BOOST_TEST(contains(text, "numpy.save"), text);
    }
  }
}

BOOST_AUTO_TEST_CASE(an_unreadable_dtype_is_named_with_the_line_that_converts_it) {
  for (const std::string dtype : {"<c8", "<U5", "|S3", "<M8[ns]", "f16", "", "<", "u", "f44"}) {
    BOOST_TEST_CONTEXT(dtype) {
      const std::string text = refusal(npy(dtype, "(1,)", Bytes(16)));
      BOOST_TEST(contains(text, "its dtype is '" + dtype + "'"), text);
      BOOST_TEST(contains(text,
                          "python3 -c \"import numpy as np; np.save(r'some/x.f4.npy', "
                          "np.load(r'some/x.npy').astype('f4'))\""),
                 text);
    }
  }
}

BOOST_AUTO_TEST_CASE(objects_are_refused_and_never_unpickled) {
  const Bytes pickle = to_bytes("\x80\x04\x95");
  for (const char* dtype : {"|O", "O", "|O8"}) {
    const std::string text = refusal(npy(dtype, "(1,)", pickle));
    BOOST_TEST(contains(text, "pickled Python objects"), text);
    BOOST_TEST(contains(text, "allow_pickle=True"), text);
    BOOST_TEST(contains(text, "np.stack(list(a)).astype('f4')"), text);
  }
}

BOOST_AUTO_TEST_CASE(a_raw_pickle_is_known_and_refused) {
  for (const char* start : {"\x80\x02}q", "\x80\x03}q", "\x80\x04\x95\x10", "\x80\x05\x95\x10"}) {
    const std::string text = refusal(to_bytes(start));
    BOOST_TEST(contains(text, "is a pickle, which is never unpickled"), text);
    BOOST_TEST(contains(text, "np.load(r'some/x.npy', allow_pickle=True)"), text);
  }
  const std::string zipped =
      error_of<InputError>([] { open_bytes(gzip(to_bytes("\x80\x04\x95\x10")), "mnist.pkl.gz"); });
  BOOST_TEST(contains(zipped, "open(r'mnist.pkl.gz')"), zipped);
  BOOST_TEST(!contains(refusal(to_bytes("\x80\x01?")), "pickle"));
}

BOOST_AUTO_TEST_CASE(records_are_refused_with_a_way_out) {
  const std::string text = refusal_of_text(
      "{'descr': [('age', '<i4'), ('name', '<U4')], 'fortran_order': False, 'shape': (1,)}");
  BOOST_TEST(contains(text, "a record with named fields, [('age', '<i4'), ('name', '<U4')]"), text);
  BOOST_TEST(contains(text, "array['field']"), text);
}

BOOST_AUTO_TEST_CASE(absurd_shapes_are_refused_before_anything_is_allocated) {
  const Bytes few(8);
  BOOST_TEST(contains(refusal(npy("<f8", "(1152921504606846976,)", few)), "more than 2^62 bytes"));
  BOOST_TEST(contains(refusal(npy("|u1", "(1152921504606846976,)", few)), "truncated"));
  BOOST_TEST(contains(refusal(npy("|u1", "(4294967296, 4294967296)", few)), "more than 2^62"));
  BOOST_TEST(contains(refusal(npy("|u1", "(18446744073709551615, 18446744073709551615)", few)),
                      "more than 2^62 bytes"));
  BOOST_TEST(contains(refusal(npy("|u1", "(0, 5)", {})), "holds no element"));
  BOOST_TEST(contains(refusal(npy("|u1", "(5, 0)", {})), "holds no element"));
  BOOST_TEST(contains(refusal(npy("|u1", "()", Bytes(1))), "has 0 axes"));
}

BOOST_AUTO_TEST_CASE(the_file_must_have_the_size_that_its_header_says) {
  const std::string shorter = refusal(npy("<f4", "(3,)", Bytes(11)));
  BOOST_TEST(contains(shorter, "f32 of shape (3,)"), shorter);
  BOOST_TEST(contains(shorter, "truncated"), shorter);
  BOOST_TEST(contains(refusal(npy("<f4", "(3,)", Bytes(13))), "appended"));
}

BOOST_AUTO_TEST_CASE(a_header_longer_than_the_file_or_than_any_header_is_refused) {
  Bytes file = npy("<f4", "(2,)", Bytes(8));
  file[8] = std::byte{0xFF};
  file[9] = std::byte{0x7F};
  BOOST_TEST(contains(refusal(file), "truncated: its .npy header takes"));
  Bytes huge = npy_of_text(std::string(100000, ' '), {}, 2);
  BOOST_TEST(contains(refusal(huge), "claims 100012 bytes"));
  huge[8] = huge[9] = huge[10] = huge[11] = std::byte{0xFF};
  BOOST_TEST(contains(refusal(huge), "the header is damaged"));
}

BOOST_AUTO_TEST_CASE(other_format_versions_are_refused) {
  Bytes file = npy("<f4", "(2,)", Bytes(8));
  for (const int major : {0, 4, 255}) {
    file[6] = static_cast<std::byte>(major);
    BOOST_TEST(contains(refusal(file), fmt::format(".npy format version is {}.0", major)));
  }
  file[6] = std::byte{1};
  file[7] = std::byte{1};
  BOOST_TEST(contains(refusal(file), ".npy format version is 1.1"));
}

BOOST_AUTO_TEST_CASE(every_truncation_is_an_error_with_the_name) {
  const Bytes whole = npy("<f4", "(2, 2)", raw<float>({1, 2, 3, 4}));
  BOOST_CHECK_NO_THROW(open_bytes(whole));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    BOOST_TEST_CONTEXT(size) {
      refusal({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)});
    }
  }
}

BOOST_AUTO_TEST_CASE(the_parser_alone_knows_its_magic) {
  BOOST_TEST(!is_npy(to_bytes("\x93NUMP")));
  BOOST_TEST(is_npy(to_bytes("\x93NUMPY")));
  BOOST_CHECK_THROW(parse_npy_header(to_bytes("hello, world"), "x"), InputError);
}

BOOST_AUTO_TEST_SUITE(writing)

BOOST_AUTO_TEST_CASE(what_is_written_reads_back) {
  const TemporaryFolder folder;
  const std::vector<float> values{1.5F, -2, 3, 4, 5, std::numeric_limits<float>::infinity()};
  for (const Shape& shape : {Shape{6}, Shape{2, 3}, Shape{1, 2, 3, 1}, Shape{6, 1}}) {
    BOOST_TEST_CONTEXT(to_text(shape)) {
      write_npy(folder / "y.npy", shape, values);
      const ArraySource array = open_array(folder / "y.npy");
      BOOST_CHECK(array.type() == ElementType::f32);
      BOOST_TEST(array.count() == shape.front());
      BOOST_TEST(to_text(array.sample_shape()) == to_text(std::span(shape).subspan(1)));
      BOOST_CHECK(read_all<float>(array) == values);
    }
  }
}

BOOST_AUTO_TEST_CASE(the_elements_begin_at_a_multiple_of_64_as_numpy_has_it) {
  const TemporaryFolder folder;
  for (const std::size_t count : {0, 1, 1000, 100000}) {
    const std::vector<float> values(count);
    write_npy(folder / "y.npy", Shape{count}, values);
    BOOST_TEST((read_file(folder / "y.npy").size() - 4 * count) % 64 == 0u);
  }
}

BOOST_AUTO_TEST_CASE(an_older_file_is_replaced_and_nothing_else_is_left) {
  const TemporaryFolder folder;
  write_file(folder / "y.npy", to_bytes("old"));
  write_npy(folder / "y.npy", Shape{1}, std::vector<float>{7});
  BOOST_CHECK(read_all<float>(open_array(folder / "y.npy")) == std::vector<float>{7});
  BOOST_TEST(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
}

BOOST_AUTO_TEST_CASE(a_place_that_cannot_be_written_is_named_and_stays_as_it_was) {
  const TemporaryFolder folder;
  const std::string missing = error_of<IoError>(
      [&] { write_npy(folder / "none" / "y.npy", Shape{1}, std::vector<float>{7}); });
  BOOST_TEST(contains(missing, (folder / "none" / "y.npy").native()), missing);
  std::filesystem::create_directories(folder / "taken.npy" / "inside");
  const std::string taken =
      error_of<IoError>([&] { write_npy(folder / "taken.npy", Shape{1}, std::vector<float>{7}); });
  BOOST_TEST(taken.starts_with((folder / "taken.npy").native() + ": "), taken);
  BOOST_TEST(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
}

BOOST_AUTO_TEST_CASE(values_that_do_not_fill_the_shape_break_the_contract) {
  const TemporaryFolder folder;
  BOOST_CHECK_THROW(write_npy(folder / "y.npy", Shape{2}, std::vector<float>{7}),
                    ContractViolation);
  BOOST_TEST(!std::filesystem::exists(folder / "y.npy"));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE_END()
