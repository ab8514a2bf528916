// A dataset of 20 GB, of which the disk holds nothing: what a rank keeps in memory has a bound of
// its own.

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <boost/test/unit_test.hpp>

#include "launcher/training_place.hpp"
#include "support/sanitized.hpp"

BOOST_AUTO_TEST_SUITE(large_data_test)

namespace {

using namespace daig::test;
namespace fs = std::filesystem;

constexpr std::uint64_t samples = 6'400'000;
constexpr std::uint64_t enough_steps = sanitized ? 50 : 400;
constexpr std::uint64_t most_resident_bytes = 1'000'000'000;

/// The most that a process ever had in memory.
std::uint64_t peak_resident_bytes(pid_t process) {
  std::ifstream status(fmt::format("/proc/{}/status", process));
  for (std::string line; std::getline(status, line);) {
    if (!line.starts_with("VmHWM:")) continue;
    std::istringstream words(line.substr(6));
    std::uint64_t kib = 0;
    words >> kib;
    return kib * 1024;
  }
  return 0;
}

void write_sparse(const fs::path& path, std::string_view dtype, const std::string& shape,
                  std::uint64_t bytes) {
  const Bytes header = npy(dtype, shape, {});
  write_file(path, header);
  fs::resize_file(path, header.size() + bytes);
}

BOOST_AUTO_TEST_CASE(twenty_gigabytes_train_within_one) {
  const TrainingPlace place;
  write_sparse(place.path() / "x.npy", "<f4", fmt::format("({}, 784)", samples), samples * 784 * 4);
  write_sparse(place.path() / "y.npy", "|u1", fmt::format("({},)", samples), samples);
  // Large batches and few weights: many shards go by in a short time, and the caches fill.
  Command command(
      {DAIG_COMMAND, "train", "--data", "x.npy", "--labels", "y.npy", "--model", "mlp:784-4-2",
       "--batch-size", "2048", "--k", "1", "-n", "3", "--run-dir", "run"},
      place.path(), place.environment());
  command.read_until([](const std::string& out) { return steps_in(out) > enough_steps; });
  for (int rank = 0; rank < 3; ++rank) {
    const std::uint64_t peak = peak_resident_bytes(place.find_rank(rank));
    BOOST_TEST_MESSAGE("rank " << rank << ": " << peak / 1'000'000 << " MB at most");
    BOOST_TEST(peak > 0u);
    BOOST_TEST(peak < most_resident_bytes, "rank " << rank << " had " << peak << " bytes");
  }
  place.check_stopped(command);
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
