#include <optional>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <support/temporary_folder.hpp>

#include <daig/core/error.hpp>
#include <daig/store/run_directory.hpp>

#include "file_bytes.hpp"

BOOST_AUTO_TEST_SUITE(run_directory_test)

using namespace daig;
using store::RunDirectory;

namespace {

struct Folder {
  test::TemporaryFolder folder;
  std::filesystem::path path = folder / "runs" / "first";
};

std::vector<std::uint64_t> versions(const RunDirectory& directory) {
  std::vector<std::uint64_t> values;
  for (const store::Snapshot& snapshot : directory.snapshots()) {
    values.push_back(snapshot.version.value());
  }
  return values;
}

BOOST_FIXTURE_TEST_CASE(a_new_run_has_its_places, Folder) {
  const RunDirectory directory = RunDirectory::create(path);
  BOOST_CHECK(std::filesystem::is_directory(path));
  BOOST_CHECK_EQUAL(directory.model(), path / "model.h5");
  BOOST_CHECK_EQUAL(directory.ledger(), path / "ledger.sqlite");
  BOOST_CHECK_EQUAL(directory.events(), path / "events.jsonl");
  BOOST_CHECK_EQUAL(directory.snapshot(Version{12}), path / "snapshot-12.h5");
  BOOST_CHECK(!directory.latest_snapshot());
}

BOOST_FIXTURE_TEST_CASE(a_folder_that_holds_a_run_is_not_used_for_another, Folder) {
  for (const char* trace : {"ledger.sqlite", "model.h5", "snapshot-3.h5"}) {
    BOOST_TEST_CONTEXT(trace) {
      RunDirectory::create(path);
      test::write_bytes(path / trace, "x");
      BOOST_CHECK_THROW(RunDirectory::create(path), UsageError);
      std::filesystem::remove(path / trace);
    }
  }
  test::write_bytes(path / "notes.txt", "x");  // other files are no matter
  BOOST_CHECK_NO_THROW(RunDirectory::create(path));
}

BOOST_FIXTURE_TEST_CASE(only_a_run_can_be_resumed, Folder) {
  BOOST_CHECK_THROW(RunDirectory::resume(path), InputError);
  BOOST_CHECK(!std::filesystem::exists(path));
  RunDirectory::create(path);
  BOOST_CHECK_THROW(RunDirectory::resume(path), InputError);
  test::write_bytes(path / "ledger.sqlite", "x");
  BOOST_CHECK_NO_THROW(RunDirectory::resume(path));
}

BOOST_FIXTURE_TEST_CASE(a_second_user_is_refused_until_the_first_is_gone, Folder) {
  {
    const RunDirectory first = RunDirectory::create(path);
    test::write_bytes(first.ledger(), "x");
    BOOST_CHECK_THROW(RunDirectory::resume(path), IoError);
    BOOST_CHECK_THROW(RunDirectory::create(path), IoError);
  }
  RunDirectory second = RunDirectory::resume(path);
  const RunDirectory moved(std::move(second));
  BOOST_CHECK_THROW(RunDirectory::resume(path), IoError);
}

BOOST_FIXTURE_TEST_CASE(places_that_cannot_be_folders_are_refused, Folder) {
  const auto file = folder / "file";
  test::write_bytes(file, "x");
  BOOST_CHECK_THROW(RunDirectory::create(file), UsageError);
  BOOST_CHECK_THROW(RunDirectory::create(file / "run"), IoError);
}

BOOST_FIXTURE_TEST_CASE(snapshots_are_found_by_number_latest_first, Folder) {
  const RunDirectory directory = RunDirectory::create(path);
  for (const char* name : {"snapshot-9.h5", "snapshot-100.h5", "snapshot-20.h5"}) {
    test::write_bytes(path / name, "x");
  }
  for (const char* name :
       {"snapshot-300.h5.tmp-1-2", "snapshot-.h5", "snapshot-4x.h5", "snapshot-h5",
        "snapshot--5.h5", "snapshot-99999999999999999999.h5", "model.h5"}) {
    test::write_bytes(path / name, "x");
  }
  std::filesystem::create_directory(path / "snapshot-500.h5");
  BOOST_CHECK((versions(directory) == std::vector<std::uint64_t>{100, 20, 9}));
  BOOST_CHECK_EQUAL(directory.latest_snapshot()->path, path / "snapshot-100.h5");
  BOOST_CHECK_EQUAL(directory.latest_snapshot()->path, directory.snapshot(Version{100}));
}

BOOST_FIXTURE_TEST_CASE(old_snapshots_can_be_removed, Folder) {
  const RunDirectory directory = RunDirectory::create(path);
  for (std::uint64_t version = 0; version < 5; ++version) {
    test::write_bytes(directory.snapshot(Version{version}), "x");
  }
  directory.keep_latest_snapshots(7);
  BOOST_CHECK_EQUAL(directory.snapshots().size(), 5U);
  directory.keep_latest_snapshots(2);
  BOOST_CHECK((versions(directory) == std::vector<std::uint64_t>{4, 3, 0}));  // 0: for replays
  directory.keep_latest_snapshots(1);
  BOOST_CHECK((versions(directory) == std::vector<std::uint64_t>{4, 0}));
  BOOST_CHECK_THROW(directory.keep_latest_snapshots(0), ContractViolation);
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
