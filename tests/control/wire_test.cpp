#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <string>

#include <boost/test/unit_test.hpp>

#include <daig/control/wire.hpp>
#include <daig/core/random.hpp>

#include "control/sample_messages.hpp"

BOOST_AUTO_TEST_SUITE(wire_test)

using namespace daig;
using namespace daig::control;

namespace {

using Bytes = std::vector<std::byte>;

Bytes encode(const Message& message) {
  return encode_frame({&message, 1});
}

/// A frame as another program might write it.
Bytes raw(std::initializer_list<int> values) {
  Bytes bytes;
  for (const int value : values) bytes.push_back(static_cast<std::byte>(value));
  return bytes;
}

std::uint8_t number_of(const Message& message) {
  return static_cast<std::uint8_t>(message.index());
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_message_round_trips) {
  std::size_t number = 0;
  for (const auto& [message, bytes] : sample_messages()) {
    BOOST_TEST_CONTEXT("message type " << message.index()) {
      const Bytes frame = encode(message);
      BOOST_TEST(frame.size() == 1 + bytes);
      const std::vector<Message> back = decode_frame(frame);
      BOOST_REQUIRE(back.size() == 1u);
      BOOST_TEST((back[0].index() == message.index()));
      BOOST_TEST((encode(back[0]) == frame));
    }
    number |= std::size_t{1} << message.index();
  }
  BOOST_TEST_REQUIRE((number + 1 == std::size_t{1} << std::variant_size_v<Message>),
                     "a sample of every type");
}

BOOST_AUTO_TEST_CASE(every_field_arrives_in_its_place) {
  std::vector<Message> sent;
  for (const SampleMessage& sample : sample_messages()) sent.push_back(sample.message);
  const std::vector<Message> got = decode_frame(encode_frame(sent));
  BOOST_REQUIRE(got.size() == sent.size());

  const auto& hello = std::get<Hello>(got[0]);
  BOOST_TEST(hello.trains == 1u);
  BOOST_TEST(hello.life == 4u);
  const auto& done = std::get<Done>(got[1]);
  BOOST_TEST((done.ticket == TicketId{3}));
  BOOST_TEST(done.samples == 64u);
  BOOST_TEST(done.loss_sum == -1.5);
  BOOST_TEST(done.service_s == 0.25);
  BOOST_TEST(done.norm == 2.5);
  const auto& failed = std::get<Failed>(got[4]);
  BOOST_TEST(failed.exit_code == -3);
  BOOST_TEST(failed.reason == "out of memory");
  const auto& welcome = std::get<Welcome>(got[6]);
  BOOST_TEST(welcome.samples == 60000u);
  BOOST_TEST(welcome.batch_size == 32u);
  BOOST_TEST(welcome.shards == 8u);
  BOOST_TEST(welcome.seed == 42u);
  BOOST_TEST(welcome.shuffle_seed == 43u);
  const auto& grant = std::get<Grant>(got[7]);
  BOOST_TEST((grant.work == Work{Epoch{1}, BatchId{2}}));
  BOOST_TEST((grant.version == Version{3}));
  BOOST_TEST(grant.deadline_s == 0.5);
  BOOST_TEST(grant.most_norm == 1e4);
  BOOST_TEST(grant.awaited == 1);
  const auto& close = std::get<Close>(got[12]);
  BOOST_TEST((close.exchange == comm::ExchangeId{18}));
  BOOST_TEST(close.accepted == 19u);
  BOOST_TEST(std::get<Finish>(got[14]).complete == 0);
  const auto& load = std::get<Load>(got[19]);
  BOOST_TEST((load.chain == comm::View{ViewId{7}, {Rank{0}, Rank{2}, Rank{1'000'000}}}));
  BOOST_TEST((load.exchange == comm::ExchangeId{24}));
  BOOST_TEST((load.version == Version{25}));
  const auto& expelled = std::get<Expelled>(got[21]);
  BOOST_TEST(expelled.may_return == 0);
  BOOST_TEST(expelled.reason == "silent");
  const auto& spoiled = std::get<Spoiled>(got[23]);
  BOOST_TEST((spoiled.ticket == TicketId{27}));
  BOOST_TEST(spoiled.norm == 28.5);
}

BOOST_AUTO_TEST_CASE(the_numbering_of_types_and_the_bytes_of_a_grant_stay_as_they_are) {
  const auto frame =
      encode(Grant{TicketId{0x0102}, {Epoch{3}, BatchId{4}}, Version{5}, 1.0, 2.0, 1});
  BOOST_TEST((frame ==
              raw({7, 2, 1, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0,    4,    0, 0, 0, 0, 0, 0, 0, 5,    0,
                   0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xF0, 0x3F, 0, 0, 0, 0, 0, 0, 0, 0x40, 1})));
  BOOST_TEST(number_of(Hello{}) == 0u);
  BOOST_TEST(number_of(Close{}) == 12u);
  BOOST_TEST(number_of(GiveBack{}) == 17u);
  BOOST_TEST(number_of(Spoiled{}) == 23u);
}

BOOST_AUTO_TEST_CASE(a_frame_of_nothing_is_no_messages) {
  BOOST_TEST(encode_frame({}).empty());
  BOOST_TEST(decode_frame({}).empty());
}

BOOST_AUTO_TEST_CASE(infinite_figures_and_those_that_are_no_numbers_arrive) {
  const auto sent = encode(Done{TicketId{1}, 1, std::nan(""), HUGE_VAL, std::nan("")});
  const std::vector<Message> got = decode_frame(sent);
  const auto& done = std::get<Done>(got[0]);
  BOOST_TEST(std::isnan(done.loss_sum));
  BOOST_TEST(std::isinf(done.service_s));
  BOOST_TEST(std::isnan(done.norm));
}

BOOST_AUTO_TEST_CASE(a_frame_cut_off_anywhere_is_refused) {
  for (const auto& [message, bytes] : sample_messages()) {
    const Bytes frame = encode(message);
    for (std::size_t length = 1; length < frame.size(); ++length) {
      BOOST_TEST_CONTEXT("type " << message.index() << ", first " << length << " bytes") {
        BOOST_CHECK_THROW(decode_frame(std::span(frame).first(length)), InputError);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(an_unknown_type_is_refused_and_named) {
  for (int type = std::variant_size_v<Message>; type < 256; ++type) {
    BOOST_CHECK_EXCEPTION(decode_frame(raw({16, type})), InputError, [&](const InputError& error) {
      return std::string(error.what()).find(std::to_string(type)) != std::string::npos;
    });
  }
}

BOOST_AUTO_TEST_CASE(absurd_lengths_are_refused_before_memory_is_taken) {
  // An Abort's text, a Close's view and a Load's chain claim 2^32 - 1 entries.
  BOOST_CHECK_THROW(decode_frame(raw({15, 1, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 'a'})), InputError);
  BOOST_CHECK_THROW(decode_frame(raw({12,   0,    0,    0,    0, 0, 0, 0, 0, 1, 0, 0, 0,
                                      0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0, 0, 0, 0})),
                    InputError);
  BOOST_CHECK_THROW(decode_frame(raw({19, 1, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0})),
                    InputError);
  BOOST_CHECK_THROW(decode_frame(Bytes(max_frame_bytes + 1, std::byte{16})), InputError);
  BOOST_TEST(decode_frame(Bytes(max_frame_bytes, std::byte{16})).size() == max_frame_bytes);
}

BOOST_AUTO_TEST_CASE(long_texts_are_cut_off_by_the_sender_and_refused_by_the_receiver) {
  const std::string text(max_text_bytes + 1, 'x');
  const auto cut = decode_frame(encode(Failed{1, text}));
  BOOST_TEST(std::get<Failed>(cut[0]).reason == text.substr(1));

  ByteWriter writer;
  writer.put(number_of(Failed{}));
  writer.put(std::int32_t{1});
  writer.put_text(text);
  BOOST_CHECK_THROW(decode_frame(writer.take()), InputError);
}

BOOST_AUTO_TEST_CASE(more_than_a_frame_holds_is_a_contract_violation) {
  const std::vector<Message> messages(max_frame_bytes + 1, Heartbeat{});
  BOOST_CHECK_THROW(encode_frame(messages), ContractViolation);
}

BOOST_AUTO_TEST_CASE(random_bytes_are_refused_or_are_exactly_what_would_have_been_written) {
  constexpr std::uint64_t seed = 1;
  std::size_t accepted = 0;
  for (std::uint32_t round = 0; round < 20'000; ++round) {
    BOOST_TEST_CONTEXT("seed " << seed << ", round " << round) {
      Random random(seed, Stream::test, round);
      Bytes bytes(random.below(120));
      for (std::byte& byte : bytes) byte = static_cast<std::byte>(random.below(256));
      // Half of them begin like a message.
      if (!bytes.empty() && round % 2 == 0) {
        bytes[0] = static_cast<std::byte>(random.below(std::variant_size_v<Message>));
      }
      try {
        BOOST_REQUIRE((encode_frame(decode_frame(bytes)) == bytes));
        ++accepted;
      } catch (const InputError&) {
      }
    }
  }
  BOOST_TEST(accepted > 0u);
}

BOOST_AUTO_TEST_CASE(a_changed_byte_is_refused_or_is_another_message) {
  Bytes frame;
  for (const auto& [message, bytes] : sample_messages()) {
    const Bytes one = encode(message);
    frame.insert(frame.end(), one.begin(), one.end());
  }
  for (std::size_t at = 0; at < frame.size(); ++at) {
    for (const std::byte flip : {std::byte{0x01}, std::byte{0x80}, std::byte{0xFF}}) {
      Bytes changed = frame;
      changed[at] ^= flip;
      try {
        BOOST_REQUIRE((encode_frame(decode_frame(changed)) == changed));
      } catch (const InputError&) {
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
