#include <atomic>
#include <functional>
#include <memory>
#include <ostream>
#include <thread>
#include <vector>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <daig/comm/faulty.hpp>

#include "collective/all_reduce_cases.hpp"
#include "comm/communicator_contract.hpp"

BOOST_AUTO_TEST_SUITE(faulty_test)

namespace data = boost::unit_test::data;
using boost::test_tools::per_element;
using namespace daig;
using comm::FaultPlan;
using comm::FaultyCommunicator;
using comm::Killed;
using comm::Tag;
using comm::Transfer;
using Bytes = std::vector<std::byte>;

namespace {

constexpr Tag tag{1};
constexpr Rank sufferer{0};
constexpr Rank peer{1};
constexpr Duration ages = std::chrono::hours(1);  // longer than any test

/// Runs the body on n ranks, each behind a FaultyCommunicator of its own.
test::Problems run_faulty(int ranks, const FaultPlan& plan, const test::RankBody& body) {
  return test::run_ranks(ranks, [&](comm::Communicator& plain, test::Problems& problems) {
    FaultyCommunicator faulty(plain, plan);
    body(faulty, problems);
  });
}

/// Two ranks in the hands of one thread: what is sent has arrived when the send returns.
struct Pair {
  explicit Pair(FaultPlan plan) : faulty(world.at(sufferer), std::move(plan)) {}

  comm::InProcessWorld world{2};
  comm::Communicator& other = world.at(peer);
  FaultyCommunicator faulty;
};

/// One byte, to tell messages apart.
Bytes numbered(int number) {
  return {std::byte(number)};
}

std::vector<int> take_numbers(comm::Communicator& ranks, Tag from = tag) {
  std::vector<int> numbers;
  while (auto message = ranks.take(from, std::size_t{1} << 20)) {
    numbers.push_back(std::to_integer<int>(message->bytes.at(0)));
  }
  return numbers;
}

struct Call {
  const char* name;
  std::function<void(comm::Communicator&)> make;
};

std::ostream& operator<<(std::ostream& out, const Call& call) {
  return out << call.name;
}

const std::vector<Call>& operations() {
  static Bytes byte(1);
  static const std::vector<Call> calls{
      {"send", [](comm::Communicator& ranks) { ranks.send(peer, tag, byte); }},
      {"receive", [](comm::Communicator& ranks) { ranks.receive(peer, tag, byte); }},
      {"take", [](comm::Communicator& ranks) { ranks.take(tag, 1); }},
      {"park", [](comm::Communicator& ranks) { ranks.park(Deadline::in(Duration::zero())); }}};
  return calls;
}

}  // namespace

BOOST_DATA_TEST_CASE(keeps_the_contract_without_faults,
                     data::make(test::communicator_contract()) * data::make(test::rank_counts()),
                     contract_case, ranks) {
  const test::Problems problems = run_faulty(ranks, {}, contract_case.run);
  BOOST_TEST(problems.none(), problems.text());
}

BOOST_DATA_TEST_CASE(keeps_the_contract_with_delays,
                     data::make(test::communicator_contract()) * data::make(test::rank_counts()),
                     contract_case, ranks) {
  const FaultPlan plan{.seed = 3, .mean_delay = std::chrono::microseconds(200)};
  const test::Problems problems = run_faulty(ranks, plan, contract_case.run);
  BOOST_TEST(problems.none(), problems.text());
}

BOOST_DATA_TEST_CASE(every_operation_counts, data::make(operations()), call) {
  Pair pair({.kill_at_operation = 2});
  call.make(pair.faulty);
  call.make(pair.faulty);
  BOOST_TEST(pair.faulty.operations() == 2U);
  BOOST_CHECK_THROW(call.make(pair.faulty), Killed);
  BOOST_CHECK_NO_THROW(call.make(pair.faulty));
}

BOOST_AUTO_TEST_CASE(the_dead_are_silent) {
  Pair pair({.kill_at_operation = 3});
  Bytes got(1);
  Transfer early = pair.faulty.receive(peer, Tag{2}, got);
  pair.faulty.post(peer, tag, numbered(1));
  pair.faulty.post(peer, tag, numbered(2));
  pair.other.post(sufferer, tag, numbered(3));
  BOOST_CHECK_THROW(pair.faulty.post(peer, tag, numbered(4)), Killed);

  pair.other.post(sufferer, Tag{2}, numbered(5));
  BOOST_TEST(!early.done());
  BOOST_TEST(!pair.faulty.receive(peer, tag, got).done());
  BOOST_TEST(!pair.faulty.take(tag, 1).has_value());
  BOOST_TEST(pair.faulty.send(peer, tag, got).done());
  pair.faulty.post(peer, tag, numbered(6));
  pair.faulty.nudge(peer);
  const Deadline deadline = Deadline::in(ages);
  pair.faulty.park(deadline);
  BOOST_TEST(!deadline.expired());
  BOOST_TEST(take_numbers(pair.other) == (std::vector{1, 2}), per_element());
}

