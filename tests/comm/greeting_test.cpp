#include <cstdlib>

#include <boost/test/unit_test.hpp>

#include <daig/comm/detail/greeting.hpp>
#include <daig/comm/detail/socket.hpp>
#include <daig/comm/invitation.hpp>

BOOST_AUTO_TEST_SUITE(greeting_test)

using namespace daig;
using namespace daig::comm;
using namespace daig::comm::detail;
using Bytes = std::vector<std::byte>;

namespace {

const Knock a_knock{"key", Rank{5}, Rank{0}, Knock::Wish::join, "10.0.0.1:4711"};

Bytes body_of(Bytes greeting) {
  return {greeting.begin() + 4, greeting.end()};
}

/// Sets a variable for as long as it lives.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) { ::setenv(name, value, 1); }
  ~Variable() { ::unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;
  Variable(Variable&&) = delete;
  Variable& operator=(Variable&&) = delete;

 private:
  const char* name_;
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_knock_says_what_was_said) {
  const Knock heard = decode_knock(body_of(encode(a_knock)));
  BOOST_TEST(heard.key == "key");
  BOOST_TEST((heard.from == Rank{5} && heard.to == Rank{0}));
  BOOST_TEST((heard.wish == Knock::Wish::join));
  BOOST_TEST(heard.addresses == "10.0.0.1:4711");
}

BOOST_AUTO_TEST_CASE(an_answer_says_what_was_said) {
  const Answer said{Answer::Verdict::later,
                    "why",
                    3,
                    {{Rank{1}, 0, "10.0.0.1:1"}, {Rank{4}, 1, "10.0.0.2:2"}},
                    {std::byte{7}, std::byte{8}}};
  const Answer heard = decode_answer(body_of(encode(said)));
  BOOST_TEST((heard.verdict == said.verdict));
  BOOST_TEST(heard.reason == "why");
  BOOST_TEST(heard.channels == 3U);
  BOOST_REQUIRE(heard.neighbours.size() == 2U);
  BOOST_TEST((heard.neighbours[1].rank == Rank{4}));
  BOOST_TEST(heard.neighbours[1].lost == 1);
  BOOST_TEST(heard.neighbours[1].addresses == "10.0.0.2:2");
  BOOST_TEST((heard.briefing == said.briefing));
}

BOOST_AUTO_TEST_CASE(half_a_greeting_is_none) {
  const Bytes whole = encode(a_knock);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    Bytes arrived(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    BOOST_TEST(!take_greeting(arrived, max_knock_bytes).has_value());
  }
  Bytes arrived = whole;
  arrived.push_back(std::byte{9});
  BOOST_TEST((take_greeting(arrived, max_knock_bytes) == body_of(whole)));
  BOOST_TEST((arrived == Bytes{std::byte{9}}));  // what follows is not lost
}

BOOST_AUTO_TEST_CASE(no_greeting_is_larger_than_allowed) {
  Bytes arrived(4, std::byte{0xFF});
  BOOST_CHECK_THROW(take_greeting(arrived, max_knock_bytes), InputError);
}

BOOST_AUTO_TEST_CASE(what_nobody_would_say_is_refused) {
  const Bytes good = body_of(encode(a_knock));
  for (std::size_t size = 0; size < good.size(); ++size) {
    BOOST_CHECK_THROW(decode_knock(std::span(good).first(size)), InputError);
  }
  Bytes longer = good;
  longer.push_back(std::byte{0});
  BOOST_CHECK_THROW(decode_knock(longer), InputError);
  Bytes other_magic = good;
  other_magic[0] = std::byte{0};
  BOOST_CHECK_THROW(decode_knock(other_magic), InputError);
  Bytes other_protocol = good;
  other_protocol[4] = std::byte{99};
  BOOST_CHECK_THROW(decode_knock(other_protocol), InputError);
  Bytes negative = good;
  negative[8 + 4 + 3 + 3] = std::byte{0x80};  // the sign of `from`
  BOOST_CHECK_THROW(decode_knock(negative), InputError);
  Bytes verdict = body_of(encode(Answer{}));
  verdict[0] = std::byte{3};
  BOOST_CHECK_THROW(decode_answer(verdict), InputError);
  Bytes neighbours = body_of(encode(Answer{}));
  neighbours[1 + 4 + 4] = std::byte{200};  // so many are announced, and none follows
  BOOST_CHECK_THROW(decode_answer(neighbours), InputError);
}

BOOST_AUTO_TEST_CASE(addresses_are_read_as_they_are_written) {
  const FileDescriptor listening = listen_anywhere();
  const std::string text = addresses_of(listening);
  const auto addresses = parse_addresses(text);
  BOOST_REQUIRE(!addresses.empty());
  BOOST_TEST(addresses.back().sin_addr.s_addr == htonl(INADDR_LOOPBACK));
  BOOST_TEST(text.ends_with(":" + std::to_string(ntohs(addresses.back().sin_port))));
  for (const char* wrong : {"10.0.0.1", "10.0.0.1:", "10.0.0.1:0", "10.0.0.1:65536", "10.0.0:1",
                            "nodea:1", "10.0.0.1:1x", ":1", "10.0.0.1:1,,10.0.0.1:2"}) {
    BOOST_CHECK_THROW(parse_addresses(wrong), InputError);
  }
}

BOOST_AUTO_TEST_CASE(the_environment_says_whether_this_is_a_newcomer) {
  BOOST_TEST(!invitation_from_environment().has_value());
  BOOST_TEST(!door_from_environment().has_value());
  const Variable join(join_variable, "10.0.0.1:4711");
  const Variable door(door_variable, "/tmp/door");
  BOOST_CHECK_THROW(invitation_from_environment(), UsageError);  // no key
  BOOST_CHECK_THROW(door_from_environment(), UsageError);
  const Variable key(key_variable, "secret");
  BOOST_CHECK_THROW(invitation_from_environment(), UsageError);  // no rank
  for (const char* wrong : {"", "0", "-1", "x", "1x", "99999999999"}) {
    const Variable rank(rank_variable, wrong);
    BOOST_CHECK_THROW(invitation_from_environment(), UsageError);
  }
  const Variable rank(rank_variable, "12");
  const auto invitation = invitation_from_environment();
  BOOST_REQUIRE(invitation.has_value());
  BOOST_TEST((invitation->rank == Rank{12}));
  BOOST_TEST(invitation->key == "secret");
  BOOST_TEST(invitation->addresses == "10.0.0.1:4711");
  BOOST_TEST(door_from_environment()->file == "/tmp/door");
}

BOOST_AUTO_TEST_SUITE_END()
