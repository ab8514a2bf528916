#include <cmath>
#include <string>
#include <utility>

#include <boost/test/unit_test.hpp>

#include <daig/core/error.hpp>
#include <daig/optim/schedule.hpp>

BOOST_AUTO_TEST_SUITE(schedule_test)

namespace {

using daig::UsageError;
using daig::optim::make_schedule;
using daig::optim::Schedule;
using daig::optim::schedule_from;

BOOST_AUTO_TEST_CASE(constant_is_one) {
  const Schedule schedule = make_schedule("constant");
  BOOST_TEST(schedule(0, 10) == 1);
  BOOST_TEST(schedule(1000, 10) == 1);
}

BOOST_AUTO_TEST_CASE(cosine_falls_from_one_to_the_final_fraction) {
  const Schedule schedule = make_schedule("cosine:final=0.2");
  BOOST_TEST(schedule(0, 100) == 1);
  BOOST_TEST(std::abs(schedule(50, 100) - 0.6) < 1e-12);
  BOOST_TEST(std::abs(schedule(25, 100) - (0.2 + 0.4 * (1 + std::sqrt(0.5)))) < 1e-12);
  BOOST_TEST(schedule(100, 100) == 0.2);
  BOOST_TEST(schedule(101, 100) == 0.2);
  BOOST_TEST(schedule(0, 0) == 0.2);
  for (std::uint64_t step = 0; step < 100; ++step) {
    BOOST_TEST(schedule(step + 1, 100) < schedule(step, 100));
  }
  BOOST_TEST(make_schedule("cosine")(100, 100) == 0);
}

BOOST_AUTO_TEST_CASE(cosine_warms_up) {
  const Schedule schedule = make_schedule("cosine:warmup=3");
  BOOST_TEST(schedule(0, 13) == 0.25);
  BOOST_TEST(schedule(1, 13) == 0.5);
  BOOST_TEST(schedule(2, 13) == 0.75);
  BOOST_TEST(schedule(3, 13) == 1);
  BOOST_TEST(std::abs(schedule(8, 13) - 0.5) < 1e-12);
  BOOST_TEST(schedule(13, 13) == 0);
  // A run shorter than its warm-up.
  BOOST_TEST(schedule(1, 2) == 0.5);
  BOOST_TEST(schedule(3, 2) == 0);
}

BOOST_AUTO_TEST_CASE(step_decays_every_so_often) {
  const Schedule schedule = make_schedule("step:every=10,factor=0.5");
  BOOST_TEST(schedule(0, 100) == 1);
  BOOST_TEST(schedule(9, 100) == 1);
  BOOST_TEST(schedule(10, 100) == 0.5);
  BOOST_TEST(schedule(29, 100) == 0.25);
  BOOST_TEST(make_schedule("step:factor=0.5,every=10")(29, 100) == 0.25);
  BOOST_TEST(make_schedule("step:every=5")(5, 100) == 0.1);
}

void check_close(const std::string& text, std::uint64_t step, double expected) {
  BOOST_TEST_CONTEXT("'" << text << "' at step " << step) {
    BOOST_TEST(std::abs(make_schedule(text)(step, 7) - expected) < 1e-12);
  }
}

BOOST_AUTO_TEST_CASE(the_decays_of_keras) {
  check_close("exponential:every=4,factor=0.5", 0, 1);
  check_close("exponential:every=4,factor=0.5", 6, std::pow(0.5, 1.5));
  check_close("exponential:every=4,factor=0.5,staircase=1", 7, 0.5);
  check_close("exponential:every=4,factor=0.5,staircase=1", 8, 0.25);
  check_close("inverse:rate=0.5", 6, 0.25);
  check_close("inverse:rate=0.5,every=4", 6, 1 / 1.75);
  check_close("inverse:rate=0.5,every=4,staircase=1", 7, 1 / 1.5);
  check_close("polynomial:steps=10", 4, 0.6);
  check_close("polynomial:steps=10,power=2,final=0.1", 5, 0.1 + 0.9 * 0.25);
  check_close("polynomial:steps=10,final=0.1", 12, 0.1);
  check_close("polynomial:steps=10,cycle=1", 0, 1);
  check_close("polynomial:steps=10,cycle=1", 10, 0);
  check_close("polynomial:steps=10,cycle=1", 12, 0.4);  // as of 20 steps
  check_close("cosine:steps=10,final=0.2", 0, 1);
  check_close("cosine:steps=10,final=0.2", 5, 0.6);
  check_close("cosine:steps=10,final=0.2", 50, 0.2);
  check_close("cosine:steps=10,warmup=4,first=0.5", 0, 0.5);
  check_close("cosine:steps=10,warmup=4,first=0.5", 1, 0.625);
  check_close("cosine:steps=10,warmup=4,first=0.5", 4, 1);
  check_close("cosine:steps=10,warmup=4,first=0.5", 9, 0.5);
  check_close("cosine:steps=10,warmup=4,first=0.5", 14, 0);
  for (const auto& [step, factor] :
       {std::pair{0, 1.0}, {2, 1.0}, {3, 0.5}, {4, 0.5}, {5, 2.0}, {500, 2.0}}) {
    check_close("piecewise:3=0.5,5=2", static_cast<std::uint64_t>(step), factor);
  }
}

BOOST_AUTO_TEST_CASE(a_schedule_may_have_begun_before) {
  for (const std::string text : {"step:every=3", "exponential:every=4,factor=0.5", "inverse:rate=1",
                                 "polynomial:steps=9", "cosine:steps=9", "piecewise:4=0.5"}) {
    BOOST_TEST_CONTEXT(text) {
      const Schedule later = make_schedule(schedule_from(text, 3));
      for (std::uint64_t step = 0; step < 10; ++step) {
        BOOST_TEST(later(step, 7) == make_schedule(text)(step + 3, 7));
      }
      BOOST_TEST(schedule_from(text, 0) == text);
    }
  }
  BOOST_TEST(schedule_from("constant", 3) == "constant");
  BOOST_TEST(schedule_from("cosine:final=0.1", 3) == "cosine:final=0.1");  // of this run
}

BOOST_AUTO_TEST_CASE(nonsense_is_refused_by_name) {
  const auto check = [](const std::string& text, const std::string& named) {
    BOOST_TEST_CONTEXT("'" << text << "'") {
      BOOST_CHECK_EXCEPTION(make_schedule(text), UsageError, [&](const UsageError& error) {
        BOOST_TEST_MESSAGE(error.what());
        return std::string(error.what()).find(named) != std::string::npos;
      });
    }
  };
  check("", "constant, cosine, step");
  check("linear", "linear");
  check("Cosine", "Cosine");
  check("constant:warmup=3", "warmup");
  check("constant:", "takes none");
  check("cosine:warmup", "warmup");
  check("cosine:warmup=", "warmup");
  check("cosine:warmup=-1", "warmup");
  check("cosine:warmup=1.5", "warmup");
  check("cosine:warmup=3x", "warmup");
  check("cosine:warmup=99999999999999999999", "warmup");
  check("cosine:final=1.5", "final");
  check("cosine:final=nan", "final");
  check("cosine:warmup=3,", "option ''");
  check("cosine:,warmup=3", "option ''");
  check("cosine:every=3", "every");
  check("step", "every");
  check("step:factor=0.5", "every");
  check("step:every=0", "every");
  check("step:every=3,factor=0", "factor");
  check("step:every=3,factor=inf", "factor");
  check("cosine:start=3", "start");
  check("step:every=3,start=-1", "start");
  check("exponential:every=3", "exponential:every=100,factor");
  check("exponential:factor=0.5", "exponential:every=100,factor");
  check("exponential:every=3,factor=0.5,staircase=2", "staircase");
  check("exponential:every=3,factor=0.5,rate=2", "rate");
  check("inverse", "inverse:rate");
  check("inverse:rate=-1", "rate");
  check("polynomial:power=2", "polynomial:steps");
  check("polynomial:steps=0", "steps");
  check("cosine:steps=3,every=3", "every");
  check("cosine:first=0.5", "first");
  check("piecewise", "piecewise:1000");
  check("piecewise:x=1", "a step is 'x'");
  check("piecewise:3=x", "a factor is 'x'");
  check("piecewise:3=0.5,3=0.1", "order");
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