BOOST_AUTO_TEST_CASE(a_poll_finds_its_rank_dead) {
  Pair pair({});
  Bytes got(1);
  Transfer receiving = pair.faulty.receive(peer, tag, got);
  pair.other.post(sufferer, tag, numbered(1));
  pair.faulty.kill();
  BOOST_CHECK_THROW(receiving.done(), Killed);
  BOOST_TEST(!receiving.done());
  BOOST_TEST(receiving.withdraw());
}

BOOST_AUTO_TEST_CASE(death_ends_a_park_and_a_freeze) {
  for (const bool frozen : {false, true}) {
    Pair pair({});
    if (frozen) pair.faulty.freeze(Deadline::in(ages));
    int deaths = 0;
    {
      const std::jthread rank([&] {
        try {
          const Deadline deadline = test::patience();
          while (!deadline.expired()) pair.faulty.park(deadline);
        } catch (const Killed&) {
          ++deaths;
        }
      });
      pair.faulty.kill();
    }
    BOOST_TEST(deaths == 1);
  }
}

BOOST_AUTO_TEST_CASE(what_was_sent_before_death_arrives) {
  Pair pair({.mean_delay = ages});
  const Bytes large(FaultyCommunicator::eager_bytes + 1);
  pair.faulty.post(peer, tag, numbered(1));
  Transfer sending = pair.faulty.send(peer, tag, large);
  pair.faulty.post(peer, tag, numbered(2));  // must not overtake the large one
  pair.faulty.post(peer, Tag{2}, numbered(3));
  BOOST_TEST(!sending.done());
  BOOST_TEST(take_numbers(pair.other).empty());
  pair.faulty.kill();
  BOOST_CHECK_THROW(pair.faulty.take(tag, 1), Killed);
  BOOST_TEST(take_numbers(pair.other) == std::vector{1}, per_element());
  BOOST_TEST(take_numbers(pair.other, Tag{2}) == std::vector{3}, per_element());
  BOOST_TEST(sending.done());
}

BOOST_AUTO_TEST_CASE(the_last_words_leave_with_the_communicator) {
  comm::InProcessWorld world(2);
  const Bytes large(FaultyCommunicator::eager_bytes + 1, std::byte{7});
  {
    FaultyCommunicator faulty(world.at(sufferer), {.mean_delay = ages});
    faulty.post(peer, tag, numbered(1));
    faulty.post(peer, tag, large);
  }
  BOOST_TEST(take_numbers(world.at(peer)) == (std::vector{1, 7}), per_element());
}

BOOST_AUTO_TEST_CASE(a_freeze_loses_nothing) {
  std::atomic<bool> frozen = false;
  const auto freeze_at_2 = [&](FaultyCommunicator& faulty, Rank, Tag,
                               std::span<const std::byte> bytes) {
    if (bytes[0] != std::byte{2}) return;
    faulty.freeze(Deadline::in(ages));
    frozen = true;
  };
  Pair pair({.on_send = freeze_at_2});
  std::vector<int> taken;
  Bytes received(1);
  {
    const std::jthread rank([&] {
      Transfer receiving = pair.faulty.receive(peer, Tag{2}, received);
      for (const int number : {1, 2, 3}) pair.faulty.post(peer, tag, numbered(number));
      comm::wait(pair.faulty, receiving, test::patience(), "what came meanwhile");
      taken = take_numbers(pair.faulty);
    });
    const Deadline deadline = test::patience();
    while (!frozen && !deadline.expired()) {
      pair.other.park(Deadline::in(std::chrono::milliseconds(1)));
    }
    BOOST_TEST(frozen);
    BOOST_TEST(take_numbers(pair.other) == std::vector{1}, per_element());
    pair.other.post(sufferer, tag, numbered(4));
    pair.other.post(sufferer, tag, numbered(5));
    pair.other.post(sufferer, Tag{2}, numbered(6));
    BOOST_TEST(take_numbers(pair.other).empty());
    pair.faulty.heal();
  }
  BOOST_TEST(take_numbers(pair.other) == (std::vector{2, 3}), per_element());
  BOOST_TEST(taken == (std::vector{4, 5}), per_element());
  BOOST_TEST((received == numbered(6)));
}

