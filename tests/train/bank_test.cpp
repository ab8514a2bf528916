#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <daig/train/bank.hpp>

BOOST_AUTO_TEST_SUITE(bank_test)

using namespace daig;

namespace {

train::Buffer gradient(float value, std::size_t size = 3) {
  return std::make_shared<std::vector<float>>(size, value);
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_close_adds_what_is_left) {
  train::Bank bank(3);
  bank.deposit(gradient(1));
  bank.add_deposits();
  bank.deposit(gradient(2));
  const auto sum = bank.close();
  BOOST_TEST(sum->batches() == 2u);
  for (const float value : sum->sum()) BOOST_TEST(value == 3);
  bank.clear();
  BOOST_TEST(bank.close()->batches() == 0u);
  BOOST_TEST(sum->sum().empty());
}

// (a + b) + c and a + (b + c) differ for these: the order of acceptance decides, not who adds.
BOOST_AUTO_TEST_CASE(adds_in_the_order_of_acceptance_whoever_adds) {
  constexpr std::size_t size = 10'000;
  const std::vector<float> values{1e8F, 1.0F, -1e8F, 0.5F, 3e7F, -0.25F, 7.0F, -3e7F};
  float expected = 0;
  for (const float value : values) expected += value;
  for (int round = 0; round < 200; ++round) {
    train::Bank bank(size);
    std::atomic<bool> over = false;
    std::jthread computing([&] {
      while (!over) bank.add_deposits();
    });
    for (const float value : values) bank.deposit(gradient(value, size));
    const auto sum = bank.close();
    over = true;
    BOOST_TEST_REQUIRE(sum->batches() == values.size());
    BOOST_TEST_REQUIRE(sum->sum()[0] == expected);
    BOOST_TEST_REQUIRE(sum->sum()[size - 1] == expected);
  }
}

BOOST_AUTO_TEST_SUITE_END()
