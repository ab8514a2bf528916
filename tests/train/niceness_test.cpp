#include <thread>

#include <boost/test/unit_test.hpp>

#include <daig/train/niceness.hpp>

BOOST_AUTO_TEST_SUITE(niceness_test)

using namespace daig;

namespace {

int own_niceness() {
  return ::getpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()));
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_thread_lowers_its_own_priority_and_nobody_elses) {
  const int before = own_niceness();
  std::jthread([] {
    train::be_nice(19);
    BOOST_TEST(own_niceness() == 19);
    train::be_nice(5);
    BOOST_TEST(own_niceness() == 19);
  }).join();
  BOOST_TEST(own_niceness() == before);
}

BOOST_AUTO_TEST_SUITE_END()
