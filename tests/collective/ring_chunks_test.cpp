#include <boost/test/unit_test.hpp>

#include <daig/collective/detail/ring_plan.hpp>
#include <daig/collective/ring_chunks.hpp>
#include <daig/collective/ring_sum_reference.hpp>

BOOST_AUTO_TEST_SUITE(ring_chunks_test)

using namespace daig;
using collective::RingChunks;
using collective::Slice;
using collective::detail::RingPlan;

BOOST_AUTO_TEST_CASE(chunks_are_a_partition) {
  for (const std::size_t members : {1U, 2U, 3U, 4U, 7U}) {
    for (const std::size_t length : {0U, 1U, 2U, 6U, 7U, 8U, 1000U}) {
      const RingChunks chunks{length, members};
      std::size_t end = 0;
      for (std::size_t c = 0; c < members; ++c) {
        BOOST_TEST(chunks.chunk(c).begin == end);
        BOOST_TEST(chunks.chunk(c).size <= chunks.largest());
        BOOST_TEST(chunks.chunk(c).size + 1 >= chunks.largest());
        end += chunks.chunk(c).size;
      }
      BOOST_TEST(end == length);
    }
  }
}

BOOST_AUTO_TEST_CASE(the_first_chunks_are_the_longer_ones) {
  const RingChunks chunks{10, 4};
  const std::size_t sizes[] = {3, 3, 2, 2};
  for (std::size_t c = 0; c < 4; ++c) BOOST_TEST(chunks.chunk(c).size == sizes[c]);
}

// What a member sends as a message is what the member after it receives as that message.
BOOST_AUTO_TEST_CASE(neighbours_agree_on_every_message) {
  const RingChunks chunks{23, 4};
  for (std::size_t member = 0; member < 4; ++member) {
    const RingPlan sender(chunks, member, 4);
    const RingPlan receiver(chunks, (member + 1) % 4, 4);
    BOOST_REQUIRE(sender.messages() == 2U * 3 * 2);
    for (std::size_t message = 0; message < sender.messages(); ++message) {
      BOOST_TEST(sender.sent(message).begin == receiver.received(message).begin);
      BOOST_TEST(sender.sent(message).size == receiver.received(message).size);
      BOOST_TEST(sender.sent(message).size <= sender.largest());
    }
  }
}

BOOST_AUTO_TEST_CASE(a_message_is_sent_on_once_it_came_in) {
  const RingPlan plan({23, 4}, 1, 4);  // two segments
  BOOST_TEST(plan.may_send(0, 0));
  BOOST_TEST(plan.may_send(1, 0));
  BOOST_TEST(!plan.may_send(2, 0));
  BOOST_TEST(plan.may_send(2, 1));
  BOOST_TEST(plan.sent(2).begin == plan.received(0).begin);
  BOOST_TEST(plan.may_receive(5, 0));
  BOOST_TEST(!plan.may_receive(6, 0));
  BOOST_TEST(plan.may_receive(6, 1));
  BOOST_TEST(plan.received(6).begin == plan.sent(0).begin);
}

// Chosen so that every order of additions has another result: with p = 2^24, the float sums
// (p + 1) + 1, (1 + 1) + p and (1 + p) + 1 are p, p + 2 and p.
BOOST_AUTO_TEST_CASE(each_chunk_is_summed_from_its_own_member_on) {
  constexpr float p = 16'777'216;
  const std::vector<float> first{p, p, p};
  const std::vector<float> second{1, 1, 1};
  const std::vector<float> third{1, 1, 1};
  std::vector<float> sum(3);
  collective::ring_sum_reference<float>({first, second, third}, sum);
  BOOST_TEST(sum[0] == p);      // (p + 1) + 1
  BOOST_TEST(sum[1] == p + 2);  // (1 + 1) + p
  BOOST_TEST(sum[2] == p);      // (1 + p) + 1
}

BOOST_AUTO_TEST_SUITE_END()
