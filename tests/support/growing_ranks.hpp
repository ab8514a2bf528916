#pragma once

/// Runs a test's body on ranks of a communicator that grows: founders and newcomers are threads of
/// this process, with real connections between them.

#include <atomic>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <daig/comm/faulty.hpp>
#include <daig/comm/growing.hpp>

#include "support/ranks.hpp"
#include "support/temporary_folder.hpp"

namespace daig::test {

inline const std::string& job_key() {
  static const std::string key = "0123456789abcdef0123456789abcdef";
  return key;
}

/// A founder's communicator, over that of a thread.
inline std::unique_ptr<comm::GrowingCommunicator> founder(comm::Communicator& communicator,
                                                          const std::filesystem::path& door) {
  return std::make_unique<comm::GrowingCommunicator>(
      std::make_unique<comm::FaultyCommunicator>(communicator, comm::FaultPlan{}),
      comm::Door{job_key(), door});
}

/// What is in the door's file, once it is there.
inline std::string published_door(const std::filesystem::path& door) {
  const Deadline deadline = patience();
  while (!std::filesystem::exists(door)) {
    if (deadline.expired()) throw DeadlineExceeded("the door did not open");
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  std::string addresses;
  std::ifstream(door) >> addresses;
  return addresses;
}

inline std::unique_ptr<comm::GrowingCommunicator> newcomer(Rank rank,
                                                           const std::filesystem::path& door) {
  return std::make_unique<comm::GrowingCommunicator>(
      comm::Invitation{job_key(), published_door(door), rank}, patience());
}

/// Lets newcomers in, and returns once there are so many ranks.
inline void wait_for_ranks(comm::Communicator& communicator, int ranks) {
  const Deadline deadline = patience();
  while (communicator.size() < ranks) {
    if (deadline.expired()) throw DeadlineExceeded("the newcomers did not come");
    communicator.take(comm::Tag{1}, 1);
    communicator.park(Deadline::in(std::chrono::milliseconds(10)));
  }
}

/// Runs the body on so many founders and newcomers, once all are there.
inline Problems run_growing(int founders, int newcomers, const RankBody& body) {
  const TemporaryFolder folder;
  const std::filesystem::path door = folder.path() / "door";
  const int all_ranks = founders + newcomers;
  std::vector<Problems> found(static_cast<std::size_t>(all_ranks));
  const auto run = [&](comm::Communicator& communicator, Problems& problems) {
    static_cast<void>(communicator.open_channel());
    wait_for_ranks(communicator, all_ranks);
    body(communicator, problems);
  };
  std::atomic<int> come =
      founders;  // one after the other: the last one's number says all are there
  {
    std::vector<std::jthread> coming;
    for (int rank = founders; rank < all_ranks; ++rank) {
      coming.emplace_back([&, rank] {
        log::set_rank(Rank{rank});
        Problems& problems = found[static_cast<std::size_t>(rank)];
        try {
          while (come != rank) std::this_thread::sleep_for(std::chrono::milliseconds(1));
          const auto communicator = newcomer(Rank{rank}, door);
          ++come;
          run_rank(*communicator, run, problems);
        } catch (const std::exception& thrown) {
          problems.add(fmt::format("could not join: {}", thrown.what()));
        }
      });
    }
    comm::run_in_process(founders, [&](comm::Communicator& communicator) {
      const auto growing = founder(communicator, door);
      run_rank(*growing, run, found[static_cast<std::size_t>(communicator.rank().value())]);
    });
  }
  Problems all;
  for (std::size_t rank = 0; rank < found.size(); ++rank) {
    all.add_all(fmt::format("{} founders, {} newcomers, rank {}: ", founders, newcomers, rank),
                found[rank]);
  }
  return all;
}

}  // namespace daig::test
