// Signals to this process, and to children of it where the process is to end.

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <future>

#include <boost/test/unit_test.hpp>
#include <sys/wait.h>

#include <daig/train/leave_on_signal.hpp>

BOOST_AUTO_TEST_SUITE(leave_on_signal_test)

namespace {

using daig::train::LeaveOnSignal;

constexpr auto patience = std::chrono::seconds(60);

bool is_blocked(int signal) {
  sigset_t now;
  pthread_sigmask(SIG_SETMASK, nullptr, &now);
  return sigismember(&now, signal) == 1;
}

/// Runs the body in a child; returns what waitpid says of it.
template <class Body>
int status_of(Body&& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(60);
    body();
    std::_Exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

/// Long enough for a signal, which then ends the process.
void wait_to_be_ended() {
  for (int i = 0; i < 600; ++i) ::poll(nullptr, 0, 100);
}

BOOST_AUTO_TEST_CASE(the_first_signal_calls_the_function) {
  for (const int signal : {SIGTERM, SIGINT}) {
    std::promise<std::thread::id> called;
    auto caller = called.get_future();
    const LeaveOnSignal leave([&] { called.set_value(std::this_thread::get_id()); });
    ::kill(::getpid(), signal);
    BOOST_REQUIRE((caller.wait_for(patience) == std::future_status::ready));
    BOOST_TEST((caller.get() != std::this_thread::get_id()));
  }
}

BOOST_AUTO_TEST_CASE(a_thread_of_before_may_take_the_signal) {
  for (const int signal : {SIGTERM, SIGINT}) {
    std::promise<void> end;
    std::thread before([over = end.get_future()] { over.wait_for(patience); });
    {
      std::promise<void> called;
      const LeaveOnSignal leave([&] { called.set_value(); });
      pthread_kill(before.native_handle(), signal);
      BOOST_CHECK((called.get_future().wait_for(patience) == std::future_status::ready));
    }
    end.set_value();
    before.join();
  }
}

BOOST_AUTO_TEST_CASE(without_a_signal_nothing_happens) {
  std::atomic<int> calls = 0;
  {
    const LeaveOnSignal leave([&] { ++calls; });
    BOOST_TEST(is_blocked(SIGTERM));
    BOOST_TEST(is_blocked(SIGINT));
    BOOST_TEST(!is_blocked(SIGHUP));
  }
  BOOST_TEST(calls == 0);
  BOOST_TEST(!is_blocked(SIGTERM));
  BOOST_TEST(!is_blocked(SIGINT));
}

BOOST_AUTO_TEST_CASE(what_was_blocked_before_stays_blocked) {
  sigset_t blocked;
  sigset_t before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGINT);
  pthread_sigmask(SIG_BLOCK, &blocked, &before);
  {
    const LeaveOnSignal leave([] {});
  }
  BOOST_TEST(is_blocked(SIGINT));
  BOOST_TEST(!is_blocked(SIGTERM));
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

BOOST_AUTO_TEST_CASE(the_second_signal_ends_the_process) {
  for (const int signal : {SIGTERM, SIGINT}) {
    const int status = status_of([signal] {
      std::promise<void> called;
      // An own handler of before would be called: it is the default action that ends the process.
      std::signal(signal, [](int) { std::_Exit(3); });
      const LeaveOnSignal leave([&] { called.set_value(); });
      ::kill(::getpid(), SIGTERM);
      called.get_future().wait_for(patience);
      ::kill(::getpid(), signal);
      wait_to_be_ended();
    });
    BOOST_REQUIRE(WIFSIGNALED(status));
    BOOST_TEST(WTERMSIG(status) == signal);
  }
}

BOOST_AUTO_TEST_CASE(the_second_signal_ends_a_process_that_is_still_leaving) {
  const int status = status_of([] {
    std::promise<void> called;
    const LeaveOnSignal leave([&] {
      called.set_value();
      wait_to_be_ended();
    });
    ::kill(::getpid(), SIGTERM);
    called.get_future().wait_for(patience);
    ::kill(::getpid(), SIGTERM);
    wait_to_be_ended();
  });
  BOOST_REQUIRE(WIFSIGNALED(status));
  BOOST_TEST(WTERMSIG(status) == SIGTERM);
}

BOOST_AUTO_TEST_CASE(afterwards_a_signal_ends_the_process_as_ever) {
  const int status = status_of([] {
    {
      const LeaveOnSignal leave([] {});
    }
    ::kill(::getpid(), SIGTERM);
    wait_to_be_ended();
  });
  BOOST_REQUIRE(WIFSIGNALED(status));
  BOOST_TEST(WTERMSIG(status) == SIGTERM);
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
