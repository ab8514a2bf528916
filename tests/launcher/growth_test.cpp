#include "launcher/growth.hpp"

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include <boost/test/unit_test.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "launcher/placement.hpp"

BOOST_AUTO_TEST_SUITE(growth_test)

namespace {

using namespace std::chrono_literals;
using daig::Duration;
using daig::TimePoint;
using daig::launcher::Growth;
using daig::launcher::GrowthLimits;
using daig::launcher::GrowthOrders;
using daig::launcher::Host;
using daig::launcher::HostRanks;
using daig::launcher::place_ranks;
using daig::launcher::room_on;

using Hosts = std::vector<Host>;
constexpr auto taken = GrowthLimits::SpareSlots::taken;
constexpr auto left = GrowthLimits::SpareSlots::left;

std::string text_of(const std::vector<HostRanks>& all) {
  std::vector<std::string> words;
  for (const HostRanks& ranks : all) {
    words.push_back(
        fmt::format("{}{}:{}", ranks.host, ranks.here ? "*" : "", fmt::join(ranks.ranks, ",")));
  }
  return fmt::format("{}", fmt::join(words, " "));
}

/// A job and its clock.
struct Job {
  Job(const Hosts& listed, int ranks, GrowthLimits limits = {})
      : growth(listed, place_ranks(listed, ranks), limits, now) {}

  void list(const Hosts& hosts) { growth.hear_list(hosts, now); }
  void lose(int rank) { growth.hear_lost(rank, now); }
  void end(int rank, int code) { growth.hear_ended(rank, code, now); }
  void pass(Duration time) { now += time; }
  /// Who joins, a bar, who leaves.
  std::string decide() {
    last = growth.decide(now);
    return text_of(last.join) + "|" + text_of(last.leave);
  }

