#include "elasticity.hpp"

#include <algorithm>
#include <chrono>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <daig/core/error.hpp>

namespace daig::launcher {
namespace {

constexpr int most_ranks = 100'000;

Duration duration_of(double given_s) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(given_s));
}

void check_seconds(const char* option, double given_s, double least_s) {
  if (given_s >= least_s && given_s <= 1e6) return;
  throw UsageError(
      fmt::format("{} {}: give seconds, from {} to 1000000", option, given_s, least_s));
}

void check_count(const char* option, std::optional<int> ranks) {
  if (!ranks || (*ranks >= 1 && *ranks <= most_ranks)) return;
  throw UsageError(fmt::format("{} {}: a job has 1 to {} ranks", option, *ranks, most_ranks));
}

void check_order(const char* less, std::optional<int> a, const char* more, std::optional<int> b) {
  if (!a || !b || *a <= *b) return;
  throw UsageError(fmt::format("{} {} and {} {}: the first must not be greater than the second",
                               less, *a, more, *b));
}

}  // namespace

const char* const elasticity_help =
    R"(With --hostfile or --discover the job grows and shrinks while it runs, where the program is linked
with the library: hosts that appear in the list are taken in, ranks of hosts that vanish are asked
to leave (SIGTERM), and a host that was lost may come back. Without -n the job starts with as many
ranks as the list has room for. With -n, slots beyond are left free for as long as their host stays
listed, and those that are listed later are taken; with --max-ranks, all slots are taken up to that
number. --min-ranks lets the start wait until there is room for so many, and then start with fewer
than -n says. Rank 0 always runs here, and never leaves.)";

HostListSource Elasticity::source() const {
  return {.file = hostfile, .command = discover, .every = duration_of(discover_every_s)};
}

GrowthLimits Elasticity::limits() const {
  const bool leaves_spare = ranks && !max_ranks;
  return {.most_ranks = max_ranks,
          .spare = leaves_spare ? GrowthLimits::SpareSlots::left : GrowthLimits::SpareSlots::taken};
}

int Elasticity::ranks_to_start(int room) const {
  int start = ranks.value_or(room);
  if (max_ranks) start = std::min(start, *max_ranks);
  return min_ranks ? std::min(start, room) : start;
}

Duration Elasticity::wait_limit() const {
  return duration_of(wait_limit_s);
}

Duration Elasticity::start_limit() const {
  return duration_of(start_limit_s);
}

void add_elasticity_options(CLI::App& command, Elasticity& elasticity, const std::string& group) {
  const auto add = [&](const char* name, auto& value, const char* what) {
    return command.add_option(name, value, what)->group(group);
  };
  add("--hostfile", elasticity.hostfile,
      "machines: lines of 'host', 'host:4' or 'host slots=4'; rank 0 runs here; read again when it "
      "changes")
      ->type_name("FILE");
  add("--discover", elasticity.discover,
      "prints the machines, as a hostfile has them; is asked again and again")
      ->type_name("COMMAND");
  add("--discover-every", elasticity.discover_every_s, "seconds between")->capture_default_str();
  add("--min-ranks", elasticity.min_ranks, "the start waits until there is room for so many");
  add("--max-ranks", elasticity.max_ranks, "at most so many at any time");
  add("--wait-limit", elasticity.wait_limit_s, "seconds that the start waits for --min-ranks")
      ->capture_default_str();
  add("--start-limit", elasticity.start_limit_s,
      "seconds, and one more for each host, until the ranks must have found each other; then the "
      "job is started again")
      ->capture_default_str();
}

void check(const Elasticity& elasticity) {
  if (!elasticity.hostfile.empty() && !elasticity.discover.empty()) {
    throw UsageError("--hostfile and --discover: the list of machines comes from one of them");
  }
  check_count("-n", elasticity.ranks);
  check_count("--min-ranks", elasticity.min_ranks);
  check_count("--max-ranks", elasticity.max_ranks);
  check_order("--min-ranks", elasticity.min_ranks, "-n", elasticity.ranks);
  check_order("--min-ranks", elasticity.min_ranks, "--max-ranks", elasticity.max_ranks);
  check_order("-n", elasticity.ranks, "--max-ranks", elasticity.max_ranks);
  if (!elasticity.has_list() && (elasticity.min_ranks || elasticity.max_ranks)) {
    throw UsageError(
        "--min-ranks and --max-ranks are for a list of machines that may change: give --hostfile "
        "or --discover");
  }
  check_seconds("--discover-every", elasticity.discover_every_s, 0.1);
  check_seconds("--wait-limit", elasticity.wait_limit_s, 0);
  check_seconds("--start-limit", elasticity.start_limit_s, 0.1);
}

}  // namespace daig::launcher