BOOST_DATA_TEST_CASE(a_planned_freeze_ends_by_itself, data::make(operations()), call) {
  const Duration lasts = std::chrono::milliseconds(5);
  Pair pair({.freeze = comm::Outage{1, lasts}});
  call.make(pair.faulty);
  const Deadline not_before = Deadline::in(lasts);
  call.make(pair.faulty);
  BOOST_TEST(not_before.expired());
  call.make(pair.faulty);
  BOOST_TEST(pair.faulty.operations() == 3U);
}

BOOST_AUTO_TEST_CASE(a_cut_loses_both_ways_and_heals) {
  Pair pair({.cut = comm::Outage{2, Duration::max()}});
  Bytes lost(1);
  Bytes late(1);
  pair.faulty.post(peer, tag, numbered(1));
  Transfer hit = pair.faulty.receive(peer, Tag{2}, lost);
  pair.faulty.post(peer, tag, numbered(2));
  pair.faulty.post(sufferer, tag, numbered(3));
  pair.other.post(sufferer, tag, numbered(4));
  pair.other.post(sufferer, Tag{2}, numbered(5));
  BOOST_TEST(!hit.done());
  BOOST_TEST(take_numbers(pair.faulty) == std::vector{3}, per_element());
  Transfer spared = pair.faulty.receive(peer, Tag{3}, late);
  BOOST_TEST(!spared.done());

  pair.faulty.heal();
  pair.faulty.post(peer, tag, numbered(6));
  pair.other.post(sufferer, tag, numbered(7));
  pair.other.post(sufferer, Tag{3}, numbered(8));
  BOOST_TEST(!hit.done());
  BOOST_TEST(spared.done());
  BOOST_TEST((late == numbered(8)));
  BOOST_TEST(take_numbers(pair.faulty) == std::vector{7}, per_element());
  BOOST_TEST(take_numbers(pair.other) == (std::vector{1, 6}), per_element());
}

BOOST_AUTO_TEST_CASE(a_cut_loses_what_becomes_due_in_it) {
  comm::InProcessWorld world(2);
  {
    FaultyCommunicator faulty(world.at(sufferer), {.mean_delay = ages});
    faulty.post(peer, tag, numbered(1));
    faulty.cut(Deadline::in(ages));
  }
  BOOST_TEST(take_numbers(world.at(peer)).empty());
}

BOOST_AUTO_TEST_CASE(a_planned_cut_ends_by_itself) {
  Pair pair({.cut = comm::Outage{0, std::chrono::milliseconds(5)}});
  const Deadline deadline = test::patience();
  std::vector<int> taken;
  while (taken.empty() && !deadline.expired()) {
    pair.faulty.post(peer, tag, numbered(1));
    taken = take_numbers(pair.other);
    pair.faulty.park(Deadline::in(std::chrono::milliseconds(1)));
  }
  BOOST_TEST(taken == std::vector{1}, per_element());
}

/// A park that outlasts the message's due time would wait for the test's patience.
BOOST_AUTO_TEST_CASE(a_park_sees_to_what_is_held) {
  Pair pair({.mean_delay = std::chrono::milliseconds(1)});
  const Bytes large(FaultyCommunicator::eager_bytes + 1, std::byte{1});
  Transfer sending = pair.faulty.send(peer, tag, large);
  const Deadline deadline = test::patience();
  comm::wait(pair.faulty, sending, deadline, "a large message");
  BOOST_TEST(!deadline.expired());
  BOOST_TEST(take_numbers(pair.other) == std::vector{1}, per_element());
}

BOOST_AUTO_TEST_CASE(delays_are_the_seeds) {
  const FaultPlan plan{.seed = 9, .mean_delay = std::chrono::milliseconds(1)};
  FaultPlan other_seed = plan;
  other_seed.seed = 10;
  constexpr std::uint32_t count = 10'000;
  Duration sum{};
  for (std::uint32_t nth = 0; nth < count; ++nth) {
    const Duration delay = comm::send_delay(plan, sufferer, nth);
    BOOST_REQUIRE(delay >= Duration::zero());
    BOOST_REQUIRE((delay == comm::send_delay(plan, sufferer, nth)));
    sum += delay;
  }
  // The standard error of this mean is 1 % of it.
  BOOST_TEST(seconds(sum) / count == 1e-3, boost::test_tools::tolerance(0.04));
  BOOST_TEST((comm::send_delay(plan, sufferer, 0) != comm::send_delay(plan, sufferer, 1)));
  BOOST_TEST((comm::send_delay(plan, sufferer, 0) != comm::send_delay(plan, peer, 0)));
  BOOST_TEST((comm::send_delay(plan, sufferer, 0) != comm::send_delay(other_seed, sufferer, 0)));
}

