#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <data/array_files.hpp>
#include <support/temporary_folder.hpp>

#include <daig/core/error.hpp>
#include <daig/data/dataset.hpp>

BOOST_AUTO_TEST_SUITE(dataset_test)

using namespace daig;
using namespace daig::data;
using namespace daig::test;

namespace {

constexpr const char* packaged = "/usr/share/datasets/fashion-mnist";

boost::test_tools::assertion_result is_packaged(boost::unit_test::test_unit_id) {
  return std::filesystem::is_directory(packaged);
}
boost::test_tools::assertion_result is_not_packaged(boost::unit_test::test_unit_id) {
  return !std::filesystem::is_directory(packaged);
}

ArraySource features_of(std::size_t samples) {
  return open_bytes(npy("|u1", fmt::format("({}, 2)", samples), Bytes(2 * samples)), "x.npy");
}

template <class T>
Dataset labelled(std::string_view dtype, const std::vector<T>& labels) {
  return {features_of(labels.size()),
          open_bytes(npy(dtype, fmt::format("({},)", labels.size()), raw(labels)), "y.npy")};
}

std::vector<std::int32_t> all_classes(const Dataset& dataset) {
  std::vector<std::int32_t> classes(dataset.count());
  dataset.read_classes(0, classes);
  return classes;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(labels)

BOOST_AUTO_TEST_CASE(integers_of_any_type_are_classes) {
  const std::vector<std::int32_t> expected{3, 0, 2};
  BOOST_CHECK(all_classes(labelled<std::uint8_t>("|u1", {3, 0, 2})) == expected);
  BOOST_CHECK(all_classes(labelled<std::int32_t>("<i4", {3, 0, 2})) == expected);
  BOOST_CHECK(all_classes(labelled<std::int64_t>("<i8", {3, 0, 2})) == expected);
  const Dataset column(features_of(3),
                       open_bytes(npy("<i4", "(3, 1)", raw<std::int32_t>({3, 0, 2}))));
  BOOST_CHECK(column.label_kind() == LabelKind::classes);
  BOOST_CHECK(all_classes(column) == expected);
}

BOOST_AUTO_TEST_CASE(floats_are_targets_of_any_shape) {
  const Dataset dataset(features_of(2),
                        open_bytes(npy("<f8", "(2, 1, 3)", raw<double>({1, 2, 3, 4, 5, 6}))));
  BOOST_CHECK(dataset.label_kind() == LabelKind::targets);
  std::vector<float> targets(3);
  dataset.read_targets(1, targets);
  BOOST_CHECK((targets == std::vector<float>{4, 5, 6}));
  BOOST_CHECK(labelled<float>("<f4", {1, 2}).label_kind() == LabelKind::targets);
}

BOOST_AUTO_TEST_CASE(asking_for_the_other_kind_breaks_the_contract) {
  std::vector<float> targets(1);
  std::vector<std::int32_t> classes(1);
  BOOST_CHECK_THROW(labelled<std::int32_t>("<i4", {1}).read_targets(0, targets), ContractViolation);
  BOOST_CHECK_THROW(labelled<float>("<f4", {1}).read_classes(0, classes), ContractViolation);
}

BOOST_AUTO_TEST_CASE(unequal_counts_name_both_files_and_both_counts) {
  const std::string text = error_of<InputError>(
      [] { Dataset(features_of(3), open_bytes(npy("|u1", "(2,)", Bytes(2)), "y.npy")); });
  BOOST_TEST(text.starts_with("x.npy: holds 3 samples, but y.npy holds 2 labels"), text);
}

BOOST_AUTO_TEST_CASE(several_integers_a_sample_are_targets_and_no_classes) {
  const Dataset one_hot(
      features_of(2),
      open_bytes(npy("|u1", "(2, 3)", raw<std::uint8_t>({0, 0, 1, 1, 0, 0})), "y.npy"));
  BOOST_CHECK(one_hot.label_kind() == LabelKind::targets);
  BOOST_CHECK(one_hot.with_labels_as(LabelKind::targets).label_kind() == LabelKind::targets);
  const std::string text =
      error_of<InputError>([&] { one_hot.with_labels_as(LabelKind::classes); });
  BOOST_TEST(text.starts_with("y.npy: holds numbers of shape (3,)"), text);
  BOOST_TEST(contains(text, "argmax"), text);
}

template <class T>
void check_integers_as_targets(std::string_view dtype) {
  const Dataset dataset = labelled<T>(dtype, {0, 1, 200}).with_labels_as(LabelKind::targets);
  BOOST_CHECK(dataset.label_kind() == LabelKind::targets);
  std::vector<float> targets(3);
  dataset.read_targets(0, targets);
  BOOST_CHECK((targets == std::vector<float>{0, 1, 200}));
  const Batch batch = read_batch(dataset, 1, 2);
  BOOST_CHECK((batch.targets == std::vector<float>{1, 200}));
  BOOST_TEST(batch.classes.empty());
}

BOOST_AUTO_TEST_CASE(integers_taken_for_targets_are_never_scaled) {
  check_integers_as_targets<std::uint8_t>("|u1");
  check_integers_as_targets<std::int32_t>("<i4");
  check_integers_as_targets<std::int64_t>("<i8");
}

BOOST_AUTO_TEST_CASE(whole_floats_may_be_classes) {
  const std::vector<std::int32_t> expected{3, 0, 2};
  BOOST_CHECK(all_classes(labelled<float>("<f4", {3, 0, 2}).with_labels_as(LabelKind::classes)) ==
              expected);
  const Dataset column(features_of(3), open_bytes(npy("<f8", "(3, 1)", raw<double>({3, 0, 2}))));
  BOOST_CHECK(all_classes(column.with_labels_as(LabelKind::classes)) == expected);
  BOOST_TEST(class_count(column.with_labels_as(LabelKind::classes)) == 4);
  for (const double bad :
       {0.5, -1.0, 2147483647.0, 1e300, std::numeric_limits<double>::quiet_NaN()}) {
    const Dataset dataset = labelled<double>("<f8", {1, bad}).with_labels_as(LabelKind::classes);
    const std::string text = error_of<InputError>([&] { all_classes(dataset); });
    BOOST_TEST(text.starts_with(fmt::format("y.npy: the label of sample 1 is {}", bad)), text);
    BOOST_TEST(contains(text, "a whole number"), text);
  }
}

BOOST_AUTO_TEST_CASE(impossible_classes_name_the_sample_and_the_value) {
  const std::string negative = error_of<InputError>([] {
    all_classes(labelled<std::int32_t>("<i4", {0, 1, -7}));
  });
  BOOST_TEST(negative.starts_with("y.npy: the label of sample 2 is -7"), negative);
  const std::string huge = error_of<InputError>([] {
    all_classes(labelled<std::int64_t>("<i8", {0, std::int64_t{1} << 40}));
  });
  BOOST_TEST(huge.starts_with("y.npy: the label of sample 1 is 1099511627776"), huge);
  // The greatest int32 would make one class more than an int32 counts.
  BOOST_CHECK_THROW(all_classes(labelled<std::int32_t>("<i4", {0x7FFFFFFF})), InputError);
  BOOST_TEST(class_count(labelled<std::int32_t>("<i4", {0x7FFFFFFE})) == 0x7FFFFFFF);
}

BOOST_AUTO_TEST_CASE(classes_are_counted_and_checked_over_all_pieces) {
  // Four pieces of a MiB of i8.
  std::vector<std::int64_t> many(500000, 4);
  many[123456] = 8;
  many.back() = 9;
  const Dataset dataset = labelled("<i8", many);
  BOOST_TEST(class_count(dataset) == 10);
  BOOST_CHECK_NO_THROW(check_labels(dataset, 10));
  const std::string text = error_of<InputError>([&] { check_labels(dataset, 9); });
  BOOST_TEST(text.starts_with("y.npy: the label of sample 499999 is 9, but there are 9 classes, "
                              "from 0 to 8"),
             text);
  BOOST_TEST(
      contains(error_of<InputError>([&] { check_labels(dataset, 8); }), "sample 123456 is 8"));
}

BOOST_AUTO_TEST_CASE(a_target_that_is_not_finite_names_the_sample) {
  const Dataset dataset = labelled<float>("<f4", {1, 2, std::numeric_limits<float>::infinity()});
  std::vector<float> targets(2);
  const std::string text = error_of<InputError>([&] { dataset.read_targets(1, targets); });
  BOOST_TEST(text.starts_with("y.npy: element 0 of sample 2 is inf"), text);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(finite_features)

template <class T>
ArraySource many(std::string_view dtype, T bad, std::size_t place) {
  std::vector<T> values(600000, T(1));  // several pieces
  values[place] = bad;
  return open_bytes(npy(dtype, "(200000, 3)", raw(values)), "x.npy");
}

BOOST_AUTO_TEST_CASE(the_sample_and_the_value_are_named_over_all_pieces) {
  const ArraySource array = many("<f4", std::numeric_limits<float>::quiet_NaN(), 3 * 150000 + 2);
  const std::string text = error_of<InputError>([&] { check_finite(array, 0, array.count()); });
  BOOST_TEST(text.starts_with("x.npy: element 2 of sample 150000 is nan"), text);
  BOOST_CHECK_NO_THROW(check_finite(array, 0, 150000));
  BOOST_CHECK_NO_THROW(check_finite(array, 150001, 49999));
  BOOST_CHECK_THROW(check_finite(array, 150000, 1), InputError);
  const ArraySource large = many("<f8", 1e300, 4);
  BOOST_TEST(contains(error_of<InputError>([&] { check_finite(large, 0, 2); }),
                      "element 1 of sample 1 is 1e+300"));
}

BOOST_AUTO_TEST_CASE(integers_are_not_even_read) {
  const ArraySource array = many<std::int32_t>("<i4", 0x7F800000, 0);
  BOOST_CHECK_NO_THROW(check_finite(array, 0, array.count()));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(batches)

BOOST_AUTO_TEST_CASE(a_range_is_read_in_order_into_the_memory_that_is_there) {
  const Dataset dataset(
      open_bytes(npy("|u1", "(4, 2)", raw<std::uint8_t>({0, 255, 51, 102, 153, 204, 0, 0}))),
      open_bytes(npy("|u1", "(4,)", raw<std::uint8_t>({5, 6, 7, 8}))));
  Batch batch = read_batch(dataset, 1, 2);
  BOOST_TEST(batch.samples == 2u);
  BOOST_TEST(batch.sample_size == 2u);
  BOOST_TEST(batch.target_size == 0u);
  BOOST_CHECK(
      (batch.features == std::vector<float>{51 / 255.F, 102 / 255.F, 153 / 255.F, 204 / 255.F}));
  BOOST_CHECK((batch.classes == std::vector<std::int32_t>{6, 7}));
  BOOST_TEST(batch.targets.empty());
  const float* memory = batch.features.data();
  read_batch(dataset, 0, 1, batch);
  BOOST_TEST(batch.samples == 1u);
  BOOST_CHECK((batch.features == std::vector<float>{0, 1}));
  BOOST_TEST(batch.features.data() == memory);
}

BOOST_AUTO_TEST_CASE(targets_replace_classes_in_a_batch_that_is_used_again) {
  Batch batch = read_batch(labelled<std::uint8_t>("|u1", {1, 2}), 0, 2);
  const Dataset regression(features_of(2),
                           open_bytes(npy("<f4", "(2, 2)", raw<float>({1, 2, 3, 4}))));
  read_batch(regression, 0, 2, batch);
  BOOST_TEST(batch.classes.empty());
  BOOST_TEST(batch.target_size == 2u);
  BOOST_CHECK((batch.targets == std::vector<float>{1, 2, 3, 4}));
}

BOOST_AUTO_TEST_CASE(features_are_checked_on_the_way) {
  const Dataset dataset(
      open_bytes(npy("<f4", "(2,)", raw<float>({1, std::numeric_limits<float>::infinity()})), "x"),
      open_bytes(npy("|u1", "(2,)", Bytes(2))));
  BOOST_TEST(error_of<InputError>([&] {
               read_batch(dataset, 1, 1);
             }).starts_with("x: element 0 of sample 1 is inf"));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(opening)

BOOST_AUTO_TEST_CASE(a_folder_of_npy_files_with_and_without_a_test_set) {
  const TemporaryFolder folder;
  write_file(folder / "x_train.npy", npy("<f4", "(3, 2)", Bytes(24)));
  write_file(folder / "y_train.npy", npy("|u1", "(3,)", Bytes(3)));
  const DatasetSplits alone = open_dataset(folder.path().native());
  BOOST_TEST(alone.train.count() == 3u);
  BOOST_TEST(!alone.test.has_value());
  write_file(folder / "x_test.npy", npy("<f4", "(1, 2)", Bytes(8)));
  const std::string half = error_of<InputError>([&] { open_dataset(folder.path().native()); });
  BOOST_TEST(half == folder.path().native() +
                         ": has x_test.npy but no y_test.npy; features and labels come in pairs");
  write_file(folder / "y_test.npy", npy("|u1", "(1,)", Bytes(1)));
  BOOST_TEST(open_dataset(folder.path().native()).test.value().count() == 1u);
}

BOOST_AUTO_TEST_CASE(a_folder_of_idx_files_plain_and_zipped) {
  const TemporaryFolder folder;
  write_file(folder / "train-images-idx3-ubyte.gz", gzip(idx(0x08, {2, 3, 3}, Bytes(18))));
  write_file(folder / "train-labels-idx1-ubyte", idx(0x08, {2}, Bytes(2)));
  BOOST_TEST(!open_dataset(folder.path().native()).test.has_value());
  write_file(folder / "t10k-images-idx3-ubyte", idx(0x08, {1, 3, 3}, Bytes(9)));
  write_file(folder / "t10k-labels-idx1-ubyte.gz", gzip(idx(0x08, {1}, Bytes(1))));
  const DatasetSplits splits = open_dataset(folder.path().native());
  BOOST_TEST(splits.train.features().sample_size() == 9u);
  BOOST_TEST(splits.test.value().count() == 1u);
}

BOOST_AUTO_TEST_CASE(what_is_no_dataset_is_named_with_what_would_be_one) {
  const TemporaryFolder folder;
  const std::string empty = error_of<InputError>([&] { open_dataset(folder.path().native()); });
  BOOST_TEST(empty.starts_with(folder.path().native() + ": holds no dataset"), empty);
  BOOST_TEST(contains(empty, "x_train.npy"), empty);
  const std::string unknown = error_of<InputError>([] { open_dataset("fashion-mnits"); });
  BOOST_TEST(unknown.starts_with("fashion-mnits: is neither a folder, a .npz file nor the name"),
             unknown);
}

BOOST_AUTO_TEST_CASE(a_missing_file_of_two_is_named) {
  const TemporaryFolder folder;
  write_file(folder / "x.npy", npy("<f4", "(3, 2)", Bytes(24)));
  const std::string text =
      error_of<InputError>([&] { open_arrays(folder / "x.npy", folder / "y.npy"); });
  BOOST_TEST(text.starts_with((folder / "y.npy").native() + ": cannot be opened"), text);
}

BOOST_AUTO_TEST_CASE(fashion_mnist_is_whole, *boost::unit_test::precondition(is_packaged)) {
  const DatasetSplits splits = open_dataset("fashion-mnist");
  BOOST_TEST(splits.train.count() == 60000u);
  BOOST_TEST(to_text(splits.train.features().sample_shape()) == "(28, 28)");
  BOOST_CHECK(splits.train.features().type() == ElementType::u8);
  BOOST_REQUIRE(splits.test.has_value());
  BOOST_TEST(splits.test->count() == 10000u);
  for (const Dataset& dataset : {splits.train, *splits.test}) {
    BOOST_TEST(class_count(dataset) == 10);
    const std::vector<std::int32_t> classes = all_classes(dataset);
    for (std::int32_t each = 0; each < 10; ++each) {
      BOOST_TEST(std::count(classes.begin(), classes.end(), each) ==
                 static_cast<std::ptrdiff_t>(dataset.count() / 10));
    }
  }
}

BOOST_AUTO_TEST_CASE(without_the_package_its_name_is_given,
                     *boost::unit_test::precondition(is_not_packaged)) {
  const std::string text = error_of<InputError>([] { open_dataset("fashion-mnist"); });
  BOOST_TEST(contains(text, "install Debian's package dataset-fashion-mnist"), text);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE_END()
