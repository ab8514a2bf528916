#include <array>
#include <fstream>
#include <utility>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "comm/communicator_contract.hpp"
#include "support/growing_ranks.hpp"

BOOST_AUTO_TEST_SUITE(growing_test)

namespace data = boost::unit_test::data;
using namespace daig;
using namespace std::chrono_literals;
using comm::detail::Answer;
using comm::detail::Knock;
using test::newcomer;

namespace {

struct Crew {
  int founders;
  int newcomers;
};

std::ostream& operator<<(std::ostream& out, const Crew& crew) {
  return out << crew.founders << " and " << crew.newcomers;
}

const std::array crews{Crew{1, 1}, Crew{1, 2}, Crew{3, 1}, Crew{2, 5}, Crew{3, 0}};

/// Rank 0 of two founders, in use on this thread, and the other one, which is never used.
struct Job {
  Job() {
    other = test::founder(world.at(Rank{1}), door);
    first = test::founder(world.at(Rank{0}), door);
    static_cast<void>(first->open_channel());
  }
  /// Until it holds; rank 0 attends the door meanwhile.
  template <class Condition>
  bool holds_soon(Condition condition) {
    const Deadline deadline = test::patience();
    while (!condition()) {
      if (deadline.expired()) return false;
      first->take(comm::Tag{1}, 1);
      first->park(Deadline::in(5ms));
    }
    return true;
  }

  test::TemporaryFolder folder;
  std::filesystem::path door = folder.path() / "door";
  comm::InProcessWorld world{2};
  std::unique_ptr<comm::GrowingCommunicator> first, other;
};

/// A connection to a rank, made by hand.
FileDescriptor connect(const std::string& addresses) {
  FileDescriptor connection =
      comm::detail::begin_to_connect(comm::detail::parse_addresses(addresses).back());
  const Deadline deadline = test::patience();
  while (!comm::detail::is_writable(connection) && !deadline.expired()) std::this_thread::yield();
  BOOST_REQUIRE(comm::detail::connection_error(connection) == 0);
  return connection;
}

/// What comes back until the other end hangs up.
std::vector<std::byte> read_all(const FileDescriptor& connection) {
  std::vector<std::byte> all;
  std::array<std::byte, 4096> bytes;
  const Deadline deadline = test::patience();
  while (!deadline.expired()) {
    const auto got = comm::detail::read_some(connection, bytes);
    if (!got) return all;
    all.insert(all.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(*got));
    std::this_thread::yield();
  }
  throw DeadlineExceeded("nobody hangs up");
}

/// Joins as a thread that attends to nothing else; what it throws, in words.
template <class Attend>
std::string why_not(const comm::Invitation& invitation, Attend attend) {
  std::atomic<bool> over = false;
  std::string why;
  std::jthread joining([&] {
    try {
      const comm::GrowingCommunicator communicator(invitation, Deadline::in(2s));
    } catch (const Error& error) {
      why = error.what();
    }
    over = true;
  });
  attend([&] { return over.load(); });
  joining.join();
  return why;
}

}  // namespace

BOOST_DATA_TEST_CASE(keeps_the_contract,
                     data::make(test::communicator_contract()) * data::make(crews), contract_case,
                     crew) {
  const test::Problems problems =
      test::run_growing(crew.founders, crew.newcomers, contract_case.run);
  BOOST_TEST(problems.none(), problems.text());
}

BOOST_AUTO_TEST_CASE(nobody_is_told_where_to_knock_before_there_is_a_channel) {
  const test::TemporaryFolder folder;
  comm::InProcessWorld world(1);
  const auto alone = test::founder(world.at(Rank{0}), folder.path() / "door");
  alone->take(comm::Tag{1}, 1);
  BOOST_TEST(!std::filesystem::exists(folder.path() / "door"));
  static_cast<void>(alone->open_channel());
  const std::string addresses = test::published_door(folder.path() / "door");
  BOOST_TEST(!comm::detail::parse_addresses(addresses).empty());
}

BOOST_AUTO_TEST_CASE(a_newcomer_is_briefed_and_opens_the_present_channel) {
  Job job;
  const comm::Channel present = job.first->open_channel();  // the second
  job.first->brief({std::byte{1}, std::byte{2}});
  BOOST_TEST((job.first->briefing() == nullptr));
  std::unique_ptr<comm::GrowingCommunicator> third;
  std::jthread joining([&] { third = newcomer(Rank{2}, job.door); });
  BOOST_TEST(job.holds_soon([&] { return job.first->size() == 3; }));
  joining.join();
  BOOST_REQUIRE(third->briefing() != nullptr);
  BOOST_TEST((*third->briefing() == std::vector{std::byte{1}, std::byte{2}}));
  BOOST_TEST((third->open_channel().to_member() == present.to_member()));
}

BOOST_AUTO_TEST_CASE(strangers_are_not_let_in) {
  Job job;
  const std::string addresses = test::published_door(job.door);
  const auto hangs_up_on = [&](const std::vector<std::byte>& words) {
    const FileDescriptor connection = connect(addresses);
    comm::detail::write_some(connection, words);
    return read_all(connection).empty();
  };
  Knock knock{test::job_key(), Rank{2}, Rank{0}, Knock::Wish::join, "127.0.0.1:1"};
  knock.key.back() = 'x';
  BOOST_TEST(hangs_up_on(encode(knock)));
  knock = {test::job_key(), Rank{2}, Rank{1}, Knock::Wish::link, "127.0.0.1:1"};
  BOOST_TEST(hangs_up_on(encode(knock)));  // it is for somebody else
  BOOST_TEST(hangs_up_on(std::vector<std::byte>(100, std::byte{'G'})));
  BOOST_TEST(job.first->size() == 2);
}