  TimePoint now{100h};
  Growth growth;
  GrowthOrders last;
};

const Hosts here_and_a{{"here", 1}, {"a", 2}};

BOOST_AUTO_TEST_CASE(ranks_are_placed_as_mpirun_fills_hosts) {
  const Hosts hosts{{"here", 2}, {"a", 4}, {"b", 1}};
  BOOST_TEST(room_on(hosts) == 7);
  BOOST_TEST((place_ranks(hosts, 1) == Hosts{{"here", 1}}));
  BOOST_TEST((place_ranks(hosts, 2) == Hosts{{"here", 2}}));
  BOOST_TEST((place_ranks(hosts, 3) == Hosts{{"here", 2}, {"a", 1}}));
  BOOST_TEST((place_ranks(hosts, 7) == hosts));
  BOOST_TEST((place_ranks(hosts, 8) == Hosts{{"here", 3}, {"a", 4}, {"b", 1}}));
  BOOST_TEST((place_ranks(hosts, 12) == Hosts{{"here", 4}, {"a", 6}, {"b", 2}}));
}

BOOST_AUTO_TEST_CASE(nothing_is_done_while_nothing_happens) {
  Job job(here_and_a, 3);
  BOOST_TEST(job.decide() == "|");
  job.pass(1h);
  job.list(here_and_a);
  BOOST_TEST(job.decide() == "|");
  BOOST_TEST(job.last.remarks.empty());
  BOOST_TEST(job.growth.size() == 3);
}

BOOST_AUTO_TEST_CASE(hosts_that_appear_are_taken_in) {
  Job job(here_and_a, 3);
  job.list({{"here", 1}, {"b", 1}, {"a", 2}, {"c", 2}});
  BOOST_TEST(job.decide() == "b:3 c:4,5|");
  BOOST_TEST(job.last.remarks ==
                 (std::vector<std::string>{"host b: 1 rank joins", "host c: 2 ranks join"}),
             boost::test_tools::per_element());
  job.pass(1h);
  BOOST_TEST(job.decide() == "|");
  // More slots, this machine's among them.
  job.list({{"here", 2}, {"b", 1}, {"a", 3}, {"c", 2}});
  BOOST_TEST(job.decide() == "here*:6 a:7|");
}

BOOST_AUTO_TEST_CASE(many_slots_of_a_host_are_filled_in_portions) {
  Job job({{"here", 1}}, 1);
  job.list({{"here", 1}, {"a", 2 * Growth::most_together + 1}});
  std::vector<std::size_t> portions;
  for (int second = 0; second < 5; ++second) {
    job.decide();
    portions.push_back(job.last.join.empty() ? 0 : job.last.join.front().ranks.size());
    BOOST_TEST(job.decide() == "|");
    job.pass(1s);
  }
  BOOST_TEST(portions == (std::vector<std::size_t>{8, 8, 1, 0, 0}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(spare_slots_are_taken_or_left) {
  const Hosts listed{{"here", 2}, {"a", 4}, {"b", 3}};
  Job greedy(listed, 3);
  BOOST_TEST(greedy.decide() == "a:3,4,5 b:6,7,8|");
  Job modest(listed, 3, {{}, left});
  BOOST_TEST(modest.decide() == "|");
  // What is listed later is taken, and only that.
  modest.list({{"here", 2}, {"a", 5}, {"b", 3}, {"c", 1}});
  BOOST_TEST(modest.decide() == "a:3 c:4|");
  // Of a host with fewer slots the spare ones go first.
  modest.list({{"here", 2}, {"a", 2}, {"b", 3}, {"c", 1}});
  BOOST_TEST(modest.decide() == "|");
  modest.list({{"here", 2}, {"a", 1}, {"b", 3}, {"c", 1}});
  BOOST_TEST(modest.decide() == "|a:3");
  // A host that was away is a new one.
  modest.list({{"here", 2}, {"a", 1}, {"c", 1}});
  BOOST_TEST(modest.decide() == "|");
  modest.list({{"here", 2}, {"a", 1}, {"b", 3}, {"c", 1}});
  BOOST_TEST(modest.decide() == "b:5,6,7|");
}

BOOST_AUTO_TEST_CASE(no_more_ranks_live_than_were_allowed) {
  Job job(here_and_a, 3, {5, taken});
  job.list({{"here", 1}, {"a", 2}, {"b", 9}});
  BOOST_TEST(job.decide() == "b:3,4|");
  job.pass(10s);
  BOOST_TEST(job.decide() == "|");
  job.end(4, 1);
  BOOST_TEST(job.decide() == "|");
  job.pass(1s);
  BOOST_TEST(job.decide() == "b:5|");
  // One that leaves counts until it has ended.
  job.list({{"here", 3}, {"a", 1}, {"b", 2}});
  BOOST_TEST(job.decide() == "|a:2");
  job.lose(2);
  BOOST_TEST(job.decide() == "here*:6|");
}

BOOST_AUTO_TEST_CASE(ranks_of_a_host_that_vanishes_leave) {
  Job job(here_and_a, 3);
  job.list({{"here", 1}, {"a", 2}, {"b", 2}});
  BOOST_TEST(job.decide() == "b:3,4|");
  job.list({{"here", 1}});
  BOOST_TEST(job.decide() == "|a:2,1 b:4,3");
  BOOST_TEST(job.last.remarks ==
                 (std::vector<std::string>{"host a is gone from the list: its ranks leave",
                                           "host b is gone from the list: its ranks leave"}),
             boost::test_tools::per_element());
  BOOST_TEST(job.decide() == "|");
  // They are back before their ranks have gone: a founder's slot is free when it was heard of, or
  // after a while; a newcomer's when its process has ended.
  job.list({{"here", 1}, {"a", 2}, {"b", 2}});
  BOOST_TEST(job.decide() == "|");
  job.lose(1);
  job.lose(3);
  BOOST_TEST(job.decide() == "a:5|");
  job.end(3, 0);
  BOOST_TEST(job.decide() == "b:6|");
  job.pass(Growth::hold_for_founder);
  BOOST_TEST(job.decide() == "a:7|");
  job.end(4, 137);
  BOOST_TEST(job.decide() == "b:8|");
  BOOST_TEST(job.growth.size() == 5);
}

BOOST_AUTO_TEST_CASE(the_newest_ranks_leave_a_host_that_shrinks) {
  Job job({{"here", 1}, {"a", 4}}, 5);
  job.list({{"here", 1}, {"a", 1}});
  BOOST_TEST(job.decide() == "|a:4,3,2");
  BOOST_TEST(job.last.remarks.front() == "host a has fewer slots: 3 ranks leave");
}

BOOST_AUTO_TEST_CASE(rank_0_stays) {
  Job job({{"here", 3}, {"a", 1}}, 4);
  job.list({{"localhost", 1}});  // what a list means that does not name this machine
  BOOST_TEST(job.decide() == "|here*:2,1 a:3");
  job.lose(0);
  job.end(0, 0);
  BOOST_TEST(job.decide() == "|");
  BOOST_TEST(job.growth.size() == 4);
  job.list({{"localhost", 2}});
  job.pass(Growth::hold_for_founder);
  BOOST_TEST(job.decide() == "here*:4|");
}

BOOST_AUTO_TEST_CASE(a_lost_rank_is_replaced_after_a_pause) {
  Job job(here_and_a, 3);
  job.list({{"here", 1}, {"a", 2}, {"b", 1}});
  BOOST_TEST(job.decide() == "b:3|");
  job.lose(1);
  job.lose(1);
  job.lose(3);
  // It may only stand still.
  BOOST_TEST(job.decide() == "|a:1 b:3");
  BOOST_TEST(job.last.remarks.front() == "host a: rank 1 was lost; its slot is free in 1 s");
  job.pass(999ms);
  BOOST_TEST(job.decide() == "|");
  job.pass(1ms);
  BOOST_TEST(job.decide() == "a:4|");
  // Of a newcomer it is known whether it runs.
  job.pass(1min);
  BOOST_TEST(job.decide() == "|");
  job.end(3, 137);
  BOOST_TEST(job.decide() == "b:5|");
  job.lose(7);
  job.lose(1);
  job.lose(-1);
  BOOST_TEST(job.decide() == "|");
}

BOOST_AUTO_TEST_CASE(nobody_replaces_who_is_lost_on_a_host_that_is_gone) {
  Job job(here_and_a, 3);
  job.list({{"here", 1}});
  job.lose(2);
  BOOST_TEST(job.decide() == "|a:2,1");
  BOOST_TEST(job.last.remarks.front() == "host a: rank 2 was lost");
  job.pass(1h);
  BOOST_TEST(job.decide() == "|");
}

BOOST_AUTO_TEST_CASE(a_start_that_fails_is_tried_again_ever_later_and_then_no_more) {
  Job job({{"here", 1}}, 1);
  job.list({{"here", 1}, {"a", 1}});
  std::vector<int> pauses_s;
  int tries = 0;
  for (int second = 0, pause = 0; second < 1000; ++second) {
    job.decide();
    if (job.last.join.empty()) {
      ++pause;
    } else {
      if (tries > 0) pauses_s.push_back(pause);
      pause = 1;
      ++tries;
      job.end(tries, 255);
    }
    job.pass(1s);
  }
  BOOST_TEST(pauses_s == (std::vector<int>{1, 2, 4, 8, 16, 30, 30, 30, 30, 30, 30, 30}),
             boost::test_tools::per_element());
  BOOST_TEST(tries == Growth::most_failures + 1);
  // Listed anew, it is tried anew.
  job.list({{"here", 1}});
  job.list({{"here", 1}, {"a", 1}});
  BOOST_TEST(job.decide() == fmt::format("a:{}|", tries + 1));
  job.end(tries + 1, 255);
  job.decide();
  BOOST_TEST(
      job.last.remarks.front() ==
      fmt::format("host a: rank {} ended with exit code 255; its slot is free in 1 s", tries + 1));
}

BOOST_AUTO_TEST_CASE(several_failures_at_once_are_one) {
  Job job({{"here", 1}}, 1);
  job.list({{"here", 1}, {"a", 3}});
  BOOST_TEST(job.decide() == "a:1,2,3|");
  job.end(1, 255);
  job.pass(300ms);
  job.end(2, 255);
  job.end(3, 1);
  job.pass(700ms);
  BOOST_TEST(job.decide() == "a:4,5,6|");
}

BOOST_AUTO_TEST_CASE(a_host_that_was_well_for_long_is_not_given_up_for_old_failures) {
  Job job({{"here", 1}}, 1);
  job.list({{"here", 1}, {"a", 1}});
  for (int rank = 1; rank < 5 * Growth::most_failures; ++rank) {
    BOOST_TEST(job.decide() == fmt::format("a:{}|", rank));
    job.pass(Growth::proven_after);
    job.end(rank, 137);
    BOOST_TEST(job.decide() == "|");
    job.pass(1s);
  }
}

BOOST_AUTO_TEST_CASE(a_newcomer_that_ends_well_has_left) {
  Job job({{"here", 1}}, 1);
  job.list({{"here", 1}, {"a", 2}});
  BOOST_TEST(job.decide() == "a:1,2|");
  job.end(1, 0);
  job.pass(1h);
  BOOST_TEST(job.decide() == "|");
  BOOST_TEST(job.last.remarks.front() == "host a: rank 1 has left");
  job.list({{"here", 1}, {"a", 3}});
  BOOST_TEST(job.decide() == "a:3|");
  job.list({{"here", 1}, {"a", 2}});  // the slot nobody uses is the one that goes
  BOOST_TEST(job.decide() == "|");
}

BOOST_AUTO_TEST_CASE(ranks_beyond_the_slots_are_kept_and_replaced) {
  Job job(here_and_a, 6);  // here two, on a four
  BOOST_TEST(job.decide() == "|");
  job.lose(5);
  BOOST_TEST(job.decide() == "|a:5");
  job.pass(1s);
  BOOST_TEST(job.decide() == "a:6|");
}

BOOST_AUTO_TEST_CASE(hosts_left_out_at_the_start_are_tried) {
  const Hosts answered{{"here", 1}, {"b", 1}};
  Job job(answered, 2, {{}, left});
  job.list({{"here", 1}, {"a", 2}, {"b", 1}});
  BOOST_TEST(job.decide() == "a:2,3|");
}

/// Whatever happens: no slot has two ranks, no number comes twice, and the limit holds.
BOOST_AUTO_TEST_CASE(random_histories_keep_the_rules) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      std::mt19937 random(seed);
      const auto below = [&](int n) {
        return static_cast<int>(random() % static_cast<unsigned>(n));
      };
      const auto some_hosts = [&] {
        Hosts hosts{{"here", 1 + below(2)}};
        for (const char* name : {"a", "b", "c"}) {
          if (below(3) > 0) hosts.push_back({name, 1 + below(3)});
        }
        return hosts;
      };
      const Hosts listed = some_hosts();
      const int founders = 1 + below(room_on(listed));
      const int most = founders + below(6);
      Job job(listed, founders, {most, below(2) == 0 ? taken : left});
      std::map<int, std::string> living;  // newcomers
      std::set<int> told;
      Hosts now_listed = listed;
      int next = founders;
      for (int step = 0; step < 200; ++step) {
        switch (below(4)) {
          case 0:
            now_listed = some_hosts();
            job.list(now_listed);
            break;
          case 1:
            job.lose(below(next));
            break;
          case 2:
            if (!living.empty()) {
              const auto one = std::next(living.begin(), below(static_cast<int>(living.size())));
              job.end(one->first, below(2));
              living.erase(one);
            }
            break;
          default:
            job.pass(std::chrono::milliseconds(below(5000)));
        }
        job.decide();
        for (const HostRanks& ranks : job.last.leave) {
          for (const int rank : ranks.ranks) {
            BOOST_TEST(rank != 0);
            BOOST_TEST(told.insert(rank).second);
          }
        }
        for (const HostRanks& ranks : job.last.join) {
          for (const int rank : ranks.ranks) {
            BOOST_TEST(rank == next++);
            living[rank] = ranks.host;
          }
        }
        BOOST_TEST(job.growth.size() <= most);
        for (const HostRanks& ranks : job.last.join) {
          const auto host = std::ranges::find(now_listed, ranks.host, &Host::name);
          BOOST_REQUIRE(host != now_listed.end());
          const auto there = std::ranges::count_if(
              living, [&](const auto& newcomer) { return newcomer.second == ranks.host; });
          BOOST_TEST(there <= host->slots);
        }
      }
    }
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
