#include <cstdint>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <data/array_files.hpp>

#include <daig/core/error.hpp>
#include <daig/data/dataset.hpp>
#include <daig/data/joined_arrays.hpp>

BOOST_AUTO_TEST_SUITE(joined_arrays_test)

using namespace daig;
using namespace daig::data;
using namespace daig::test;

namespace {

/// Samples of two numbers each: first, first + 0.5, first + 1, ...
ArraySource part(std::string name, std::uint64_t samples, float first) {
  std::vector<float> values(2 * samples);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = first + static_cast<float>(i) / 2;
  return open_bytes(npy("<f4", fmt::format("({}, 2)", samples), raw(values)), std::move(name));
}

std::string refusal(const Bytes& second) {
  return error_of<InputError>([&] {
    join({part("a.npy", 2, 0), part("b.npy", 1, 2), open_bytes(second, "c.npy")});
  });
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_parts_read_as_one_wherever_the_reading_begins_and_ends) {
  const ArraySource joined = join({part("a", 3, 0), part("b", 1, 3), part("c", 5, 4)});
  BOOST_TEST(joined.count() == 9u);
  BOOST_TEST(joined.sample_size() == 2u);
  BOOST_TEST(joined.name() == "a and 2 more");
  const std::vector<float> all = read_all<float>(part("whole", 9, 0));
  for (std::uint64_t first = 0; first < 9; ++first) {
    for (std::uint64_t count = 0; first + count <= 9; ++count) {
      const auto start = all.begin() + static_cast<std::ptrdiff_t>(2 * first);
      const std::vector<float> expected(start, start + static_cast<std::ptrdiff_t>(2 * count));
      BOOST_CHECK(read_samples<float>(joined, first, count) == expected);
    }
  }
}

BOOST_AUTO_TEST_CASE(one_part_stays_what_it_is) {
  BOOST_TEST(join({part("a", 3, 0)}).name() == "a");
  BOOST_CHECK_THROW(join({}), ContractViolation);
}

BOOST_AUTO_TEST_CASE(parts_that_are_not_alike_are_named) {
  const std::string type = refusal(npy("<f8", "(2, 2)", Bytes(32)));
  BOOST_TEST(
      type.starts_with("c.npy: holds f64 of shape (2,) for each sample, but a.npy, the first "
                       "of these files, f32 of shape (2,)"),
      type);
  const std::string shape = refusal(npy("<f4", "(2, 1, 2)", Bytes(16)));
  BOOST_TEST(shape.starts_with("c.npy: holds f32 of shape (1, 2)"), shape);
}

BOOST_AUTO_TEST_CASE(a_sample_is_located_in_its_file_also_from_a_slice) {
  const ArraySource joined = join({part("a", 3, 0), part("b", 1, 3), part("c", 5, 4)});
  BOOST_TEST(joined.locate(2).name == "a");
  BOOST_TEST(joined.locate(3).name == "b");
  BOOST_TEST(joined.locate(3).sample == 0u);
  const ArraySource last = joined.slice(2, 6).slice(1, 4);
  BOOST_TEST(last.count() == 4u);
  BOOST_TEST(last.locate(0).name == "b");
  BOOST_TEST(last.locate(2).name == "c");
  BOOST_TEST(last.locate(2).sample == 1u);
  BOOST_CHECK((read_samples<float>(last, 0, 2) == std::vector<float>{3, 3.5, 4, 4.5}));
  BOOST_CHECK_THROW(joined.slice(5, 5), ContractViolation);
  BOOST_CHECK_THROW(joined.slice(5, 0), ContractViolation);
  BOOST_CHECK_THROW(read_samples<float>(last, 3, 2), ContractViolation);
}

BOOST_AUTO_TEST_CASE(errors_about_samples_name_the_part) {
  const auto labels = [](std::string name, std::vector<std::int32_t> values) {
    return open_bytes(npy("<i4", fmt::format("({},)", values.size()), raw(values)),
                      std::move(name));
  };
  const Dataset dataset(join({part("a", 3, 0), part("b", 2, 3)}),
                        join({labels("p", {0, 1}), labels("q", {2, 9, -1})}));
  const std::string above = error_of<InputError>([&] { check_labels(dataset.slice(0, 4), 9); });
  BOOST_TEST(above.starts_with("q: the label of sample 1 is 9"), above);
  const std::string below = error_of<InputError>([&] { check_labels(dataset.slice(4, 1), 9); });
  BOOST_TEST(below.starts_with("q: the label of sample 2 is -1"), below);
}

BOOST_AUTO_TEST_SUITE_END()