BOOST_AUTO_TEST_CASE(a_number_is_used_once) {
  Job job;
  const auto attend = [&](auto condition) { BOOST_TEST(job.holds_soon(condition)); };
  comm::Invitation invitation{test::job_key(), test::published_door(job.door), Rank{2}};
  BOOST_TEST(why_not(invitation, attend) == "");
  BOOST_TEST(why_not(invitation, attend).find("there was such a rank already") !=
             std::string::npos);
  invitation.rank = Rank{1};
  BOOST_TEST(why_not(invitation, attend).find("there was such a rank already") !=
             std::string::npos);
  invitation.rank = Rank{3};
  BOOST_TEST(why_not(invitation, attend) == "");
}

// The one that is hung up on in the midst of it, and the one of whom nobody hears again.
BOOST_AUTO_TEST_CASE(whoever_dies_while_joining_stops_nobody) {
  Job job;
  const std::string addresses = test::published_door(job.door);
  const std::vector<std::byte> words =
      encode(Knock{test::job_key(), Rank{2}, Rank{0}, Knock::Wish::join, "127.0.0.1:1"});
  connect(addresses);
  for (const std::size_t said : {std::size_t{3}, words.size() / 2, words.size()}) {
    comm::detail::write_some(connect(addresses), std::span(words).first(said));
  }
  std::unique_ptr<comm::GrowingCommunicator> next;
  std::jthread joining([&] { next = newcomer(Rank{3}, job.door); });
  BOOST_TEST(job.holds_soon([&] { return job.first->size() == 4; }));
  joining.join();
  job.first->post(Rank{3}, comm::Tag{7}, std::vector<std::byte>(1));
  BOOST_TEST(
      comm::wait_for_message(*next, comm::Tag{7}, 1, test::patience(), "a message").bytes.size() ==
      1U);
}

BOOST_AUTO_TEST_CASE(messages_to_the_dead_are_over) {
  Job job;
  {
    const FileDescriptor dying = connect(test::published_door(job.door));
    comm::detail::write_some(
        dying, encode(Knock{test::job_key(), Rank{2}, Rank{0}, Knock::Wish::join, "127.0.0.1:1"}));
    BOOST_TEST(job.holds_soon([&] { return job.first->size() == 3; }));
    job.first->post(Rank{2}, comm::Tag{7}, std::vector<std::byte>(std::size_t{16} << 20));
    BOOST_TEST(job.first->collect_kept() == 1U);
  }
  BOOST_TEST(job.holds_soon([&] { return job.first->collect_kept() == 0; }));
  job.first->post(Rank{2}, comm::Tag{7}, std::vector<std::byte>(std::size_t{16} << 20));
  BOOST_TEST(job.first->collect_kept() == 0U);
}

BOOST_AUTO_TEST_CASE(whoever_cannot_be_reached_is_named) {
  Job job;
  // A rank with a link to rank 0, at whose own door nobody ever answers.
  const FileDescriptor silent = comm::detail::listen_anywhere();
  const std::string nobody = comm::detail::addresses_of(silent);
  const FileDescriptor second = connect(test::published_door(job.door));
  comm::detail::write_some(
      second, encode(Knock{test::job_key(), Rank{2}, Rank{0}, Knock::Wish::join, nobody}));
  BOOST_TEST(job.holds_soon([&] { return job.first->size() == 3; }));
  const auto attend = [&](auto condition) { BOOST_TEST(job.holds_soon(condition)); };
  comm::Invitation invitation{test::job_key(), test::published_door(job.door), Rank{3}};
  const std::string why = why_not(invitation, attend);
  BOOST_TEST(why.find("rank 2 cannot be reached at " + nobody) != std::string::npos, why);
  // Nobody waits for it once it is lost.
  job.first->lose(Rank{2});
  job.first->lose(Rank{3});
  invitation.rank = Rank{4};
  BOOST_TEST(why_not(invitation, attend) == "");
}

BOOST_AUTO_TEST_CASE(the_lost_are_written_down) {
  Job job;
  job.first->lose(Rank{1});
  job.first->lose(Rank{5});
  std::ifstream lost(job.door.string() + ".lost");
  BOOST_TEST(std::string(std::istreambuf_iterator<char>(lost), {}) == "1\n5\n");
}

BOOST_AUTO_TEST_CASE(an_absurd_message_ends_the_link) {
  Job job;
  const FileDescriptor liar = connect(test::published_door(job.door));
  comm::detail::write_some(
      liar, encode(Knock{test::job_key(), Rank{2}, Rank{0}, Knock::Wish::join, "127.0.0.1:1"}));
  BOOST_TEST(job.holds_soon([&] { return job.first->size() == 3; }));
  ByteWriter header;
  header.put(std::uint32_t{7});
  header.put(std::uint64_t{1} << 60);
  comm::detail::write_some(liar, header.take());
  BOOST_TEST(!read_all(liar).empty());  // the answer, and then the end
}

BOOST_AUTO_TEST_CASE(last_words_arrive) {
  Job job;
  std::jthread joining([&] {
    const auto third = newcomer(Rank{2}, job.door);
    for (int i = 0; i < 10; ++i)
      third->post(Rank{0}, comm::Tag{7}, std::vector<std::byte>(1 << 20));
  });
  for (int i = 0; i < 10; ++i) {
    // What it never reads must not cost what it has said.
    if (job.first->size() == 3) job.first->post(Rank{2}, comm::Tag{8}, std::vector<std::byte>(99));
    const comm::Message message =
        comm::wait_for_message(*job.first, comm::Tag{7}, 1 << 20, test::patience(), "last words");
    BOOST_TEST(message.bytes.size() == std::size_t{1} << 20);
  }
}

BOOST_AUTO_TEST_SUITE_END()