/// Mixed sizes, so that a small message could overtake a large one.
BOOST_AUTO_TEST_CASE(delays_keep_the_order_of_receiver_and_tag) {
  constexpr int tags = 3;
  constexpr int count = 100;
  const FaultPlan plan{.seed = 5, .mean_delay = std::chrono::microseconds(300)};
  const auto body = [&](comm::Communicator& ranks, test::Problems& problems) {
    for (int index = 0; index < count; ++index) {
      for (std::uint32_t with = 0; with < tags; ++with) {
        for (int to = 0; to < ranks.size(); ++to) {
          ranks.post(Rank{to}, Tag{with}, Bytes(index % 4 == 0 ? 5000 : 1, std::byte(index)));
        }
      }
    }
    for (std::uint32_t with = 0; with < tags; ++with) {
      std::vector<int> next(static_cast<std::size_t>(ranks.size()));
      for (int left = count * ranks.size(); left > 0; --left) {
        const comm::Message message =
            comm::wait_for_message(ranks, Tag{with}, 5000, test::patience(), "a delayed message");
        const int expected = next[static_cast<std::size_t>(message.from.value())]++;
        problems.check(message.bytes[0] == std::byte(expected),
                       fmt::format("seed {}: message {} of rank {} out of place", plan.seed,
                                   expected, message.from.value()));
      }
    }
    problems.check(test::contract::all_kept_end(ranks), "all sends end");
  };
  const test::Problems problems = run_faulty(3, plan, body);
  BOOST_TEST(problems.none(), problems.text());
}

namespace {

/// Long enough for two segments and more a chunk, of up to 6000 bytes, among 7.
constexpr std::size_t ring_length = 12'000;
constexpr collective::RingOptions ring_options{6000, 4};
constexpr comm::ExchangeId failed{2000};
constexpr comm::ExchangeId repeated{2001};

struct Buffers {
  explicit Buffers(Rank rank) : in(test::rough_input<float>(rank, ring_length)), out(ring_length) {}

  std::vector<float> in;
  std::vector<float> out;
};

/// Polls until the member is dead, then gives the attempt up.
void attempt(comm::Communicator& ranks, const comm::View& view,
             const std::shared_ptr<Buffers>& buffers, const std::atomic<bool>& dead,
             test::Problems& problems) {
  collective::RingAllReduce<float> ring(ranks, view, failed, buffers->in, buffers->out,
                                        ring_options);
  const Deadline deadline = test::patience();
  while (!dead && !deadline.expired()) {
    problems.check(!ring.poll(), "an all-reduce without one of its members");
    ranks.park(Deadline::in(std::chrono::milliseconds(5)));
  }
  problems.check(!deadline.expired(), "the member dies");
  problems.check(!ring.poll(), "an all-reduce without one of its members");
  ring.abandon(buffers);
}

}  // namespace

/// The last member dies with a part of its sends made, before the sum of any chunk has left it: no
/// other can finish. They try again without it.
BOOST_DATA_TEST_CASE(a_death_inside_the_ring, data::make({2, 3, 4, 7}), size) {
  const comm::View all = comm::view_of_all(size);
  const Rank victim = all.members.back();
  comm::View smaller{all.id.next(), all.members};
  smaller.members.pop_back();
  std::atomic<bool> dead = false;
  std::atomic<int> deaths = 0;

  const auto body = [&](comm::Communicator& plain, test::Problems& problems) {
    FaultPlan plan{.seed = 11, .mean_delay = std::chrono::microseconds(100)};
    if (plain.rank() == victim) {
      plan.on_send = [left = size](FaultyCommunicator& faulty, Rank, Tag with,
                                   std::span<const std::byte>) mutable {
        if (with == comm::tag_of(failed) && left-- == 0) faulty.kill();
      };
    }
    FaultyCommunicator ranks(plain, plan);
    auto buffers = std::make_shared<Buffers>(ranks.rank());
    const std::vector<float> in = buffers->in;
    try {
      attempt(ranks, all, buffers, dead, problems);
    } catch (const Killed&) {
      ++deaths;
      dead = true;
      return;
    }
    problems.check(buffers->in == in, "a failed attempt changes nothing");
    std::vector<float> out(ring_length);
    collective::all_reduce<float>(ranks, smaller, repeated, in, out, test::patience(),
                                  ring_options);
    problems.check(test::same_bits<float>(out, test::ring_sum<float>(smaller, ring_length)),
                   "the second attempt");
    const std::weak_ptr<Buffers> quarantined = buffers;
    buffers.reset();
    problems.check(test::contract::all_kept_end(ranks), "all sends end");
    problems.check(quarantined.expired(), "buffers that nothing touches any more are let go");
  };
  const test::Problems problems = test::run_ranks(size, body);
  BOOST_TEST(problems.none(), problems.text());
  BOOST_TEST(deaths == 1);
}

BOOST_AUTO_TEST_SUITE_END()
