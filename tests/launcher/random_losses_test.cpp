// Jobs of real processes whose volunteers are killed, or frozen for a while, at random moments.
// Seeded, but for what the machine makes of the moments.

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <poll.h>

#include <daig/core/random.hpp>

#include "launcher/training_place.hpp"
#include "support/sanitized.hpp"

BOOST_AUTO_TEST_SUITE(random_losses_test)

namespace {

using namespace daig;
using namespace daig::test;

constexpr std::uint32_t pairs = under_address_sanitizer ? 3 : 25;
constexpr std::uint64_t seed = 20;

/// A signal to a rank, so long after the job's first step.
struct Blow {
  double at_s = 0;
  int rank = 0;
  int signal = 0;
};

/// A job whose volunteers suffer, all but one of them at most.
class HurtJob {
 public:
  explicit HurtJob(std::uint32_t number) {
    Random random(seed, Stream::test, number);
    ranks_ = static_cast<int>(4 + random.below(3));
    std::vector<int> volunteers;
    for (int rank = 1; rank < ranks_; ++rank) volunteers.push_back(rank);
    shuffle(volunteers, random);
    volunteers.resize(1 + random.below(volunteers.size() - 1));
    for (const int rank : volunteers) {
      const double at_s = random.uniform(0, 1);
      if (random.below(2) == 0) {
        blows_.push_back({at_s, rank, SIGKILL});
      } else {
        blows_.push_back({at_s, rank, SIGSTOP});
        blows_.push_back({at_s + random.uniform(0, 1.5), rank, SIGCONT});
      }
    }
  }

  const std::vector<Blow>& blows() const { return blows_; }
  std::string text() const {
    std::string text = fmt::format("{} ranks:", ranks_);
    for (const Blow& blow : blows_) {
      text += fmt::format(" {}({}) at {:.2f} s", ::strsignal(blow.signal), blow.rank, blow.at_s);
    }
    return text;
  }

  void start() {
    // Whoever wakes up when the job is over must not wait for the coordinator for long.
    command_.emplace(TrainingPlace::train({"-n", std::to_string(ranks_), "--epochs", "100",
                                           "--silence-limit", "0.5", "--orphan-limit", "5"}),
                     place_.path(), place_.environment());
    command_->read_until([](const std::string& out) { return steps_in(out) > 0; });
    for (int rank = 0; rank < ranks_; ++rank) processes_.emplace_back(place_.find_rank(rank));
  }
  void suffer(const Blow& blow) const {
    processes_[static_cast<std::size_t>(blow.rank)].signal(blow.signal);
  }
  /// Returns how many were lost.
  std::int64_t check() {
    place_.check_whole(command_->wait());
    return std::ranges::count_if(place_.member_events(), [](const auto& event) {
      return event.at("event") == "member_lost";
    });
  }

 private:
  TrainingPlace place_;
  int ranks_ = 0;
  std::vector<Blow> blows_;
  std::optional<Command> command_;
  std::vector<Process> processes_;
};

/// The blows of both jobs in the order of their time.
void strike(const HurtJob& one, const HurtJob& other) {
  std::vector<std::pair<const HurtJob*, Blow>> blows;
  for (const HurtJob* job : {&one, &other}) {
    for (const Blow& blow : job->blows()) blows.emplace_back(job, blow);
  }
  std::ranges::sort(blows, {}, [](const auto& entry) { return entry.second.at_s; });
  const TimePoint begin = Clock::now();
  for (const auto& [job, blow] : blows) {
    const std::chrono::duration<double> at(blow.at_s);
    const auto left = Deadline::at(begin + std::chrono::duration_cast<Duration>(at)).remaining();
    const auto left_ms = std::chrono::ceil<std::chrono::milliseconds>(left).count();
    ::poll(nullptr, 0, static_cast<int>(left_ms));
    job->suffer(blow);
  }
}

BOOST_AUTO_TEST_CASE(volunteers_may_be_lost_at_any_moment) {
  std::int64_t lost = 0;
  for (std::uint32_t pair = 0; pair < pairs; ++pair) {
    HurtJob one(2 * pair);
    HurtJob other(2 * pair + 1);
    BOOST_TEST_CONTEXT("seed " << seed << ", pair " << pair << "; " << one.text() << "; "
                               << other.text()) {
      one.start();
      other.start();
      strike(one, other);
      lost += one.check();
      lost += other.check();
    }
  }
  BOOST_TEST_MESSAGE(lost << " times a volunteer was lost, in " << 2 * pairs << " jobs");
  BOOST_TEST(lost > 0);
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
